"""Datasets as people have them: archives, folders, pictures, and what is known of them before they are read. Torch-free."""
