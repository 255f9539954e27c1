"""Random streams that are drawn from a key, so that what is random is the same wherever and whenever it is drawn."""

from __future__ import annotations

import random

import torch


def stream(*key: int | str) -> torch.Generator:
    """A CPU generator whose numbers depend on the key alone."""
    return torch.Generator().manual_seed(random.Random("/".join(map(str, key))).getrandbits(63))
