"""How pixels become what networks see: normalisation, and what lies around an image to crop from. Torch-free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from dna_engine.images.pictures.prepare import WHITE

#: Normalisation of every image, that of timm's defaults: (x / 255 - MEAN) / STD per channel.
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)

#: Images up to this side are padded and shifted; larger ones are stored with a margin of their own pixels.
SMALL = 64

#: Pictures that are made so many times larger show nothing more than they did.
ENLARGED = 2.0
#: Pictures that are so many times as long as wide lose half or more of themselves where a square is cut out.
ELONGATED = 2.0

#: How a picture that is no square becomes one, as :func:`~dna_engine.images.pictures.prepare.square` has it.
Fit = Literal["crop", "pad", "squash"]


@dataclass(frozen=True)
class Look:
    """What has to be said of the pictures of a set before they can be seen as RGB squares.

    Attributes:
        fit: how one that is no square becomes one.
        background: a colour as Pillow reads it, below what is transparent and beside what is padded.
        white: value of 16 bits of grey that is white.
    """

    fit: Fit = "crop"
    background: str = "white"
    white: int = WHITE


PLAIN = Look()


def margin(size: int) -> int:
    """Pixels around an image of that side that a canvas has to crop from."""
    return size // 14 if size > SMALL else size // 8


def zoomed(size: int, fit: Fit) -> int:
    """What a square is resized to before its middle is taken: large images that are cropped lose their margin, others are kept whole."""
    return size + 2 * margin(size) if size > SMALL and fit == "crop" else size


def preprocessing(size: int, classes: Sequence[str], look: Look = PLAIN) -> dict[str, Any]:
    """How a picture becomes an input, for :func:`~dna_engine.images.pictures.prepare.prepare`: made a square of ``resize`` pixels by ``fit``, the
    middle ``size`` pixels, (x / 255 - mean) / std.
    """
    return {
        "fit": look.fit,
        "resize": zoomed(size, look.fit),
        "size": size,
        "background": look.background,
        "white": look.white,
        "interpolation": "bilinear",
        "mean": list(MEAN),
        "std": list(STD),
        "classes": list(classes),
    }
