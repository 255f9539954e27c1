"""A network that begins with the weights of its distilled blocks: their adaptors fold into the convolutions behind them.

How a first layer takes the adaptors in front of it in, and which can, is told in :mod:`~dna_engine.blockwise.fold`. Beyond that a network is
exactly its blocks one behind the other where its first layers have at least the inner channels of the rated ones (always where the space
counts them from the nominal width) and both or neither have a residual.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from safetensors.torch import load_file
from timm.models.efficientnet import EfficientNet
from torch import Tensor, nn

from dna_engine.blockwise.cell import CellSupernet, Stem
from dna_engine.blockwise.fold import Adaptors, Names, adaptors, fold, names_of
from dna_engine.plans import files
from dna_engine.space import CellRef, Op, Space
from dna_engine.space.architecture import Architecture


@dataclass(frozen=True)
class Part:
    """A block of a network: its distilled cell, and the path that was chosen in it."""

    cell: CellSupernet
    path: Sequence[Op]


def load_parts(space: Space, architecture: Architecture, run: Path, device: torch.device) -> list[Part]:
    """The distilled blocks of a network of the space, from the run folder."""
    parts = []
    for number, choice in enumerate(architecture.blocks, start=1):
        ref = CellRef(number, choice.cell)
        weights = load_file(run / files.cell_weights(ref))
        channels_in = weights["enter.0.weight"].shape[1] if number > 1 else architecture.in_chans
        cell = CellSupernet(space, ref, channels_in, weights["leave.weight"].shape[0], width="adaptors")
        cell.load_state_dict(weights)
        parts.append(Part(cell.to(device), choice.ops))
    return parts


@torch.no_grad()
def inherit(network: EfficientNet, parts: Sequence[Part], images: Tensor) -> list[float]:
    """Gives a network the weights of its blocks; its head stays as it is, and its norms are to be recalibrated.

    Args:
        network: as built, of the blocks that ``parts`` name. Changed in place.
        images: (B, 3, S, S), on which the norms of the entry adaptors take their statistics.

    Returns:
        For each block how far its maps are from those of the distilled blocks one behind the other, relative (L2), on these images: about
        1e-6 where the fold is exact.
    """
    maps = stitched(parts, images)
    _by_the_batch(network)
    stages = cast(list[nn.Sequential], list(network.blocks))
    first, blocks = stages[: -len(parts)], stages[-len(parts) :]
    _copy(cast(Stem, parts[0].cell.enter), network, first)
    x = nn.Sequential(network.conv_stem, network.bn1, *first)(images)
    errors = []
    for number, (block, part) in enumerate(zip(blocks, parts, strict=True)):
        between = None if number == 0 else adaptors(parts[number - 1].cell, part.cell, maps[number - 1])
        _inherit_block(block, part, between, x)
        x = block(x)
        errors.append(float((x - maps[number]).norm() / maps[number].norm()))
    return errors


@torch.no_grad()
def stitched(parts: Sequence[Part], images: Tensor) -> list[Tensor]:
    """The maps that each block gives (before its exit adaptor), fed with those of the blocks before through the adaptors.

    Norms take the statistics of the batch.
    """
    found: list[Tensor] = []
    for part in parts:
        arriving = parts[len(found) - 1].cell.leave(found[-1]) if found else images
        x = cast(Tensor, part.cell.enter(arriving))
        for layer, op in enumerate(part.path):
            x = part.cell.run_op(layer, op, x.clone())  # Activations work in place.
        found.append(x)
    return found


@torch.no_grad()
def recalibrate(network: nn.Module, batches: Iterable[Tensor]) -> None:
    """Sets the running statistics of all norms to the mean over these batches of images (B, 3, S, S)."""
    norms = _by_the_batch(network)
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # The cumulative mean.
    for images in batches:
        network(images)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def _inherit_block(stage: nn.Sequential, part: Part, between: Adaptors | None, arriving: Tensor) -> None:
    remaining = iter(stage)
    for layer, op in enumerate(part.path):
        if op.skip:
            continue
        rated = cast(nn.ModuleDict, part.cell.layers[layer])[op.name]
        built = next(remaining)
        weights = rated.state_dict() if layer or between is None else fold(op, rated, built, between, arriving)
        _load(built, weights, names_of(op))


def _load(built: nn.Module, rated: Mapping[str, Tensor], names: Names) -> None:
    """Weights of a rated layer into one as built, whose inner channels may be more or fewer: of fewer, those of largest effect are
    taken; those beyond the rated ones have no effect at first.
    """
    wanted = built.state_dict()
    squeezed = wanted.get("se.conv_reduce.weight", torch.empty(0)).shape[0]
    kept = {len(rated.get("se.conv_reduce.bias", ())): torch.arange(squeezed)}
    if names.project:
        inner = wanted[f"{names.mix}.weight"].shape[0]
        effect = rated[f"{names.project}.weight"].flatten(1).norm(dim=0) * rated[f"{names.norm}.weight"].abs()
        kept[len(effect)] = effect.topk(min(inner, len(effect))).indices.sort().values
    for name, tensor in wanted.items():
        if name in rated:
            tensor.copy_(_fitted(rated[name], tensor, kept))


def _fitted(rated: Tensor, built: Tensor, kept: Mapping[int, Tensor]) -> Tensor:
    """A rated tensor in the shape of the one built, of each dimension the channels ``kept`` of that many. What is built beyond them
    stays, but what it gives is not listened to at first.
    """
    fitted = built.clone()
    if rated.dim() > 1:
        fitted[:, rated.shape[1] :] = 0
    for dimension, (have, want) in enumerate(zip(rated.shape, built.shape, strict=True)):
        if have > want:
            rated = rated.index_select(dimension, kept[have][:want].to(rated.device))
    fitted[tuple(slice(size) for size in rated.shape)] = rated
    return fitted


def _copy(stem: Stem, network: EfficientNet, first: Sequence[nn.Sequential]) -> None:
    network.conv_stem.load_state_dict(stem.conv_stem.state_dict())
    network.bn1.load_state_dict(stem.bn1.state_dict(), strict=False)
    for (layer,) in first:
        layer.load_state_dict(stem.first.state_dict(), strict=False)


def _by_the_batch(network: nn.Module) -> list[nn.BatchNorm2d]:
    """The norms, which take the statistics of the batch from now on; nothing else is as in training: no branch is dropped."""
    network.eval()
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.train()
    return norms
