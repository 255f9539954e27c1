"""Pictures of shards, by number: read from where they lie, a stretch of a tar or a group of rows of a Parquet file."""

from __future__ import annotations

import shutil
import threading
import uuid
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from dna_engine.errors import DataError, DatasetChanged
from dna_engine.images.albums import Albums, datasets_root, describe, upload_folder
from dna_engine.images.check.subject import Subject
from dna_engine.images.info import DatasetInfo
from dna_engine.images.pictures.file import FetchedFile, HeldFile
from dna_engine.images.pictures.picture import open_picture, size_of
from dna_engine.images.pictures.pixels import PLAIN, Look
from dna_engine.images.seen import Seen
from dna_engine.images.shards import index as indexes
from dna_engine.images.shards import parquet
from dna_engine.images.shards.index import Index, Part
from dna_engine.images.shards.places import TAR, Shard, file_system, look, name_of, reached

#: What the index of a dataset is called, in the folder that a machine has for it.
INDEX = "index.npz"
#: Groups of rows stay on the disk as long as so much of it remains free.
_FREE = 0.1


@dataclass(frozen=True)
class ShardAlbum:
    """One part of an index; ``folder`` is this machine's for the dataset, None where nothing is kept."""

    index: Index
    part: Part
    folder: Path | None

    @cached_property
    def labels(self) -> list[int]:
        return [int(label) for label in self.part.label]

    @property
    def distant(self) -> bool:
        return not self.index.place.url.startswith("file://")

    def picture(self, index: int, look: Look = PLAIN, /) -> Image.Image:
        return open_picture(self.file(index), look)

    def size(self, index: int) -> tuple[int, int]:
        return size_of(self.file(index))

    def file(self, index: int) -> HeldFile:
        """The picture's bytes.

        Raises:
            DataError: they cannot be read.
        """
        shard = self.index.place.shards[int(self.part.shard[index])]
        start, size = int(self.part.start[index]), int(self.part.size[index])
        with reached(f"{shard.name} at {self.index.place.url}"):
            if self.index.place.suffix == TAR:
                fs = file_system(self.index.place.url)
                content = fs.cat_file(shard.path, start=start, end=start + size)
            else:
                groups = Groups(self.index, self.folder)
                content = groups.content(int(self.part.shard[index]), int(self.part.group[index]), start)
        if size not in (0, len(content)):
            raise DataError(
                f"{shard.name} is not what it was when the dataset was made: make it anew.", param="dataset"
            )
        return HeldFile(self.name(index), content)

    def name(self, index: int) -> str:
        """What the picture is called: its shard, and its name there."""
        shard = self.index.place.shards[int(self.part.shard[index])]
        return f"{shard.name}/{bytes(self.part.name[index]).decode(errors='replace')}"


@dataclass(frozen=True)
class Groups:
    """Groups of rows of Parquet files, each kept on this machine's disk when one of its rows was first needed, for all who read the
    dataset here; they go with its folder. Where there is none, or the disk is nearly full, the last groups are held instead."""

    index: Index
    folder: Path | None

    def content(self, shard: int, group: int, row: int) -> bytes:
        """The picture of a row."""
        kept = None if self.folder is None else self._kept(self.folder / "groups" / f"{shard}-{group}", shard, group)
        if kept is None:
            with _one_by_one:
                first, pictures = _held(self.index.place.url, self.index.place.shards[shard], group)
            return pictures[row - first]
        with kept.open("rb") as file:
            head = np.frombuffer(file.read(16), dtype=np.int64)
            file.seek(16 + 8 * (row - int(head[0])))
            start, end = np.frombuffer(file.read(16), dtype=np.int64).tolist()
            file.seek(16 + 8 * (int(head[1]) + 1) + start)
            return file.read(end - start)

    def _kept(self, place: Path, shard: int, group: int) -> Path | None:
        """The file of a group, where there is one or room for it. It appears whole; who reads the same group at this moment writes the
        same."""
        if place.exists():
            return place
        place.parent.mkdir(parents=True, exist_ok=True)
        disk = shutil.disk_usage(place.parent)
        if disk.free < _FREE * disk.total:
            return None
        first, pictures = _read(self.index.place.url, self.index.place.shards[shard], group)
        ends = np.cumsum([0, *map(len, pictures)], dtype=np.int64)
        beside = place.with_name(f".{place.name}.{uuid.uuid4().hex}")
        try:
            with beside.open("wb") as file:
                file.write(np.array([first, len(pictures)], dtype=np.int64).tobytes() + ends.tobytes())
                file.writelines(pictures)
            return beside.replace(place)
        except OSError:
            return None
        finally:
            beside.unlink(missing_ok=True)


def _read(url: str, shard: Shard, group: int) -> tuple[int, list[bytes]]:
    with file_system(url).open(shard.path, "rb") as file:
        return parquet.pictures_of_group(shard, file, group)


_held, _one_by_one = lru_cache(maxsize=2)(_read), threading.Lock()


def subject_of(index: Index) -> Subject:
    """For a check: the pictures in the order of the shards, which are read once so, and kept nowhere."""
    albums = [ShardAlbum(index, part, None) for part in index.parts.values()]
    columns = [np.concatenate([getattr(part, name) for part in index.parts.values()]) for name in ("start", "shard")]
    splits = np.repeat(np.arange(len(albums)), [len(album.part.label) for album in albums])
    places = np.concatenate([np.arange(len(album.part.label)) for album in albums])
    order = np.lexsort(columns)
    return Subject(
        classes=index.classes,
        parts=list(index.parts),
        files=[_fetched(albums[splits[number]], int(places[number])) for number in order],
        splits=splits[order],
        labels=np.concatenate([album.part.label for album in albums])[order],
        findings=index.findings,
    )


def _fetched(album: ShardAlbum, index: int) -> FetchedFile:
    return FetchedFile(album.name(index), lambda: album.file(index).content)


def open_shards(fingerprint: str) -> Albums:
    """The pictures of shards whose index lies on this machine.

    Raises:
        DataError: it does not, or the shards cannot be reached.
        DatasetChanged: they are not what they were when the index was made.
    """
    folder = upload_folder(datasets_root(), fingerprint)
    if not (folder / INDEX).is_file():
        raise DataError(f"The index of the dataset has not been laid down here, as {folder / INDEX}.", param="dataset")
    index = indexes.load(folder / INDEX)
    if look(index.place.url).fingerprint != fingerprint:
        raise DatasetChanged(
            f"The shards at {index.place.url} are not those that the dataset was made of: they were written anew, or some were added or "
            "removed. What the job has made so far is kept. Make a dataset of them as they are now, and a new job on that.",
            param="dataset",
        )
    return albums_of(index, folder)


def albums_of(index: Index, folder: Path | None) -> Albums:
    """Its pictures; ``folder`` is this machine's for the dataset, None where nothing is kept."""
    return Albums(**{split: ShardAlbum(index, part, folder) for split, part in index.parts.items()})


def describe_shards(name: str, index: Index, seen: Seen | None = None) -> DatasetInfo:
    """What is known of the dataset; where nobody has seen its pictures, the heads of a few are read.

    Raises:
        DataError: one of those cannot be read.
    """
    info = describe(name, "shards", index.fingerprint, albums_of(index, None), class_names=index.classes, seen=seen)
    return info.model_copy(update={"left_out": [finding.sentence for finding in index.findings]})


def survey_url(url: str) -> DatasetInfo:
    """What is known of the shards at a URL; where this machine has no index of them as they are now, one is made.

    Raises:
        DataError: there is no dataset, or it cannot be reached.
    """
    place = look(url)
    folder = upload_folder(datasets_root(), place.fingerprint)
    if (folder / INDEX).is_file():
        index = indexes.load(folder / INDEX)
    else:
        index = indexes.make(place)
        indexes.save(index, folder / INDEX)
    return describe_shards(name_of(url), index)
