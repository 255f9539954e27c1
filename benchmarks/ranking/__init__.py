"""The ranking study: see :mod:`benchmarks.ranking.__main__`."""
