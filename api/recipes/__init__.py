"""The recipes that networks are trained by."""
