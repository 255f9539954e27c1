"""Which faults, in which order and after which pauses: drawn by a seed, or read from what a storm before has said."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from random import Random


@dataclass(frozen=True)
class Fault:
    """``kind`` after ``pause`` seconds without any; ``draw`` is the seed of whatever it chooses itself, such as the process it kills."""

    kind: str
    pause: float
    draw: int


def draw(seed: int, count: int, kinds: Sequence[str], *, pause: float) -> list[Fault]:
    """Each kind as often as the others, shuffled. Pauses are up to twice as long as ``pause``."""
    chance = Random(seed)
    order = [kinds[number % len(kinds)] for number in range(count)]
    chance.shuffle(order)
    return [Fault(kind, round(chance.uniform(0, 2 * pause), 2), chance.randrange(1 << 16)) for kind in order]


def dumps(faults: Sequence[Fault]) -> str:
    """A line each."""
    return "".join(json.dumps(asdict(fault)) + "\n" for fault in faults)


def loads(text: str) -> list[Fault]:
    """The reverse of :func:`dumps`."""
    return [Fault(**json.loads(line)) for line in text.splitlines() if line.strip()]
