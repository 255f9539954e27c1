"""Where a step runs: its device, cores, checkpoints and random streams."""
