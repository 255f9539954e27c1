"""From a file that people hold to be a picture to an input: what it is, what it may take, how it is decoded and made a square. Torch-free."""
