"""Samples of a WebDataset: files of one name but for what stands behind the first dot, next to one another in a tar.

The class of ``owls/0001.jpg`` is said by ``owls/0001.cls`` (a number or a name), by the field ``label``, ``cls`` or ``class`` of
``owls/0001.json``, or, where there is neither, by the folder ``owls``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BufferedIOBase
from typing import IO, cast

from dna_engine.images.archive.limits import Allowance, Damaged, Entry, Limits
from dna_engine.images.archive.spelling import Spelling
from dna_engine.images.archive.tars import read_tar
from dna_engine.images.layout.folders import is_clutter
from dna_engine.images.pictures.picture import is_picture
from dna_engine.images.shards.places import Shard, wrong
from dna_engine.images.shards.samples import Found

#: Bytes of a label, or of the notes that hold one.
_LABEL_BYTES = 1 << 20
_LABELS = ("label", "cls", "class")
_NUMBER = re.compile(r"-?[0-9]{1,9}")


@dataclass
class _Sample:
    """What was found of one name: pictures with where they begin and how many bytes they take, and labels."""

    key: str
    pictures: list[tuple[str, int, int]] = field(default_factory=list)
    notes: dict[str, bytes] = field(default_factory=dict)


def read(shard: Shard, file: IO[bytes], stopped: Callable[[], bool]) -> Iterator[Found]:
    """The pictures of a tar, in its order.

    Raises:
        DataError: it is damaged, holds what no dataset does, or a sample has two pictures.
        Interrupted: it was stopped.
    """
    if not shard.size:
        raise wrong(f"{shard.name} is empty, or it is not said how large it is. Write it anew, or leave it out.")
    limits = Limits(total_bytes=shard.size, entries=shard.size, folders=shard.size, ratio=1)
    allowed = Allowance(limits, packed=shard.size, stopped=stopped)
    sample = _Sample("")
    try:
        for entry in read_tar(cast(BufferedIOBase, file), allowed, Spelling()):
            if entry.size is None or any(is_clutter(part) for part in entry.name.split("/")):
                continue
            key, kind = _parted(entry.name)
            if key != sample.key:
                yield from _of(sample, shard)
                sample = _Sample(key)
            _take(sample, kind, entry, shard, file)
    except Damaged as error:
        raise wrong(f"{shard.name} is damaged ({error}). Write it anew.") from error
    yield from _of(sample, shard)


def _parted(name: str) -> tuple[str, str]:
    """The name of a sample, and what stands behind its first dot."""
    folder, slash, file = name.rpartition("/")
    stem, _, kind = file.partition(".")
    return f"{folder}{slash}{stem}", kind.lower()


def _take(sample: _Sample, kind: str, entry: Entry, shard: Shard, file: IO[bytes]) -> None:
    if is_picture(f".{kind}") or is_picture(entry.name):
        sample.pictures.append((entry.name, file.tell(), entry.size or 0))
    elif kind in ("cls", "json"):
        if (entry.size or 0) > _LABEL_BYTES:
            raise wrong(f"{shard.name}/{entry.name} has {entry.size:,} bytes; a label has at most {_LABEL_BYTES:,}.")
        sample.notes[kind] = b"".join(entry.content())


def _of(sample: _Sample, shard: Shard) -> Iterator[Found]:
    if not sample.pictures:
        return
    if len(sample.pictures) > 1:
        names = " and ".join(name.rpartition("/")[2] for name, *_ in sample.pictures[:2])
        raise wrong(f"The sample {sample.key} of {shard.name} has two pictures, {names}; keep one of them.")
    name, start, size = sample.pictures[0]
    label, folders = _label(sample, shard)
    yield Found(name, label, start, size, folders=folders)


def _label(sample: _Sample, shard: Shard) -> tuple[str | int | None, list[str]]:
    folders = sample.key.split("/")[:-1]
    if "cls" in sample.notes:
        return number_or_name(sample.notes["cls"].decode(errors="replace").strip()), folders
    if "json" in sample.notes:
        try:
            notes = json.loads(sample.notes["json"])
        except (ValueError, RecursionError) as error:
            raise wrong(f"{sample.key}.json of {shard.name} is no JSON ({error}). Write it anew.") from error
        said = [notes[name] for name in _LABELS if name in notes] if isinstance(notes, dict) else []
        if said:
            if isinstance(said[0], bool) or not isinstance(said[0], int | str | None):
                raise wrong(f"{sample.key}.json of {shard.name} has the label {said[0]!r}; one is a number or a name.")
            return None if said[0] is None else number_or_name(str(said[0]).strip()), folders
    return (folders[-1], folders[:-1]) if folders and folders[-1] not in ("", ".") else (None, [])


def number_or_name(text: str) -> str | int | None:
    """A label as it is written; a negative number says that there is none."""
    if _NUMBER.fullmatch(text):
        return int(text) if int(text) >= 0 else None
    return text or None
