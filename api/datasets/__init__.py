"""Datasets that can be searched on."""
