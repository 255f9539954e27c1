"""What a dataset's description says of the looks of its pictures, counted one by one: of a few of them, or of all. Torch-free."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dna_engine.images.check.facts import white_of
from dna_engine.images.check.report import Findings, Level
from dna_engine.images.pictures.pixels import ELONGATED, ENLARGED, Look


@dataclass
class Seen:
    """Counts of pictures; some bytes for each side and each shape that there is."""

    sides: Counter[int] = field(default_factory=Counter)
    ratios: Counter[float] = field(default_factory=Counter)
    peak: int = 0

    def add(self, width: int, height: int, *, peak: int = 0) -> None:
        """One more, upright; ``peak`` as ``Facts`` has it."""
        self.sides[min(width, height)] += 1
        self.ratios[round(width / height, 3)] += 1
        self.peak = max(self.peak, peak)

    @property
    def look(self) -> Look:
        """How they are seen where a job says nothing of it."""
        return Look(white=white_of([self.peak]))

    @property
    def described(self) -> dict[str, Any]:
        """Fields of ``DatasetInfo``; there must have been a picture."""
        low, middle, high = (_quantile(self.ratios, share) for share in (0.1, 0.5, 0.9))
        return {
            "image_size": _quantile(self.sides, 0.5),
            "aspect_ratios": (low, middle, high),
            "white": self.look.white,
        }

    def tell(self, findings: Findings, input_size: int) -> None:
        """Adds what becomes of their sizes and shapes where a job says nothing of it.

        Args:
            input_size: side in pixels that such a job gives them.
        """
        small = sum(count for side, count in self.sides.items() if ENLARGED * side < input_size)
        if 2 * small > self.sides.total():
            findings.add(
                "enlarged",
                Level.WARNING,
                f"Most pictures would be enlarged more than twice by the input size of {input_size} pixels that jobs take unless they say "
                "otherwise. That costs time and shows nothing more: take a smaller input_size.",
                count=small,
            )
        long = sum(count for ratio, count in self.ratios.items() if max(ratio, 1 / ratio) >= ELONGATED)
        if long:
            findings.add(
                "elongated",
                Level.NOTE,
                f"Of {self.ratios.total():,} pictures {long:,} are twice as long as wide or longer. Where a square is cut out of the middle "
                "(resize crop), half of such a picture or more is never seen; resize pad and squash keep the whole.",
                count=long,
            )


def _quantile(counts: Mapping[Any, int], share: float) -> Any:
    """The least value that is not below this share of all."""
    left = share * sum(counts.values())
    for value in sorted(counts):
        left -= counts[value]
        if left <= 0:
            return value
    raise AssertionError("nothing was counted")
