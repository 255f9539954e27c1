"""Search spaces that have names."""
