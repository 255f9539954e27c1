"""Trainings of networks."""
