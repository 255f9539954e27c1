"""A few pictures of each class, small, for people to see whether they are what the class is called. Torch-free.

They lie in one zip: ``samples.json`` lists them class by class, and each is a JPEG that this module has encoded, so that nothing
of a stranger's file is in it.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from PIL import Image
from pydantic import BaseModel, ConfigDict, TypeAdapter

from dna_engine.images.check.report import Shown

#: Pictures of a class, and their longer side in pixels at most.
EACH, SIDE = 10, 128
_INDEX = "samples.json"


class Sample(BaseModel):
    """A picture: ``name`` as the user has it, with its split; ``width`` and ``height`` as it was sent."""

    model_config = ConfigDict(frozen=True)

    name: Shown
    width: int
    height: int


_ADAPTER = TypeAdapter(list[list[Sample]])


class SampleWriter:
    """Writes the zip, class by class in their order, while the ``with`` block lasts."""

    def __init__(self, target: Path | IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(target, "w", zipfile.ZIP_STORED)
        self._index: list[list[Sample]] = []

    def __enter__(self) -> SampleWriter:
        return self

    def __exit__(self, *_: object) -> None:
        with self._zip:
            self._zip.writestr(_INDEX, json.dumps(_ADAPTER.dump_python(self._index)))

    def add_class(self, pictures: Iterator[tuple[str, Image.Image]]) -> None:
        """The next class: RGB pictures with their names."""
        samples: list[Sample] = []
        for name, picture in pictures:
            samples.append(Sample(name=name, width=picture.width, height=picture.height))
            picture.thumbnail((SIDE, SIDE))
            out = io.BytesIO()
            picture.save(out, "JPEG", quality=85)
            self._zip.writestr(_member(len(self._index), len(samples) - 1), out.getvalue())
        self._index.append(samples)


def read_index(archive: IO[bytes]) -> list[list[Sample]]:
    """The samples of each class."""
    with zipfile.ZipFile(archive) as opened:
        return _ADAPTER.validate_json(opened.read(_INDEX))


def read_sample(archive: IO[bytes], label: int, number: int) -> bytes | None:
    """A JPEG; None where there is none of that number."""
    with zipfile.ZipFile(archive) as opened:
        try:
            return opened.read(_member(label, number))
        except KeyError:
            return None


def spread(names: Sequence[int]) -> list[int]:
    """Those that are shown of a class's pictures: evenly spread, always the same."""
    taken = min(EACH, len(names))
    return [names[place * len(names) // taken] for place in range(taken)]


def _member(label: int, number: int) -> str:
    return f"{label}/{number}.jpg"
