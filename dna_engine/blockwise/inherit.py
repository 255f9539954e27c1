"""A network that begins with the weights of its distilled blocks: their adaptors fold into the convolutions behind them.

Between two blocks stand, in the order of the maps: the exit adaptor of the one before, W_leave and a bias; the entry adaptor of the one
behind, W_enter, and its norm with gamma and the variance of the maps there; the expansion W of the first layer. All but the norm are
1x1 convolutions, and the batch norm behind the expansion takes whatever is constant away, so that together they are one convolution

    W' = W diag(gamma / sqrt(variance + eps)) W_enter W_leave

from the channels that the block before gives to the inner ones, which is the expansion of the network as built. It is exact where the
network's first layer has at least the inner channels of the rated one (always where the space counts them from the nominal width) and both
or neither have a residual.
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
    _copy(cast(Stem, parts[0].cell.enter), network)
    for number, part in enumerate(parts):
        before = None if number == 0 else (parts[number - 1], maps[number - 1])
        _inherit_block(cast(nn.Sequential, network.blocks[number + 1]), part, before)
    return [_distance(found, wanted) for found, wanted in zip(_maps(network, images), maps, strict=True)]


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


def _inherit_block(stage: nn.Sequential, part: Part, before: tuple[Part, Tensor] | None) -> None:
    built = iter(stage)
    for layer, op in enumerate(part.path):
        if op.skip:
            continue
        rated = cast(nn.ModuleDict, part.cell.layers[layer])[op.name]
        weights = {name: tensor.clone() for name, tensor in rated.state_dict().items()}
        if layer == 0 and before is not None:
            weights["conv_pw.weight"] = _folded(weights["conv_pw.weight"], part.cell, *before)
        _load(next(built), weights)


def _folded(expansion: Tensor, cell: CellSupernet, before: Part, maps: Tensor) -> Tensor:
    """The expansion (inner, nominal, 1, 1) behind the adaptors as one behind the maps of the block before, (inner, C, 1, 1)."""
    enter, norm = cast(nn.Sequential, cell.enter)
    assert isinstance(enter, nn.Conv2d)
    assert isinstance(norm, nn.BatchNorm2d)
    leave = cast(nn.Conv2d, before.cell.leave)
    variance = enter(leave(maps)).float().var((0, 2, 3), correction=0)
    scale = norm.weight * torch.rsqrt(variance + norm.eps)
    # In double precision: three products of matrices would cost what the fold is to be exact to.
    whole = expansion.flatten(1).double() * scale.double() @ enter.weight.flatten(1).double()
    return (whole @ leave.weight.flatten(1).double()).to(expansion.dtype)[:, :, None, None]


def _load(built: nn.Module, rated: dict[str, Tensor]) -> None:
    """Weights of a rated layer into one as built, whose inner channels may be more or fewer: of fewer, those of largest effect are
    taken; those beyond the rated ones have no effect at first.
    """
    wanted = built.state_dict()
    inner, squeezed = wanted["conv_pw.weight"].shape[0], wanted.get("se.conv_reduce.weight", torch.empty(0)).shape[0]
    effect = rated["conv_pwl.weight"].flatten(1).norm(dim=0) * rated["bn2.weight"].abs()
    kept = {
        len(effect): effect.topk(min(inner, len(effect))).indices.sort().values,
        len(rated.get("se.conv_reduce.bias", ())): torch.arange(squeezed),
    }
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


def _copy(stem: Stem, network: EfficientNet) -> None:
    network.conv_stem.load_state_dict(stem.conv_stem.state_dict())
    network.bn1.load_state_dict(stem.bn1.state_dict(), strict=False)
    cast(nn.Sequential, network.blocks[0])[0].load_state_dict(stem.first.state_dict(), strict=False)


def _maps(network: EfficientNet, images: Tensor) -> list[Tensor]:
    """What each block behind the first stage gives, by the statistics of the batch."""
    _by_the_batch(network)
    x = network.blocks[0](network.bn1(network.conv_stem(images)))
    found = []
    for block in list(network.blocks)[1:]:
        x = block(x)
        found.append(x.clone())
    return found


def _by_the_batch(network: nn.Module) -> list[nn.BatchNorm2d]:
    """The norms, which take the statistics of the batch from now on; nothing else is as in training: no branch is dropped."""
    network.eval()
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.train()
    return norms


def _distance(found: Tensor, wanted: Tensor) -> float:
    return float((found - wanted).norm() / wanted.norm())
