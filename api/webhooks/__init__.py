"""URLs that are told what happens."""
