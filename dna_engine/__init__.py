"""The DNA method: blockwise supernets trained by distillation, every path rated, the best combination found exactly.

Importing this package loads no torch; the modules that need it are imported by name.
"""
