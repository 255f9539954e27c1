"""The method: a teacher cut into blocks, supernets of cells that learn its features, ratings of every path."""
