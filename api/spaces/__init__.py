"""Trained networks that can supervise a search."""
