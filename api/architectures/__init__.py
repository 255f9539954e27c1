"""Networks that searches found, and their files."""
