"""Rows of a file that says which picture has which label: CSV as spreadsheets write it, JSON in the forms in use. Torch-free."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, TextIO

from dna_engine.images.encodings import text_of
from dna_engine.images.layout.folders import wrong

#: Columns by what they are called, without case, spaces and underscores; of several the first here. Names of classes come before numbers.
_NAMES = (
    "filename",
    "filepath",
    "path",
    "file",
    "imagepath",
    "imagename",
    "imagefile",
    "imageid",
    "image",
    "img",
    "imgname",
    "picture",
    "photo",
    "name",
    "id",
    "key",
)
_LABELS = (
    "labelname", "classname", "categoryname", "labeltext", "label", "labels", "class", "category", "target", "species", "breed", "diagnosis",
    "dx", "tag", "tags", "y", "labelid", "classid", "categoryid",
)  # fmt: skip
_SPLITS = ("split", "set", "subset", "partition", "phase", "usage")
_DELIMITERS = ",;\t|"
#: Bytes of a JSON file, which is read as a whole, of a line of other tables, and of what is looked at to know a CSV.
_LONGEST_JSON, _LONGEST_LINE, _SAMPLE = 8 << 20, 1 << 20, 1 << 16
_MOST_ROWS = 5_000_000
#: Of a label that is none, in an error.
_SHOWN = 100


@dataclass(frozen=True)
class Row:
    """What a table says of a picture; an empty label says nothing."""

    name: str
    label: str
    split: str


@dataclass(frozen=True)
class Columns:
    """Which columns say what."""

    name: str
    label: str
    split: str | None


def rows_of(path: Path, shown: str) -> Iterator[Row] | None:
    """The rows of a table of names and labels; None where it is none, such as a list of names alone.

    Args:
        shown: its name, for people.

    Raises:
        DataError: now or while it is read: it is too large, or damaged behind its beginning.
    """
    if path.suffix.lower() == ".json":
        return _from_json(path, shown)
    records = _json_lines(path, shown) if path.suffix.lower() == ".jsonl" else _csv_records(path, shown)
    first = next(records, None)
    return None if first is None else _rows(first, chain([first], records))


def _rows(first: Mapping[str, Any], records: Iterator[Mapping[str, Any]]) -> Iterator[Row] | None:
    columns = _columns(list(first))
    if columns is None:
        return None
    return (
        Row(
            _text(record.get(columns.name)),
            _text(record.get(columns.label)),
            _text(record.get(columns.split)) if columns.split else "",
        )
        for record in records
    )


def _columns(names: list[str]) -> Columns | None:
    plain = {"".join(letter for letter in name.casefold() if letter.isalnum()): name for name in reversed(names)}
    name, label, split = (
        next((plain[wanted] for wanted in known if wanted in plain), None) for known in (_NAMES, _LABELS, _SPLITS)
    )
    return Columns(name, label, split) if name is not None and label is not None else None


def _text(value: Any) -> str:
    """A label as the name of a class: JSON may have a number, or a list of one.

    Raises:
        DataError: it is several, or an object: a picture shows one class, and is not made one of a class of its own in silence.
    """
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, list | dict):
        raise wrong(
            f"A table has the label {json.dumps(value)[:_SHOWN]}, and a picture has one label, which is a number or a name. Write one for each "
            "picture."
        )
    return "" if value is None else str(value).strip()


def _csv_records(path: Path, shown: str) -> Iterator[Mapping[str, str]]:
    """By the names of their columns. A file without such names has the picture first and its label second."""
    with path.open("rb") as file:
        sample = file.read(_SAMPLE)
    sample = sample.rpartition(b"\n")[0] if len(sample) == _SAMPLE else sample
    encoding = text_of(sample, shown)
    with path.open(encoding=encoding, newline="") as file:
        lines = csv.reader(_lines(file, shown), delimiter=_delimiter(sample.decode(encoding, "replace")))
        try:
            first = next(lines, [])
            headless = len(first) == 2 and Path(first[0]).suffix != ""
            names = ["file_name", "label"] if headless else first
            for line in chain([first] if headless else [], lines):
                if line:
                    yield dict(zip(names, line, strict=False))
        except (csv.Error, UnicodeDecodeError) as error:
            raise wrong(
                f"{shown} cannot be read as CSV, at line {lines.line_num} ({error}). Save it anew, in UTF-8."
            ) from error


def _delimiter(sample: str) -> str:
    head = sample.partition("\n")[0]
    return max(_DELIMITERS, key=head.count)


def _json_lines(path: Path, shown: str) -> Iterator[Mapping[str, Any]]:
    number = 0
    with path.open(encoding="utf-8-sig") as file:
        try:
            for number, line in enumerate(_lines(file, shown), 1):  # noqa: B007  For the error.
                record = json.loads(line) if line.strip() else None
                if isinstance(record, dict):
                    yield record
        except (ValueError, RecursionError) as error:
            raise wrong(
                f"{shown} cannot be read as JSON, at line {number} ({error}). Write one object in each line, in UTF-8."
            ) from error


def _lines(file: TextIO, shown: str) -> Iterator[str]:
    """Its lines, which are neither endless nor without number."""
    for _ in range(_MOST_ROWS):
        line = file.readline(_LONGEST_LINE)
        if not line:
            return
        if len(line) == _LONGEST_LINE:
            raise wrong(f"{shown} has a line of more than {_LONGEST_LINE:,} letters. Write one picture in each line.")
        yield line
    raise wrong(f"{shown} has more than {_MOST_ROWS:,} lines. Leave out those that name no picture.")


def _from_json(path: Path, shown: str) -> Iterator[Row] | None:
    """A list of objects or of pairs, by itself or under a name; names with their labels; or labels with lists of names."""
    if path.stat().st_size > _LONGEST_JSON:
        raise wrong(
            f"{shown} is larger than {_LONGEST_JSON:,} bytes. Write its names and labels as CSV, which is read line by line."
        )
    try:
        value = json.loads(path.read_bytes())
    except (ValueError, RecursionError):  # Programs keep much else in such files.
        return None
    if isinstance(value, dict):
        lists = [inside for inside in value.values() if isinstance(inside, list) and inside]
        if len(lists) == 1 and not _names_pictures(lists[0]):
            return _from_list(lists[0])
        return _from_object(value)
    return _from_list(value) if isinstance(value, list) and value else None


def _from_list(value: list[Any]) -> Iterator[Row] | None:
    if isinstance(value[0], dict):
        return _rows(value[0], (record for record in value if isinstance(record, dict)))
    if all(isinstance(pair, list) and len(pair) == 2 for pair in value):
        return (Row(_text(name), _text(label), "") for name, label in value)
    return None


def _from_object(value: dict[str, Any]) -> Iterator[Row] | None:
    if value and all(isinstance(label, str | int) for label in value.values()):
        return (Row(name, _text(label), "") for name, label in value.items())
    if value and all(_names_pictures(names) for names in value.values()):
        return (Row(name, label, "") for label, names in value.items() for name in names)
    return None


def _names_pictures(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(name, str) for name in value)
