"""Small shards, made of pictures of one shade each."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.dna_engine.images.test_arrange import picture

#: Of a class, by its number: five pictures, none like another.
SHADES = {label: [label * 40 + number for number in range(5)] for label in range(2)}


def tar(path: Path, files: Mapping[str, bytes]) -> Path:
    """A tar of those files, in that order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as packed:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            packed.addfile(entry, io.BytesIO(content))
    return path


def web_dataset(shades: Mapping[int, Sequence[int]] = SHADES, first: int = 0) -> dict[str, bytes]:
    """Files of a WebDataset: a picture and its class, sample after sample, the classes in turn."""
    files: dict[str, bytes] = {}
    pairs = sorted((place, label, shade) for label, list_ in shades.items() for place, shade in enumerate(list_))
    for number, (_, label, shade) in enumerate(pairs, first):
        files[f"{number:05}.png"] = picture(shade)
        files[f"{number:05}.cls"] = str(label).encode()
    return files


def table(
    path: Path,
    labels: Sequence[object],
    *,
    names: Sequence[str] | None = None,
    rows: int = 3,
    columns: tuple[str, str] = ("image", "label"),
    content: Sequence[Any] | None = None,
) -> Path:
    """A Parquet file as Hugging Face writes it, in groups of ``rows``."""
    image, label = columns
    cells = content or [{"bytes": picture(shade), "path": f"{shade}.png"} for shade in range(len(labels))]
    notes = {}
    if names is not None:
        features = {image: {"_type": "Image"}, label: {"names": list(names), "_type": "ClassLabel"}}
        notes = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
    path.parent.mkdir(parents=True, exist_ok=True)
    made = pa.table({image: cells, label: list(labels)}).replace_schema_metadata(notes)
    pq.write_table(made, path, row_group_size=rows)
    return path
