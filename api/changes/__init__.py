"""What changes in jobs of every kind, as one stream."""
