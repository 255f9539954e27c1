"""One part of a dataset, and how folders are told of. Torch-free."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dna_engine.images.check.report import NAMED
from dna_engine.images.layout.folders import Folder

WANTED = (
    "A dataset is one folder of images for every class; or train/ and test/ (or val/, or all three) with such folders; or images "
    "beside a table of their names and labels (CSV or JSON)."
)
#: The way out for who has classes that look like something else.
OR_CLASSES = "Where they are classes all the same, say so: layout=classes."


@dataclass(frozen=True)
class Part:
    """The pictures of one part of a dataset by their classes, all sorted.

    Attributes:
        root: the folder that they lie below.
        shown: what the part is called, for people.
        by_table: whether a table says what they show, not their folders.
    """

    root: Path
    classes: dict[str, list[Path]]
    shown: str = ""
    by_table: bool = False

    @property
    def files(self) -> list[Path]:
        return [path for files in self.classes.values() for path in files]

    @property
    def placed(self) -> Iterator[tuple[str, Path]]:
        """Every picture with its place among class folders, as a path with slashes."""
        for name, files in self.classes.items():
            for path in files:
                inside = path.relative_to(self.root).as_posix()
                yield (f"{name}/{inside}" if self.by_table else inside), path


def images_in(folder: Folder) -> str:
    """How many there are."""
    return f"{folder.count:,} image{'s' if folder.count != 1 else ''}"


def listed(names: list[str]) -> str:
    """The first few, and how many more."""
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
