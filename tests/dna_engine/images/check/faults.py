"""What is wrong with a picture."""

from __future__ import annotations

from dna_engine.images.check.facts import Fault, examine
from dna_engine.images.pictures.file import PictureFile


def fault(path: PictureFile) -> str | None:
    """None where nothing is."""
    found = examine(path)
    return found.reason if isinstance(found, Fault) else None
