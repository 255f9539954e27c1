"""SPOS, single-path one-shot (Guo et al. 2020): the whole space as one network of shared weights.

Each training step draws one path through all blocks and trains it to classify. A network is rated by the log-loss of its
path, with the shared weights, on images held out from training. Built from the same layers as the block supernets, so
that a comparison with DNA is one of the methods alone.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import cast

import torch
from timm.models._efficientnet_builder import efficientnet_init_weights
from torch import Tensor, nn
from torch.nn import functional as F

from dna_engine.blockwise.cell import CellSupernet, Stack, StackNorm
from dna_engine.blockwise.rate import even_batch
from dna_engine.space import CellRef, Op, Space
from dna_engine.space.architecture import Architecture
from dna_engine.space.cost import in_widths
from dna_engine.training import batches

#: Per block, a cell (from 1) and its ops.
Choices = Sequence[tuple[int, Sequence[Op]]]


class SharedNetwork(nn.Module):
    """All networks of a space in one: a cell for each width that may arrive at it, layers shared but for the first."""

    def __init__(self, space: Space, num_classes: int) -> None:
        super().__init__()
        self.space = space
        self.cells = nn.ModuleDict()
        for ref in space.cells:
            width = space.cell(ref).width
            shared: CellSupernet | None = None
            for arriving in in_widths(space, ref.block):
                # Widened to a "teacher" of its own widths, a cell has no adaptors: it is the block as built.
                cell = CellSupernet(space, ref, arriving, width, width="teacher")
                if shared is not None:
                    cell.layers = nn.ModuleList([cell.layers[0], *list(shared.layers)[1:]])
                shared = shared or cell
                self.cells[f"{ref}-{arriving}"] = cell
        last = sorted({cell.width for cell in space.blocks[-1].cells})
        self.heads = nn.ModuleDict({str(width): nn.Conv2d(width, space.head_width, 1, bias=False) for width in last})
        self.norm = StackNorm(Stack(), space.head_width, apply_act=True, activation=space.activation)
        self.classifier = nn.Linear(space.head_width, num_classes)
        efficientnet_init_weights(self)

    def forward(self, images: Tensor, choices: Choices) -> Tensor:
        """Logits (B, classes) of one network; batch norm by the batch's own statistics."""
        x, width = images, self.space.first_width
        for block, (cell, ops) in enumerate(choices, start=1):
            ref = CellRef(block, cell)
            x = self.cells[f"{ref}-{width}"](x, ops)
            width = self.space.cell(ref).width
        x = self.norm(self.heads[str(width)](x)).mean((2, 3))
        return cast(Tensor, self.classifier(x))


class RandomPath(nn.Module):
    """The shared network as a classifier to train: every call in training mode draws a path, by torch's own generator.

    In evaluation mode it is always the first path, so that a training curve shows one network.
    """

    def __init__(self, network: SharedNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        seed = int(torch.randint(2**62, ())) if self.training else None
        return cast(Tensor, self.network(images, draw(self.network.space, seed)))


def draw(space: Space, seed: int | None) -> Choices:
    """A network with cells and ops uniform and independent; the first of each without a seed."""
    rng = random.Random(seed)
    choices = []
    for block in space.blocks:
        number = rng.randrange(len(block.cells)) if seed is not None else 0
        cell = block.cells[number]
        offered = [space.layer_ops(layer) for layer in range(cell.depth)]
        choices.append((number + 1, [rng.choice(ops) if seed is not None else ops[0] for ops in offered]))
    return choices


def rate(
    network: SharedNetwork, architectures: Sequence[Architecture], images: batches.Images, *, batch_size: int
) -> list[float]:
    """Log-loss of each architecture's path on every image, in nats; lower is better."""
    chosen = [[(block.cell, block.ops) for block in architecture.blocks] for architecture in architectures]
    sums = [0.0] * len(chosen)
    with torch.inference_mode():
        for batch, labels in images.ordered(even_batch(len(images), batch_size)):
            x = batch.contiguous(memory_format=torch.channels_last)
            for place, choices in enumerate(chosen):
                sums[place] += F.cross_entropy(network(x, choices).float(), labels, reduction="sum").item()
    return [total / len(images) for total in sums]
