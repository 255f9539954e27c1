"""Where every picture of sharded data lies: made once, by the check, so that any picture is read alone and in any order.

So the order of a search stays a function of its seed and step, whoever reads, on however many workers, and after an interruption.
"""

from __future__ import annotations

import json
import random
from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from dna_engine.images.check.report import Finding, Findings, Level
from dna_engine.images.layout.layout import TEST_SHARE
from dna_engine.images.shards import parquet, tars
from dna_engine.images.shards.places import TAR, Place, Shard, file_system, reached, wrong
from dna_engine.images.shards.samples import Found, class_name, labels_in_order, split_of

Numbers = np.ndarray[Any, np.dtype[Any]]

#: Told how many of how many are done.
Told = Callable[[int, int], None]
#: Shards that are read at once.
_AT_ONCE = 8
#: Bytes that are read ahead of a tar, which is read from its start to its end.
_AHEAD = 8 << 20
#: Bytes of a name that are kept.
_NAME = 100
#: Names that are told before the others are counted.
_TOLD = 5


def unheard(done: int, total: int) -> None:
    """For who tells nobody."""


@dataclass(frozen=True)
class Part:
    """Pictures in the order of the shards: which shard, where in it (bytes of a tar, row of a Parquet file), how many bytes of a tar, the
    group of rows, the class, and the end of what it is called in the shard, in UTF-8."""

    shard: Numbers
    start: Numbers
    size: Numbers
    group: Numbers
    label: Numbers
    name: Numbers


@dataclass(frozen=True)
class Index:
    """The shards at a URL, the classes, the parts of the dataset (``train`` and ``test``, perhaps ``val``), and what is left out."""

    place: Place
    classes: list[str]
    parts: dict[str, Part]
    findings: list[Finding]

    @property
    def fingerprint(self) -> str:
        return self.place.fingerprint


def make(place: Place, *, told: Told = unheard, stopped: Callable[[], bool] = lambda: False) -> Index:
    """Reads tars from end to end and the labels of Parquet files, several at once; no picture is opened.

    Args:
        told: how many shards of how many have been read.

    Raises:
        DataError: a shard cannot be read, or the whole is no dataset.
        Interrupted: it was stopped.
    """
    maker = Maker(place)
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        for number, found in enumerate(pool.map(partial(_found_in, place, stopped), place.shards)):
            maker.note(number, found)
            told(number + 1, len(place.shards))
    finally:
        pool.shutdown(cancel_futures=True)
    return maker.index()


def _found_in(place: Place, stopped: Callable[[], bool], shard: Shard) -> list[Found]:
    reader = tars.read if place.suffix == TAR else parquet.read
    fs = file_system(place.url)
    with (
        reached(f"{shard.name} at {place.url}"),
        fs.open(shard.path, "rb", cache_type="readahead", block_size=_AHEAD) as file,
    ):
        return list(reader(shard, file, stopped))


class Maker:
    """Notes samples as they pass; some hundred bytes each."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._columns = {"shard": array("I"), "start": array("Q"), "size": array("I"), "group": array("I")}
        self._labels, self._splits = array("q"), array("b")
        self._names: list[bytes] = []
        self._numbers: dict[str | int, int] = {}
        self._unlabelled: dict[str, list[str]] = {}

    def note(self, number: int, pictures: Sequence[Found]) -> None:
        """Takes in the pictures of a shard."""
        shard = self._place.shards[number]
        named = split_of([shard.name])
        for found in pictures:
            split = named or split_of(found.folders) or ""
            if found.label is None:
                without = self._unlabelled.setdefault(split, [])
                if len(without) < _TOLD:
                    without.append(f"{shard.name}/{found.name}")
            values = (number, found.start, found.size, found.group)
            for column, value in zip(self._columns.values(), values, strict=True):
                column.append(value)
            known = -1 if found.label is None else self._numbers.setdefault(found.label, len(self._numbers))
            self._labels.append(known)
            self._names.append(found.name.encode(errors="replace")[-_NAME:])
            self._splits.append(_SPLITS.index(split))

    def index(self) -> Index:
        """Of all samples that were noted.

        Raises:
            DataError: they are no dataset: of no class or one, without labels, or without images to train with.
        """
        labels, splits = np.asarray(self._labels), np.asarray(self._splits)
        self._refuse_half_named(splits)
        findings = self._tell(labels, splits)
        order = labels_in_order(set(self._numbers))
        place_of = np.zeros(len(order) + 1, dtype=np.int64)
        for number, label in enumerate(order):
            place_of[self._numbers[label]] = number
        columns = {name: np.asarray(column) for name, column in self._columns.items()}
        columns |= {"label": place_of[labels], "name": np.array(self._names)}
        parts = {
            split or "train": _where(columns, (splits == code) & (labels >= 0))
            for code, split in enumerate(_SPLITS)
            if ((splits == code) & (labels >= 0)).any()
        }
        classes = [class_name(label, self._place.url) for label in order]
        return Index(self._place, classes, _complete(parts, classes), findings.all())

    def _refuse_half_named(self, splits: Numbers) -> None:
        if len(splits) == 0:
            raise wrong(f"The shards at {self._place.url} hold no pictures. {_LABELLED}")
        if (splits == 0).any() and (splits != 0).any():
            without = self._place.shards[int(self._columns["shard"][int(np.argmax(splits == 0))])].name
            raise wrong(
                f"{without} is named after no part of the dataset, though others are. Call it train, val or test, too."
            )

    def _tell(self, labels: Numbers, splits: Numbers) -> Findings:
        """Parts without labels, but for those to train with, which are refused; and what lies beside the shards."""
        findings = Findings()
        for split, names in sorted(self._unlabelled.items()):
            of_it = splits == _SPLITS.index(split)
            without = int((of_it & (labels < 0)).sum())
            if split in ("", "train") or without < of_it.sum():
                raise wrong(f"{without:,} of {of_it.sum():,} pictures have no label ({', '.join(names)}). {_LABELLED}")
            text = f"The {without:,} pictures of {split} have no labels, and are left out."
            findings.add(f"unlabelled_{split}", Level.NOTE, text, count=without)
        if others := self._place.others:
            findings.add("other_files", Level.NOTE, "What is no shard is left out.", others)
        return findings


#: Parts by their number in an index that is being made; the first is that of samples of which nothing says where they belong.
_SPLITS = ("", "train", "val", "test")
_LABELLED = (
    "In a .tar a picture NAME.jpg has its class in NAME.cls or in the field label of NAME.json, or lies in the folder of its class; "
    "in a .parquet file it is in the column label."
)


def _where(columns: dict[str, Numbers], chosen: Numbers) -> Part:
    return Part(**{name: column[chosen] for name, column in columns.items()})


def _complete(parts: dict[str, Part], classes: Sequence[str]) -> dict[str, Part]:
    """With test images: where there are none, ``val`` becomes them; where there is neither, a fifth of every class, the same for the same
    shards.

    Raises:
        DataError: there is nothing to train with, one class, or a class in one part only.
    """
    if "train" not in parts:
        raise wrong(f"There are no images to train with, only {' and '.join(parts)}. Name some shards train.")
    if len(classes) < 2:
        raise wrong(f"There is one class, {', '.join(classes)}; at least two are needed.")
    if len(parts) == 1:
        return _keep_some(parts["train"], classes)
    for split, part in parts.items():
        if lacking := set(range(len(classes))) - set(np.unique(part.label).tolist()):
            raise wrong(
                f"The images of {split} have none of {classes[min(lacking)]}: every class needs images to train and to test with. "
                "Add some, or leave the class out."
            )
    return parts if "test" in parts else {"train": parts["train"], "test": parts["val"]}


def _keep_some(whole: Part, classes: Sequence[str]) -> dict[str, Part]:
    kept = np.zeros(len(whole.label), dtype=bool)
    for number, name in enumerate(classes):
        places = np.flatnonzero(whole.label == number).tolist()
        if len(places) < 2:
            raise wrong(f"The class {name!r} has one image; it needs at least two, one to train and one to test with.")
        kept[random.Random(name).sample(places, max(1, round(TEST_SHARE * len(places))))] = True
    return {"train": _where(vars(whole), ~kept), "test": _where(vars(whole), kept)}


def save(index: Index, path: Path) -> None:
    """Writes it into one file; some ten bytes a picture."""
    place = index.place
    notes = {
        "url": place.url,
        "shards": [shard.model_dump() for shard in place.shards],
        "classes": index.classes,
        "findings": [finding.model_dump(mode="json") for finding in index.findings],
    }
    columns = {f"{split}.{name}": column for split, part in index.parts.items() for name, column in vars(part).items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        np.savez_compressed(file, notes=np.frombuffer(json.dumps(notes).encode(), dtype=np.uint8), **columns)


def load(path: Path) -> Index:
    """The reverse of :func:`save`."""
    with np.load(path, allow_pickle=False) as file:
        notes = json.loads(file["notes"].tobytes())
        splits = Counter(name.partition(".")[0] for name in file.files if "." in name)
        parts = {
            split: Part(**{name: file[f"{split}.{name}"] for name in Part.__dataclass_fields__}) for split in splits
        }
    place = Place(notes["url"], [Shard.model_validate(shard) for shard in notes["shards"]])
    findings = [Finding.model_validate(finding) for finding in notes["findings"]]
    return Index(place, notes["classes"], parts, findings)
