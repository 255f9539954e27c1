"""What kind of file a file is, by its first bytes: names say what people hope. Torch-free.

A file is taken for a picture where it begins like one of a format that is read, whatever it is called. Names alone are believed
where they save the looking: ``photo.jpg`` is taken for a picture unseen, and the check opens it.
"""

from __future__ import annotations

import re
from pathlib import Path

from dna_engine.images.pictures.foreign import HEAD, RAW
from dna_engine.images.pictures.picture import is_picture

_PICTURES = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|GIF8[79]a|RIFF....WEBP|II(?:\*\0|\+\0\x08)|MM(?:\0\*|\0\+\0\x08)|P[1-6][ \t\r\n]+[\d#]"
    rb"|BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0|....ftyp(?:avif|avis)",
    re.DOTALL,
)
#: What is read of a table of names and labels.
_TABLES = frozenset({".csv", ".tsv", ".json", ".jsonl"})


def looks_like_picture(name: str, head: bytes) -> bool:
    """Whether a file of that name that begins with ``head`` (:data:`HEAD` bytes, or all) is taken for a picture."""
    return is_picture(name) or (Path(name).suffix.lower() not in RAW and _PICTURES.match(head) is not None)


def is_picture_file(path: Path) -> bool:
    """The same of a file, which is opened only where its name does not say so; one that cannot be opened is none."""
    if is_picture(path.name):
        return True
    try:
        with path.open("rb") as file:
            return looks_like_picture(path.name, file.read(HEAD))
    except OSError:
        return False


def is_wanted(name: str, head: bytes) -> bool:
    """Whether a file may be of use to a dataset: a picture, or a table of names and labels."""
    return is_table(name) or looks_like_picture(name, head)


def is_table(name: str) -> bool:
    """Whether a file of that name may say which picture has which label."""
    return Path(name).suffix.lower() in _TABLES


#: What is read, in words.
READ = "AVIF, BMP, GIF, JPEG, PNG, PPM, TIFF and WebP are read, whatever they are called"
