"""Checkpoint files as they lie on a disk: where the one before is kept, and whether one is as it was written. Torch-free.

A checkpoint is a safetensors file of tensors ``t0``, ``t1``, ... whose metadata holds the structure around them and the
SHA-256 of both: a file of the right length with wrong bytes would otherwise be trained on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from dna_engine.errors import DamagedCheckpoint

STRUCTURE = "structure"
SHA256 = "sha256"

_CHUNK = 1 << 20


def before(path: Path) -> Path:
    """Where the checkpoint lies that this one replaced."""
    return path.with_suffix(f".before{path.suffix}")


def digest(structure: str, contents: Iterable[Any]) -> str:
    """SHA-256 of a structure and the bytes of its tensors, in their order."""
    found = hashlib.sha256(structure.encode())
    for content in contents:
        found.update(content)
    return found.hexdigest()


def check(path: Path) -> None:
    """Reads the whole file. One without a SHA-256, from an earlier version, is only read.

    Raises:
        DamagedCheckpoint: it is not what was written.
    """
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            if size > path.stat().st_size:
                raise ValueError("its header is cut off")
            header = json.loads(file.read(size))
            metadata = header.pop("__metadata__")
            spans = [header[f"t{number}"]["data_offsets"] for number in range(len(header))]
            found = digest(metadata[STRUCTURE], _contents(file, 8 + size, spans))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedCheckpoint(path, str(error)) from error
    if metadata.get(SHA256, found) != found:
        raise DamagedCheckpoint(path, "its content is not what was written")


def _contents(file: IO[bytes], start: int, spans: Iterable[tuple[int, int]]) -> Iterator[bytes]:
    for begin, end in spans:
        file.seek(start + begin)
        left = end - begin
        while left:
            chunk = file.read(min(_CHUNK, left))
            if not chunk:
                raise ValueError("it is cut off")
            left -= len(chunk)
            yield chunk
