"""Pictures of any size as squares of pixels: whole with a margin, the middle, or a random crop."""

from __future__ import annotations

import random

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from dna_engine.images.pictures.pixels import PLAIN, Look, margin, zoomed
from dna_engine.images.pictures.prepare import centre, square

#: Of a picture's area, what a random crop shows of it at least; and ratios of its sides.
LEAST_SHARE, RATIOS = 0.25, (3 / 4, 4 / 3)


def random_crop(
    picture: Image.Image,
    size: int,
    rng: random.Random,
    *,
    flip: bool,
    look: Look = PLAIN,
    least: float = LEAST_SHARE,
) -> Image.Image:
    """A ``least`` share to all of the area, resized to ``size``; its aspect ratio is 3/4 to 4/3, or where pictures are kept whole so many times
    that of the picture. One pixel at least, whatever the picture.
    """
    width, height = picture.size
    share, ratio = rng.uniform(least, 1.0), rng.uniform(*RATIOS)
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


def resized_crops(canvases: Tensor, size: int, generator: torch.Generator, *, least: float, flip: bool) -> Tensor:
    """The same of images that are held, (B, 3, C, C) of bytes, without their margins: (B, 3, size, size) of bytes, on their device."""
    count, side = len(canvases), canvases.shape[-1]
    draws = torch.rand(5, count, generator=generator)
    share, ratio = least + (1 - least) * draws[0], RATIOS[0] + (RATIOS[1] - RATIOS[0]) * draws[1]
    width, height = ((share * way).sqrt().clamp(max=1) * size for way in (ratio, 1 / ratio))
    # In coordinates of the canvas from -1 to 1: the middle may be so far from 0 as the crop leaves room.
    across, down = (
        (2 * place - 1) * (size - length) / side for place, length in ((draws[2], width), (draws[3], height))
    )
    mirrored = torch.where(draws[4] < (0.5 if flip else 0.0), -1.0, 1.0)
    nought = torch.zeros(count)
    rows = torch.stack([mirrored * width / side, nought, across, nought, height / side, down], 1).view(count, 2, 3)
    grid = F.affine_grid(rows, [count, 3, size, size], align_corners=False).to(canvases.device)
    crops = F.grid_sample(canvases.float(), grid, padding_mode="border", align_corners=False)
    return crops.round().to(torch.uint8)


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
