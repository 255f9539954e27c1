"""Pictures of any size as squares of pixels: whole with a margin, the middle, or a random crop."""

from __future__ import annotations

import random

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from dna_engine.images.pictures.pixels import PLAIN, Look, margin, zoomed
from dna_engine.images.pictures.prepare import centre, square


def random_crop(picture: Image.Image, size: int, rng: random.Random, *, flip: bool, look: Look = PLAIN) -> Image.Image:
    """A quarter to all of the area, resized to ``size``; its aspect ratio is 3/4 to 4/3, or where pictures are kept whole so many times
    that of the picture. One pixel at least, whatever the picture.
    """
    width, height = picture.size
    share, ratio = rng.uniform(0.25, 1.0), rng.uniform(3 / 4, 4 / 3)
    if look.fit == "crop":
        area = share * width * height
        across, down = (area * ratio) ** 0.5, (area / ratio) ** 0.5
    else:
        across, down = width * (share * ratio) ** 0.5, height * (share / ratio) ** 0.5
    w, h = max(1, min(width, round(across))), max(1, min(height, round(down)))
    left, top = rng.randint(0, width - w), rng.randint(0, height - h)
    box = (left, top, left + w, top + h)
    if look.fit == "crop":
        crop = picture.resize((size, size), Image.Resampling.BILINEAR, box=box)
    else:
        crop = _squared(picture.crop(box), size, look)
    return crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if flip and rng.random() < 0.5 else crop


def middle(picture: Image.Image, size: int, look: Look = PLAIN) -> Image.Image:
    """The square of ``size`` in the middle: what is left of a canvas without its margin."""
    return centre(_squared(picture, zoomed(size, look.fit), look), size)


def canvas(picture: Image.Image, size: int, look: Look = PLAIN) -> Tensor:
    """An image with its margin: its own pixels, or one colour around what is kept whole."""
    side = size + 2 * margin(size)
    inner = _squared(picture, zoomed(size, look.fit), look)
    whole = Image.new("RGB", (side, side), "black" if look.fit == "crop" else look.background)
    whole.paste(inner, 2 * ((side - inner.width) // 2,))
    return pixels_of(whole)


def pixels_of(picture: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).contiguous()


def _squared(picture: Image.Image, size: int, look: Look) -> Image.Image:
    return square(picture, size, fit=look.fit, background=look.background)
