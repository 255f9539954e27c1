"""The same picture twice: within a split, across splits, and under two labels. Torch-free.

Pictures are the same where their files are, to the byte. Of each only a short digest and its place are kept, so that a million
of them take some tens of megabytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from dna_engine.images.check.report import NAMED, Findings, Level

#: Bytes of a SHA-256 that tell files apart: of a million files two agree in them once in 10^26 datasets.
_BYTES = 16


class Contents:
    """What the pictures of a dataset contain, in the order in which they are added."""

    def __init__(self) -> None:
        self._digests = bytearray()
        self._numbers: list[int] = []
        self._splits: list[int] = []
        self._labels: list[int] = []

    def add(self, number: int, digest: str, *, split: int, label: int) -> None:
        """One more picture.

        Args:
            number: by which its name is asked for.
            digest: SHA-256 of its file, in hex.
        """
        self._digests += bytes.fromhex(digest)[:_BYTES]
        self._numbers.append(number)
        self._splits.append(split)
        self._labels.append(label)

    def tell(self, findings: Findings, name: Callable[[int], str]) -> None:
        """Adds what is there more than once: under several labels, in several splits, or simply again."""
        contradictory, across, within = (_Pairs(lambda place: name(self._numbers[place])) for _ in range(3))
        for first, *others in self._twins():
            elsewhere = [place for place in others if self._splits[place] != self._splits[first]]
            other_label = [place for place in others if self._labels[place] != self._labels[first]]
            again = len(others) - len({self._splits[place] for place in elsewhere})
            if other_label:
                contradictory.add(other_label[0], first)
            if elsewhere:
                across.add(elsewhere[0], first, count=len(elsewhere))
            if again and not other_label:
                within.add(others[-1], first, count=again)
        contradictory.tell(
            findings,
            "contradictory_labels",
            Level.WARNING,
            "The same picture lies in several classes, and at most one of them is right: remove it from the others.",
        )
        across.tell(
            findings,
            "duplicates_across_splits",
            Level.WARNING,
            "Pictures to test with are among those to train with, so that the accuracy counts what was learned by heart: remove "
            "them from one of the two.",
        )
        within.tell(
            findings,
            "duplicates",
            Level.NOTE,
            "Pictures are there more than once, and count as often.",
        )

    def _twins(self) -> Iterator[list[int]]:
        """Places of pictures of one content, at least two, in their order."""
        digests: np.ndarray[Any, Any] = np.frombuffer(bytes(self._digests), dtype=f"V{_BYTES}")
        order = np.argsort(digests, kind="stable")
        same = np.flatnonzero(digests[order][1:] == digests[order][:-1]) + 1
        found: dict[bytes, list[int]] = {}
        for place in np.unique(np.concatenate([order[same], order[same - 1]])).tolist():
            found.setdefault(bytes(digests[place]), []).append(place)
        yield from found.values()


class _Pairs:
    """Copies beside what they are copies of: counted, the first few named."""

    def __init__(self, name: Callable[[int], str]) -> None:
        self._name = name
        self._count = 0
        self._named: list[str] = []

    def add(self, copy: int, original: int, *, count: int = 1) -> None:
        self._count += count
        if len(self._named) < NAMED:
            self._named.append(f"{self._name(copy)} = {self._name(original)}")

    def tell(self, findings: Findings, code: str, level: Level, text: str) -> None:
        if self._count:
            findings.add(code, level, text, self._named, count=self._count)
