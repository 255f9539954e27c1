"""What a check looks at: the pictures of a dataset, wherever they lie, each with its split and class. Torch-free."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dna_engine.images.check.report import Finding
from dna_engine.images.layout.layout import Layout
from dna_engine.images.pictures.file import PictureFile

Numbers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Subject:
    """Pictures in the order in which they are read best.

    Attributes:
        classes: their names, by number.
        parts: names of the splits, by number; the first is to train with.
        files: of all splits (N).
        splits, labels: of each file, by number (N).
        findings: how they were read, and what is not used.
        root: below which files are named.
    """

    classes: Sequence[str]
    parts: Sequence[str]
    files: Sequence[PictureFile]
    splits: Numbers
    labels: Numbers
    findings: Sequence[Finding] = ()
    root: str = ""

    def name(self, number: int) -> str:
        """What a file is called, for users."""
        return str(self.files[number]).removeprefix(self.root)

    def counts(self, split: str) -> Counter[int]:
        """Pictures of a split by class."""
        of_it = self.labels[self.splits == self.parts.index(split)]
        return Counter(dict(enumerate(np.bincount(of_it, minlength=len(self.classes)).tolist())))

    def by_class(self, split: str) -> list[list[int]]:
        """The numbers of a split's files, class by class."""
        of_it = np.flatnonzero(self.splits == self.parts.index(split))
        order = of_it[np.argsort(self.labels[of_it], kind="stable")]
        ends = np.cumsum(np.bincount(self.labels[of_it], minlength=len(self.classes)))
        return [numbers.tolist() for numbers in np.split(order, ends[:-1])]


def of_layout(layout: Layout, root: Path) -> Subject:
    """The pictures of a folder that was read."""
    parts = layout.parts
    labels = [label for part in parts.values() for label, paths in enumerate(part.classes.values()) for _ in paths]
    return Subject(
        classes=list(layout.train.classes),
        parts=list(parts),
        files=layout.files,
        splits=np.repeat(np.arange(len(parts)), [len(part.files) for part in parts.values()]),
        labels=np.array(labels),
        findings=layout.findings,
        root=f"{root.as_posix()}/",
    )
