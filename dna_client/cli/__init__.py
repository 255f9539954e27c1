"""The ``dna`` command: one module for each group of commands, one for their shared options, one for what they print."""
