"""Large files on their way: in pieces that can be taken up again."""
