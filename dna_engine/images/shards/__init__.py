"""Datasets that lie elsewhere in large files, as WebDataset (tar) or Parquet: by URL, read a picture at a time. Torch-free."""
