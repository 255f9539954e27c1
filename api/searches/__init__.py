"""Searches: creating, estimating, reading, steering them, and what their ratings say."""
