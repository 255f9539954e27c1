"""The three blocks of the space with all ops of every layer: cells that follow a teacher, or one network of shared weights (SPOS)."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.macro.space import OPS, WIDTHS, block_layers, make_head, make_op, make_stem, split

#: A norm by the statistics of the batch.
BatchNorm = functools.partial(nn.BatchNorm2d, track_running_stats=False)


class Cell(nn.Module):
    """A block with all its ops, between an entry and an exit that all its paths share."""

    def __init__(self, block: int, enter: nn.Module, leave: nn.Module) -> None:
        super().__init__()
        self.enter, self.leave = enter, leave
        self.layers = nn.ModuleList(
            nn.ModuleList(make_op(layer, op, BatchNorm) for op in OPS) for layer in block_layers(block)
        )

    def ops(self, path: str) -> list[nn.Module]:
        """Those of a path."""
        return [cast(nn.ModuleList, layer)[OPS.index(op)] for layer, op in zip(self.layers, path, strict=True)]

    def inside(self, x: Tensor, path: str) -> Tensor:
        """The maps that a path makes, before the exit."""
        x = self.enter(x)
        for op in self.ops(path):
            x = op(x)
        return x

    def forward(self, x: Tensor, path: str) -> Tensor:
        return cast(Tensor, self.leave(self.inside(x, path)))

    def all_paths(self, x: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Every path and the maps that it makes, in ascending order; what paths begin with is computed once."""
        return self._extended("", self.enter(x))

    def _extended(self, prefix: str, maps: Tensor) -> Iterator[tuple[str, Tensor]]:
        if len(prefix) == len(self.layers):
            yield prefix, self.leave(maps)
            return
        for digit, op in zip(OPS, cast(nn.ModuleList, self.layers[len(prefix)]), strict=True):
            yield from self._extended(prefix + digit, op(maps))


def chain(cells: Sequence[Cell], x: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Every sequence of paths, each cell fed with what the one before made, and the maps at its end."""
    first, *rest = cells
    for path, maps in first.all_paths(x):
        if not rest:
            yield path, maps
        else:
            yield from ((path + more, end) for more, end in chain(rest, maps))


class DistilledBlocks(nn.Module):
    """A cell for each block, with adaptors of single pixels to the teacher's channels, of which there are so many at each boundary."""

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        entries: list[nn.Module] = [make_stem(BatchNorm)]
        for arriving, width in zip(channels, WIDTHS, strict=False):
            entries.append(nn.Sequential(nn.Conv2d(arriving, width, 1, bias=False), BatchNorm(width)))
        exits = [nn.Conv2d(width, leaving, 1) for width, leaving in zip(WIDTHS, channels, strict=True)]
        self.cells = nn.ModuleList(
            Cell(block, *ends) for block, ends in enumerate(zip(entries[:3], exits, strict=True))
        )

    def __iter__(self) -> Iterator[Cell]:
        return iter(cast(list[Cell], list(self.cells)))

    def loss(self, maps: Sequence[Tensor], network: str) -> Tensor:
        """Squared distances to the teacher's maps, over their variance, summed over the blocks; ``maps`` begin with the images."""
        losses = [
            (cell(maps[number], path) - maps[number + 1]).square().mean() / maps[number + 1].var()
            for number, (cell, path) in enumerate(zip(self, split(network), strict=True))
        ]
        return torch.stack(losses).sum()

    @torch.no_grad()
    def start_from_means(self, maps: Sequence[Tensor]) -> None:
        """Every exit begins with the mean of each of the teacher's channels; much of the training would go into finding it."""
        for cell, target in zip(self, maps[1:], strict=True):
            leave = cast(nn.Conv2d, cell.leave)
            leave.weight.zero_()
            cast(Tensor, leave.bias).copy_(target.mean((0, 2, 3)))


class SharedNetwork(nn.Module):
    """All networks in one, which learns to classify."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        entries = (make_stem(BatchNorm), nn.Identity(), nn.Identity())
        self.cells = nn.ModuleList(Cell(block, enter, nn.Identity()) for block, enter in enumerate(entries))
        self.head = make_head(BatchNorm, num_classes)

    def __iter__(self) -> Iterator[Cell]:
        return iter(cast(list[Cell], list(self.cells)))

    def loss(self, images: Tensor, labels: Tensor, network: str) -> Tensor:
        """Cross entropy of one network."""
        for cell, path in zip(self, split(network), strict=True):
            images = cell(images, path)
        return F.cross_entropy(self.head(images), labels)
