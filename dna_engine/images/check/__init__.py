"""The check of a dataset before it is used: every picture opened once, and what people should know of them. Torch-free."""
