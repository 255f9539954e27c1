"""Tunings: many short trainings that look for a recipe."""
