"""Which steps a job takes, what each needs and makes. Torch-free."""
