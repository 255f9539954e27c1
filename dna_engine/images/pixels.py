"""How pixels become what networks see: normalisation, and what lies around an image to crop from. Torch-free."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

#: Normalisation of every image, that of timm's defaults: (x / 255 - MEAN) / STD per channel.
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)

#: Images up to this side are padded and shifted; larger ones are stored with a margin of their own pixels.
SMALL = 64


def margin(size: int) -> int:
    """Pixels around an image of that side that a canvas has to crop from."""
    return size // 14 if size > SMALL else size // 8


def preprocessing(size: int, classes: Sequence[str]) -> dict[str, Any]:
    """How a picture becomes an input: shorter side to ``resize``, the middle ``size`` pixels, (x / 255 - mean) / std."""
    around = margin(size) if size > SMALL else 0
    return {
        "resize": size + 2 * around,
        "size": size,
        "interpolation": "bilinear",
        "mean": list(MEAN),
        "std": list(STD),
        "classes": list(classes),
    }
