"""Whole networks: batches of images, the recipe, the training loop, latency."""
