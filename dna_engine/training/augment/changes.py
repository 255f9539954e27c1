"""Changes of shape and colour of a batch of images, each image by an amount of its own.

Everywhere: images (B, 3, S, S) of bytes in and out, amounts (B,) float on the same device. What a change does is what timm's does to one
picture (``timm.data.auto_augment``), but that shears keep the middle in its place.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.transforms.v2 import functional as vision

from dna_engine.images.pictures.pixels import MEAN


def autocontrast(images: Tensor, _: Tensor) -> Tensor:
    """Each channel stretched to 0 to 255; has no amount."""
    return torch.as_tensor(vision.autocontrast(images))


def equalize(images: Tensor, _: Tensor) -> Tensor:
    """Each channel's histogram made even; has no amount."""
    return torch.as_tensor(vision.equalize(images))


def invert(images: Tensor, _: Tensor) -> Tensor:
    """255 - pixel; has no amount."""
    return 255 - images


def posterize(images: Tensor, amounts: Tensor) -> Tensor:
    """Only the upper bits of a pixel, so many as the amount says, 0 to 8."""
    step = 2 ** (8 - _wide(amounts).floor())
    return (torch.floor(images / step) * step).to(torch.uint8)


def solarize(images: Tensor, amounts: Tensor) -> Tensor:
    """Pixels from the amount on, 0 to 256, are inverted."""
    return torch.where(images >= _wide(amounts), 255 - images, images)


def solarize_add(images: Tensor, amounts: Tensor) -> Tensor:
    """The amount is added to pixels below 128."""
    return torch.where(images < 128, _bytes(images + _wide(amounts).floor()), images)


def brightness(images: Tensor, amounts: Tensor) -> Tensor:
    """Times the amount."""
    return _bytes(images * _wide(amounts))


def contrast(images: Tensor, amounts: Tensor) -> Tensor:
    """Distance to the mean grey of the image times the amount."""
    return _blend(_grey(images).float().mean((1, 2, 3), keepdim=True).round(), images, amounts)


def color(images: Tensor, amounts: Tensor) -> Tensor:
    """Distance to grey times the amount."""
    return _blend(_grey(images), images, amounts)


def sharpness(images: Tensor, amounts: Tensor) -> Tensor:
    """Distance to the smoothed image times the amount; its border stays."""
    smooth = images.float()
    around = 9 * F.avg_pool2d(
        smooth, 3, stride=1
    )  # No convolution: cuDNN would try its ways anew for every number of images.
    smooth[:, :, 1:-1, 1:-1] = ((around + 4 * smooth[:, :, 1:-1, 1:-1]) / 13).round()
    return _blend(smooth, images, amounts)


def rotate(images: Tensor, amounts: Tensor) -> Tensor:
    """By so many degrees, around the middle."""
    angles = torch.deg2rad(amounts)
    cosine, sine = angles.cos(), angles.sin()
    return _moved(images, [[cosine, -sine, 0], [sine, cosine, 0]])


def shear_x(images: Tensor, amounts: Tensor) -> Tensor:
    """A row moves by the amount times its distance to the middle."""
    return _moved(images, [[1, amounts, 0], [0, 1, 0]])


def shear_y(images: Tensor, amounts: Tensor) -> Tensor:
    """The same of columns."""
    return _moved(images, [[1, 0, 0], [amounts, 1, 0]])


def translate_x(images: Tensor, amounts: Tensor) -> Tensor:
    """By so large a share of the side."""
    return _moved(images, [[1, 0, 2 * amounts], [0, 1, 0]])


def translate_y(images: Tensor, amounts: Tensor) -> Tensor:
    """By so large a share of the side."""
    return _moved(images, [[1, 0, 0], [0, 1, 2 * amounts]])


def _moved(images: Tensor, matrix: list[list[float | Tensor]]) -> Tensor:
    """Each pixel of the result is taken from where the matrix (2 by 3) sends it, in coordinates from -1 to 1; the mean colour beyond."""
    plain = torch.zeros(len(images), device=images.device)
    rows = torch.stack([torch.stack([plain + cell for cell in row], 1) for row in matrix], 1)
    grid = F.affine_grid(rows, list(images.shape), align_corners=False)
    fill = torch.tensor(MEAN, device=images.device).view(3, 1, 1) * 255
    return _bytes(F.grid_sample(images - fill, grid, align_corners=False) + fill)


def _grey(images: Tensor) -> Tensor:
    return torch.as_tensor(vision.rgb_to_grayscale(images))


def _blend(degenerate: Tensor, images: Tensor, amounts: Tensor) -> Tensor:
    return _bytes(degenerate + (images.float() - degenerate) * _wide(amounts))


def _wide(amounts: Tensor) -> Tensor:
    return amounts.view(-1, 1, 1, 1)


def _bytes(images: Tensor) -> Tensor:
    return images.round().clamp(0, 255).to(torch.uint8)
