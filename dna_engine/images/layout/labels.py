"""Which picture has which label, where a table says so and no class folders do. Torch-free.

Such as ``metadata.csv`` and ``metadata.jsonl`` of Hugging Face's image folders, or ``train.csv`` beside a folder of pictures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dna_engine.images.check.report import NAMED, Findings, Level, printable
from dna_engine.images.layout.folders import Folder, folded, is_clutter, wrong
from dna_engine.images.layout.split_names import Split, split_of
from dna_engine.images.layout.tables import Row, rows_of
from dna_engine.images.pictures.kinds import is_table

#: Longest label, in bytes: it becomes the name of a folder.
_LONGEST = 200
_MOST_TABLES = 20


@dataclass(frozen=True)
class Label:
    """What a picture shows and, where its table says so, which part it belongs to."""

    name: str
    split: Split | None


@dataclass
class Labels:
    """What all tables of a dataset say.

    Attributes:
        tables: those that were read.
        in_vain: a sentence on each that names no picture that is here.
    """

    of: dict[Path, Label] = field(default_factory=dict)
    tables: list[Path] = field(default_factory=list)
    in_vain: list[str] = field(default_factory=list)


def read_labels(whole: Folder, findings: Findings) -> Labels:
    """The labels of pictures by the tables that lie in a folder and below; names in a table are looked for beside and below it first.

    Raises:
        DataError: a table is damaged, or a picture has two labels.
    """
    found = Labels()
    tables = [(folder, path) for folder in whole.walk() for path in _tables(folder)]
    if len(tables) > _MOST_TABLES:
        raise wrong(
            f"There are {len(tables):,} tables, and at most {_MOST_TABLES} are read. Put names and labels into one."
        )
    for folder, path in tables:
        shown, split = folder.shown + path.name, split_of(path.stem)
        rows = rows_of(path, shown)
        if rows is not None and _take(found, rows, shown, _Pictures.of_table(whole, folder, split), split, findings):
            found.tables.append(path)
        elif rows is None and not path.name.lower().endswith("json"):  # Programs keep much else in JSON.
            found.in_vain.append(
                f"{shown} has no columns that are called like names of pictures and their labels, such as file_name and label."
            )
    return found


def _tables(folder: Folder) -> list[Path]:
    """Without what is said of one picture each, and without examples of what is to be answered."""
    stems = {picture.stem for picture in folder.pictures}
    return [
        path
        for path in folder.others
        if is_table(path.name) and path.is_file() and path.stem not in stems and "submission" not in path.stem.lower()
    ]


@dataclass(frozen=True)
class _Pictures:
    """Pictures by their names: as below a folder, without folders, and without suffix; None where two have one name."""

    named: dict[str, Path | None]

    @classmethod
    def of_table(cls, whole: Folder, folder: Folder, split: Split | None) -> _Pictures:
        """What names in a table of that folder mean: of ``train.csv`` those in ``train/`` first, where there is one; then what lies
        below the table's folder; then all.
        """
        named = _below(whole) if folder is whole else _below(whole) | _below(folder)
        for inside in folder.folders if split else ():
            if split_of(inside.name) == split:
                named |= _below(inside)
        return cls(named)

    def find(self, name: str) -> Path | None:
        """The picture that a table means; one whose path does not exist here may be there by its last part."""
        key = folded(name.replace("\\", "/").removeprefix("./"))
        return self.named.get(key) or self.named.get(key.rpartition("/")[2])


def _below(folder: Folder) -> dict[str, Path | None]:
    named: dict[str, Path | None] = {}
    for place in folder.walk():
        inside = place.shown.removeprefix(folder.shown)
        for picture in place.pictures:
            keys = {inside + picture.name, picture.name, inside + picture.stem, picture.stem}
            for key in map(folded, keys):
                named[key] = picture if named.get(key, picture) == picture else None
    return named


def _take(
    found: Labels, rows: Iterator[Row], shown: str, pictures: _Pictures, split: Split | None, findings: Findings
) -> bool:
    """Whether any row was about a picture that is here."""
    missing: list[str] = []  # The first few of them.
    seen = taken = lost = 0
    for row in rows:
        seen += 1
        path = pictures.find(row.name)
        if path is None:
            lost += 1
            if len(missing) < NAMED:
                missing.append(printable(row.name[:_LONGEST]))
        elif row.label:
            label = Label(_class_name(row.label, shown), _split(row.split, shown) or split)
            if found.of.setdefault(path, label) != label:
                raise wrong(
                    f"{shown} gives {row.name[:_LONGEST]!r} the label {label.name!r}, and it has {found.of[path].name!r} already: a "
                    "picture has one label."
                )
            taken += 1
    if not taken:
        found.in_vain.append(
            f"{shown} has {seen:,} names, such as {', '.join(missing[:3])}, and none is that of a picture with a label here: they "
            "are to be paths below its own folder, or names of files."
        )
        return False
    if lost:
        findings.add(
            "names_without_picture",
            Level.WARNING,
            f"Names in {shown} of which there is no picture.",
            missing,
            count=lost,
        )
    return True


def _split(name: str, shown: str) -> Split | None:
    if name and split_of(name) is None:
        raise wrong(f"{shown} says that pictures are for {name[:_LONGEST]!r}; write train, val or test.")
    return split_of(name)


def _class_name(label: str, shown: str) -> str:
    if "/" in label or "\\" in label or is_clutter(label) or not label.isprintable() or len(label.encode()) > _LONGEST:
        raise wrong(
            f"{shown} has the label {label[:_LONGEST]!r}, which cannot be the name of a class: write it without slashes and control "
            f"characters, with a letter at its beginning, in at most {_LONGEST} bytes."
        )
    return label
