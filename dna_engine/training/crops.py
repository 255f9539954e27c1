"""Pictures of any size as squares of pixels: whole with a margin, the middle, or a random crop."""

from __future__ import annotations

import random

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from dna_engine.images.pixels import SMALL, margin


def random_crop(picture: Image.Image, size: int, rng: random.Random, *, flip: bool) -> Image.Image:
    """A quarter to all of the area, aspect ratio 3/4 to 4/3, resized to ``size``."""
    width, height = picture.size
    area, ratio = rng.uniform(0.25, 1.0) * width * height, rng.uniform(3 / 4, 4 / 3)
    w, h = min(width, round((area * ratio) ** 0.5)), min(height, round((area / ratio) ** 0.5))
    left, top = rng.randint(0, width - w), rng.randint(0, height - h)
    crop = picture.resize((size, size), Image.Resampling.BILINEAR, box=(left, top, left + w, top + h))
    return crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if flip and rng.random() < 0.5 else crop


def middle(picture: Image.Image, size: int) -> Image.Image:
    """The square of ``size`` in the middle: what is left of a canvas without its margin."""
    cut = (zoomed(size) - size) // 2
    return square(picture, zoomed(size)).crop((cut, cut, cut + size, cut + size))


def square(picture: Image.Image, size: int) -> Image.Image:
    """The largest square in the middle, resized to ``size``."""
    width, height = picture.size
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    return picture.resize((size, size), Image.Resampling.BILINEAR, box=(left, top, left + side, top + side))


def zoomed(size: int) -> int:
    """What the shorter side is resized to: large images lose their margin, small ones are kept whole."""
    return size + 2 * margin(size) if size > SMALL else size


def pixels_of(picture: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).contiguous()


def canvas(picture: Image.Image, size: int) -> Tensor:
    """An image with its margin: its own pixels, or black around small ones."""
    stored = pixels_of(square(picture, zoomed(size)))
    return stored if size > SMALL else F.pad(stored, (margin(size),) * 4)
