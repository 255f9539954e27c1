"""Archives of a network's files; the same files give the same bytes."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from inspect import getsource
from pathlib import Path

from dna_engine.images.pictures import prepare
from dna_engine.plans import files

_NAMES = (files.ARCHITECTURE, files.WEIGHTS, files.ONNX, files.ONNX_INT8, files.TRAINING, files.EXPORT)


def write_bundle(folder: Path, card: str) -> None:
    """All that a user needs of the network in a folder: its files, its card and what makes inputs of pictures."""
    held = {name: (folder / name).read_bytes() for name in _NAMES if (folder / name).exists()}
    write_archive(
        folder / files.BUNDLE, {"README.md": card.encode(), "prepare.py": getsource(prepare).encode(), **held}
    )


def write_archive(path: Path, content: Mapping[str, bytes]) -> None:
    """A zip of files by their names in it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
