"""Scores of all networks, in the order of ``space.networks``, lower is better."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.macro.learning import Follower
from benchmarks.macro.space import networks, split
from benchmarks.macro.supernets import SharedNetwork, chain
from dna_engine.blockwise.rate import even_batch
from dna_engine.blockwise.spread import Spread
from dna_engine.training.batches import Images


@torch.inference_mode()
def rate_blocks(follower: Follower, images: Images, batch_size: int) -> list[dict[str, float]]:
    """For each block its paths and their ratings: mean|S - Y| / std(Y) behind the teacher's own maps."""
    cells = list(follower.net)
    sums = [defaultdict[str, float](float) for _ in cells]
    spreads = [Spread() for _ in cells]
    for batch, _ in images.ordered(even_batch(len(images), batch_size)):
        maps = follower.maps(batch)
        for block, cell in enumerate(cells):
            target = maps[block + 1]
            spreads[block].add(target)
            for path, output in cell.all_paths(maps[block]):
                sums[block][path] += (output - target).abs().sum(dtype=torch.float64).item()
    return [
        {path: total / (spread.count * spread.deviation) for path, total in block.items()}
        for block, spread in zip(sums, spreads, strict=True)
    ]


def additive(ratings: Sequence[dict[str, float]], weights: Sequence[float] = (1, 1, 1)) -> list[float]:
    """The sum of a network's ratings over its blocks, each times the weight of the block."""
    return [
        sum(weight * block[path] for weight, block, path in zip(weights, ratings, split(name), strict=True))
        for name in networks()
    ]


@torch.inference_mode()
def chained(follower: Follower, images: Images, batch_size: int) -> list[float]:
    """Each block fed with what the student's block before made: squared distance at the last boundary, over its variance."""
    sums, spread = torch.zeros(len(networks()), dtype=torch.float64), Spread()
    for batch, _ in images.ordered(even_batch(len(images), batch_size)):
        target = follower.maps(batch)[-1]
        spread.add(target)
        ends = chain(list(follower.net), _channels_last(batch))
        sums += torch.tensor([(end - target).square().sum().item() for _, end in ends])
    return (sums / (spread.count * spread.variance)).tolist()


@torch.inference_mode()
def shared(net: SharedNetwork, images: Images, batch_size: int) -> list[float]:
    """Log-loss (nats) of each network's path through shared weights."""
    sums = torch.zeros(len(networks()), dtype=torch.float64)
    for batch, labels in images.ordered(even_batch(len(images), batch_size)):
        ends = chain(list(net), _channels_last(batch))
        sums += torch.tensor([F.cross_entropy(net.head(end), labels, reduction="sum").item() for _, end in ends])
    return (sums / len(images)).tolist()


def _channels_last(images: Tensor) -> Tensor:
    return images.contiguous(memory_format=torch.channels_last)
