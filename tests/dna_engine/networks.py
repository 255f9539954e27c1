"""Random networks of a space, and runs of the engine small enough for tests."""

from __future__ import annotations

import random

from dna_engine.space import Space
from dna_engine.space.architecture import Architecture


def random_network(
    space: Space, rng: random.Random, *, input_size: int = 224, num_classes: int = 1000, in_chans: int = 3
) -> Architecture:
    """Each network of the space is as likely as any other."""
    choices = []
    for block in space.blocks:
        counts = [space.path_count(cell) for cell in block.cells]
        cell = rng.choices(range(len(counts)), weights=counts)[0]
        choices.append((cell + 1, space.path(block.cells[cell], rng.randrange(counts[cell]))))
    return Architecture.from_choices(space, choices, input_size=input_size, num_classes=num_classes, in_chans=in_chans)
