"""Which pictures of a folder are which class's and in which part, as people arrange them. Torch-free."""
