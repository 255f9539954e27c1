"""How a network begins with the weights of its distilled blocks, before any training."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import torch
from timm.models.efficientnet import EfficientNet
from torch import Tensor, nn

from dna_engine.blockwise.answers import WholeTeacher
from dna_engine.blockwise.head import fits, linear_head, take_head
from dna_engine.blockwise.inherit import inherit, load_parts, recalibrate
from dna_engine.space import Space
from dna_engine.space.architecture import Architecture
from dna_engine.training.batches import Images

#: Training images in a batch at most, and batches, on which inherited norms take their statistics.
BATCH, BATCHES = 64, 16
#: Relative error of the maps of an inherited block from which on people are told.
INEXACT = 1e-3


def begin(
    network: EfficientNet,
    architecture: Architecture,
    space: Space,
    run: Path,
    images: Images,
    *,
    batch_size: int,
    seed: int,
    teacher: WholeTeacher | None = None,
) -> list[float]:
    """Gives a network the weights of its distilled blocks, and its norms their statistics; its head stays as it is, unless it may take
    the teacher's.

    Args:
        network: the architecture as built, on the device where it is to be trained. Changed in place.
        space: in which its blocks were distilled.
        run: the run folder with the cells.
        images: that it is to be trained on, of which the first batches give the statistics.
        batch_size: of its training: nothing here takes larger ones.
        teacher: of the dataset's classes, whose head is taken where it can be, see :mod:`dna_engine.blockwise.head`.

    Returns:
        The relative error of the maps of each block, see :func:`~dna_engine.blockwise.inherit.inherit`.
    """
    parts = load_parts(space, architecture, run, network.conv_stem.weight.device)
    drawn = _drawn(images, batch_size, seed)
    errors = inherit(network, parts, torch.cat(drawn[: BATCHES // 4]))
    recalibrate(network, drawn)
    classifier = None if teacher is None else linear_head(teacher, drawn[0])
    if classifier is not None and fits(network, classifier):
        take_head(network, parts[-1].cell, classifier, drawn)
    return errors


def settle(network: nn.Module, images: Images, *, batch_size: int, seed: int) -> None:
    """Gives the norms of a network that has weights of other images their statistics on those that it is to be trained on."""
    recalibrate(network, _drawn(images, batch_size, seed))


def _drawn(images: Images, batch_size: int, seed: int) -> list[Tensor]:
    """Batches (B, 3, S, S), of no more images than those of the training: whoever asks for small ones may have little memory."""
    drawn = images.batches(min(BATCH, batch_size), epochs=BATCHES, seed=seed)
    return [batch for batch, _ in islice(drawn, BATCHES)]


def inexact(name: str, errors: Sequence[float]) -> str | None:
    """What people must know where a network does not begin exactly where the distillation of its blocks ended.

    Args:
        errors: as :func:`begin` returns them.
    """
    if max(errors) <= INEXACT:
        return None
    worst = ", ".join(f"block {number}: {error:.0%}" for number, error in enumerate(errors, 1) if error > INEXACT)
    return (
        f"{name} inherits its distilled blocks but for what is built otherwise than it was rated (error of the maps: {worst}): first layers "
        'behind another width than the nominal, which a space with "first_layer": "nominal" does not have, and first layers that begin '
        "with a convolution larger than 1x1, which takes in but nearly the adaptors in front of it."
    )
