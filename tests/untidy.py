"""Untidy datasets as people have them, made of pictures of a few pixels: files by their names, to be written or packed.

``DATASETS`` holds one maker for every habit, ``untidy_pictures.PICTURES`` one for every kind of picture; a test names the one it is about.
"""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

#: Contents by names below a folder; a name that ends in a slash is an empty folder.
Files = Mapping[str, bytes]


def picture(
    shade: int = 0, form: str = "PNG", *, mode: str = "RGB", size: tuple[int, int] = (12, 10), **save: Any
) -> bytes:
    """A picture of one colour, as a file of that format."""
    out = io.BytesIO()
    Image.new("RGB", size, (shade % 256, shade // 256 % 256, 0)).convert(mode).save(out, form, **save)
    return out.getvalue()


def pictures(*names: str, form: str = "PNG") -> dict[str, bytes]:
    """Pictures of these names, each of another shade."""
    return {name: picture(shade, form) for shade, name in enumerate(names)}


def classes(
    *splits: str, names: Sequence[str] = ("cat", "dog"), count: int = 2, suffix: str = ".png"
) -> dict[str, bytes]:
    """``count`` pictures of every class below each of the splits (``train/``), or at the top (an empty name)."""
    return pictures(
        *(f"{split}{name}/{number}{suffix}" for split in splits for name in names for number in range(count))
    )


def write(root: Path, files: Files) -> Path:
    """Lays the files down below ``root``."""
    for name, content in files.items():
        path = root / name
        (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
        if not name.endswith("/"):
            path.write_bytes(content)
    return root


def zipped(files: Files) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def tarred(files: Files, mode: str = "w") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            member.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


#: What systems, editors and notebooks leave in folders.
CLUTTER: Files = {
    ".DS_Store": b"\0\0\0\1Bud1",
    "__MACOSX/cat/._0.png": b"\0\5\x16\7",
    "cat/._0.png": b"\0\5\x16\7",
    "cat/Thumbs.db": b"\xd0\xcf\x11\xe0",
    "dog/desktop.ini": b"[.ShellClassInfo]",
    ".ipynb_checkpoints/0-checkpoint.png": picture(),
    "cat/.ipynb_checkpoints/0-checkpoint.png": picture(),
}

#: Folders, by the habit they show.
DATASETS: dict[str, Callable[[], Files]] = {
    "Training and Testing": lambda: classes("Training/", "Testing/"),
    "three splits": lambda: {**classes("train/", "val/"), **classes("test/", count=3)},
    "test without labels": lambda: {**classes("train/", "val/"), **pictures("test/1.png", "test/2.png")},
    "a class called train": lambda: classes("", names=("bus", "car", "train")),
    "folds": lambda: pictures("fold1/1.png", "fold1/2.png", "fold2/3.png", "fold2/4.png"),
    "masks": lambda: pictures("images/1.png", "images/2.png", "masks/1.png", "masks/2.png"),
    "an empty class": lambda: {**classes(""), "owl/": b""},
    "clutter": lambda: {**classes(""), **CLUTTER},
}
