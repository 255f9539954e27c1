"""Small sets of images, split."""

from __future__ import annotations

import torch

from dna_engine.images.info import DIGITS, DatasetInfo
from dna_engine.training.splits import Splits, splits_of

CPU = torch.device("cpu")


def digits(*, augment: bool = True, seed: int = 0) -> Splits:
    return splits_of(DIGITS, input_size=16, rating_images=143, seed=seed, augment=augment, device=CPU)


def load_folder(info: DatasetInfo, *, augment: bool = True) -> Splits:
    return splits_of(info, input_size=16, rating_images=15, seed=0, augment=augment, device=CPU)
