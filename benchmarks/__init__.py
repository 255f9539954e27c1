"""Measurements that anyone can repeat: each module is a command that prints a table and, where it compares, a ratio."""
