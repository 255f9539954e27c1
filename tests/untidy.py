"""Untidy datasets as people have them, made of pictures of a few pixels: files by their names, to be written or packed.

``DATASETS`` holds one maker for every habit, ``untidy_pictures.PICTURES`` one for every kind of picture; a test names the one it is about.
"""

from __future__ import annotations

import io
import json
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


class _Silent(zipfile.ZipInfo):
    """An entry with a name of bytes, and no word on their encoding."""

    def __init__(self, name: bytes) -> None:
        super().__init__(name.hex())
        self.raw = name

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802
        return self.raw, 0


def named_in(encoding: str, files: Files, *, separator: str = "/") -> bytes:
    """A zip as old programs write it: names in a code page, without a word on which."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(_Silent(name.replace("/", separator).encode(encoding)), content)
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


#: The beginning of a picture that is not read.
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"

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

_FLAT = pictures("1.png", "2.png", "3.png", "4.png")
_SIX = {f"images/{name}": content for name, content in pictures(*(f"{number}.png" for number in range(6))).items()}
_BY_CSV = "".join(f"{number}.png,{('cat', 'dog')[number % 2]}\n" for number in range(6))


def _of_hugging_face(split: str) -> dict[str, bytes]:
    table = "file_name,text,label\n" + "".join(
        f"{number}.jpg,a pet,{('cat', 'dog')[number % 2]}\n" for number in range(4)
    )
    return {
        f"{split}/metadata.csv": table.encode(),
        **pictures(*(f"{split}/{number}.jpg" for number in range(4)), form="JPEG"),
    }


def _in_json_lines(split: str) -> dict[str, bytes]:
    rows = (
        json.dumps({"file_name": f"images/{number}.png", "label": ("cat", "dog")[number % 2]}) for number in range(4)
    )
    return {
        f"{split}/metadata.jsonl": "\n".join(rows).encode(),
        **pictures(*(f"{split}/images/{number}.png" for number in range(4))),
    }


def _by_csv(rows: str, files: Files = _FLAT) -> dict[str, bytes]:
    return {**files, "labels.csv": rows.encode()}


#: Folders, by the habit they show.
DATASETS: dict[str, Callable[[], Files]] = {
    "Training and Testing": lambda: classes("Training/", "Testing/"),
    "Train and Val": lambda: classes("pets/Train/", "pets/Val/"),
    "three splits": lambda: {**classes("train/", "val/"), **classes("test/", count=3)},
    "three splits in Spanish": lambda: classes("entrenamiento/", "Validación/", "PRUEBA/"),
    "test without labels": lambda: {**classes("train/", "val/"), **pictures("test/1.png", "test/2.png")},
    "a class called train": lambda: classes("", names=("bus", "car", "train"), count=4),
    "folds": lambda: pictures("fold1/1.png", "fold1/2.png", "fold2/3.png", "fold2/4.png"),
    "masks": lambda: pictures("images/1.png", "images/2.png", "masks/1.png", "masks/2.png"),
    "an empty class": lambda: {**classes(""), "owl/": b""},
    "a class of HEIC": lambda: {**classes(""), "owl/0.heic": HEIC, "owl/1.heic": HEIC},
    "a class of camera raw": lambda: {**classes(""), "owl/0.nef": picture(form="TIFF")},
    "odd names": lambda: {
        **pictures("apple/1.jfif", "apple/2.JPE", "apple/3", form="JPEG"),
        **pictures("owl/1.avif", "owl/2.heic", "owl/3.dat", form="AVIF"),
    },
    "clutter": lambda: {**classes(""), **CLUTTER},
    "flat": lambda: _FLAT,
    "labels in a CSV": lambda: {
        "labels.csv": f"image,label\n{_BY_CSV}gone.png,cat\n".encode(),
        "images/unlabelled.png": picture(),
        **_SIX,
    },
    "labels of a spreadsheet": lambda: {
        "Bilder/Tabelle.csv": (
            "Nr;Image Name;Class\r\n" + "".join(f"{n};{n};{('Bär', 'dog')[n % 2]}\r\n" for n in range(6))
        ).encode("cp1252"),
        **{f"Bilder/{name}": content for name, content in _SIX.items()},
    },
    "labels in a folder of their own": lambda: {"annotations/labels.csv": _BY_CSV.encode(), **_SIX},
    "labels with parts": lambda: _by_csv(
        "path,class,split\n"
        + "".join(
            f".\\images\\{n}.png,{('cat', 'dog')[n % 2]},{('Train', 'valid', 'TEST')[n // 4]}\n" for n in range(12)
        ),
        pictures(*(f"images/{n}.png" for n in range(12))),
    ),
    "labels in JSON": lambda: {
        "dataset.json": json.dumps({"labels": [[f"images/{number}.png", number % 2] for number in range(6)]}).encode(),
        **_SIX,
    },
    "image folder of Hugging Face": lambda: {**_of_hugging_face("train"), **_of_hugging_face("test")},
    "image folder in JSON lines": lambda: {**_in_json_lines("train"), **_in_json_lines("validation")},
    "train.csv": lambda: {
        "train.csv": ("id,breed\n" + _BY_CSV.replace(".png", "")).encode(),
        **{name.replace("images", "train"): content for name, content in _SIX.items()},
        **pictures("test/0.png", "test/1.png"),
        "sample_submission.csv": b"id,label\n0,cat\n1,cat\n",
    },
    "labelled images with masks": lambda: {
        **DATASETS["masks"](),
        **pictures("images/3.png", "images/4.png"),
        "labels.json": json.dumps(
            {"cat": ["images/1.png", "images/2.png"], "dog": ["images/3.png", "images/4.png"]}
        ).encode(),
    },
    "a table without labels": lambda: {**_FLAT, "info.csv": b"camera,lens\nA,1\n"},
    "labels of other pictures": lambda: _by_csv("name,label\na.png,cat\nb.png,dog\n"),
    "two labels": lambda: _by_csv("name,label\n1.png,cat\n1.png,dog\n"),
    "a label that is a path": lambda: _by_csv("name,label\n1.png,cat\n2.png,../dog\n"),
    "one label in two ways": lambda: _by_csv("1.png,cat\n2.png,Cat\n3.png,cat\n4.png,Cat\n"),
    "a label with an unknown part": lambda: _by_csv("name,label,split\n1.png,cat,train\n2.png,dog,somewhere\n"),
}
