"""How the batches of a training are drawn from its images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from dna_engine.recipes import Sampling
from dna_engine.runtime.seeds import stream
from dna_engine.training.augment.augmentation import NOTHING, Augmentation


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """Which images an epoch takes, and what is done to them where they may be changed at all.

    Attributes:
        sampling, repeats, crop_area: see :class:`~dna_engine.recipes.Numbers`.
        augmentation: beside crops and flips.
    """

    sampling: Sampling = "uniform"
    repeats: int = 1
    crop_area: float | None = None
    augmentation: Augmentation = NOTHING

    def order(self, labels: Sequence[int], seed: int, epoch: int) -> list[int]:
        """The places of an epoch's images, as many as there are labels."""
        generator = stream(seed, epoch)
        drawn = drawn_by_class(labels, generator) if self.sampling == "by_class" else _mixed(len(labels), generator)
        if self.repeats == 1:
            return drawn
        return [place for place in drawn for _ in range(self.repeats)][: len(drawn)]


#: Every image once an epoch, cropped and mirrored.
PLAIN = Drawing()


def times_before(order: Sequence[int]) -> list[int]:
    """Of each place in an epoch's order, how often it has come before."""
    seen: Counter[int] = Counter()
    found = []
    for place in order:
        found.append(seen[place])
        seen[place] += 1
    return found


def drawn_by_class(labels: Sequence[int], generator: torch.Generator) -> list[int]:
    """As many places as there are labels, mixed, and of every class as many as of any other, up to one.

    The places of a class come in turns, each of which has them all: none twice before every other has come.
    """
    members: dict[int, list[int]] = {}
    for place, label in enumerate(labels):
        members.setdefault(label, []).append(place)
    rounds = -(-len(labels) // len(members))
    turns = [_turns(places, rounds, generator) for places in members.values()]
    drawn = [turns[number][turn] for turn in range(rounds) for number in _mixed(len(turns), generator)]
    return drawn[: len(labels)]


def _turns(places: Sequence[int], count: int, generator: torch.Generator) -> list[int]:
    passes = -(-count // len(places))
    return [places[index] for _ in range(passes) for index in _mixed(len(places), generator)][:count]


def _mixed(count: int, generator: torch.Generator) -> list[int]:
    mixed: list[int] = torch.randperm(count, generator=generator).tolist()
    return mixed
