"""The HTTP service: validates, writes rows, sends task names. Never imports torch."""
