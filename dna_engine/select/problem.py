"""Ratings made ready for selection, once; every budget after that is answered from here. Torch-free."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dna_engine.errors import InvalidSpec
from dna_engine.select.latency import LatencyTable
from dna_engine.select.ratings import Ratings
from dna_engine.select.trellis import build_trellis
from dna_engine.space import Op
from dna_engine.space.architecture import Architecture


@dataclass(frozen=True)
class Network:
    """A network chosen by its ratings.

    Attributes:
        loss: sum over blocks, from the first, of weight times rating, in float64.
        costs: by name, whole numbers: flops, params and, with a latency table, latency_ns.
        choices: per block, the cell (from 1) and its ops.
        architecture: what can be built, trained and exported.
    """

    loss: float
    costs: dict[str, int]
    choices: tuple[tuple[int, tuple[Op, ...]], ...]
    architecture: Architecture

    def to_json(self) -> dict[str, Any]:
        blocks = [{"cell": cell, "ops": [op.name for op in ops]} for cell, ops in self.choices]
        return {"loss": self.loss, **self.costs, "blocks": blocks}


def _largest(ratings: Ratings, weights: Sequence[float]) -> float:
    """No network has a loss, or a sum on the way to it, of a larger size."""
    return sum(weights[ref.block - 1] * float(abs(losses).max()) for ref, losses in ratings.losses.items())


class Problem:
    """A space with ratings, block weights and costs. Immutable; safe to share between threads.

    Attributes:
        cost_names: costs that can be limited: ``flops``, ``params`` and, with a latency table, ``latency_ns``.
        cost_range: smallest and largest value of each over all networks, each on its own.

    Raises:
        InvalidSpec: weights that do not fit the blocks, or a latency table made for something else.
    """

    def __init__(
        self,
        ratings: Ratings,
        block_weights: Sequence[float] | None = None,
        latency: LatencyTable | None = None,
    ) -> None:
        weights = [1.0] * len(ratings.space.blocks) if block_weights is None else list(block_weights)
        if len(weights) != len(ratings.space.blocks):
            raise InvalidSpec(
                f"{ratings.space.name} has {len(ratings.space.blocks)} blocks, {len(weights)} weights were given.",
                param="block_weights",
            )
        if not all(math.isfinite(weight) and weight >= 0 for weight in weights):
            raise InvalidSpec("Block weights must be finite and not negative.", param="block_weights")
        if not math.isfinite(_largest(ratings, weights)):
            raise InvalidSpec(
                "Block weights are so large that no loss can be told from another.", param="block_weights"
            )
        self.ratings = ratings
        self.trellis = build_trellis(ratings, weights, latency)
        self.cost_names = ("flops", "params") if latency is None else ("flops", "params", "latency_ns")
        self.cost_range = {name: self.trellis.span(row) for row, name in enumerate(self.cost_names)}

    def row(self, name: str) -> int:
        """Where a cost stands in an arc's costs.

        Raises:
            InvalidSpec: there is no such cost, or latency without a table.
        """
        if name not in self.cost_names:
            hint = " Measure a latency table first." if name == "latency_ns" else ""
            raise InvalidSpec(
                f"{name!r} cannot be limited here; {', '.join(self.cost_names)} can.{hint}", param=f"budget.{name}"
            )
        return self.cost_names.index(name)

    def named(self, blocks: Sequence[Mapping[str, Any]]) -> Network:
        """The network of ``blocks`` as :meth:`Network.to_json` writes them."""
        space, positions = self.ratings.space, []
        for block, chosen in zip(space.blocks, blocks, strict=True):
            before = sum(space.path_count(cell) for cell in block.cells[: chosen["cell"] - 1])
            index = 0
            for layer, name in enumerate(chosen["ops"]):
                offered = [op.name for op in space.layer_ops(layer)]
                index = index * len(offered) + offered.index(name)
            positions.append(before + index)
        return self.network(positions)

    def choice(self, block: int, position: int) -> tuple[int, tuple[Op, ...]]:
        """The cell (from 1) and the ops of the path at a position of a block (from 1)."""
        space, index, cell = self.ratings.space, position, 1
        cells = space.blocks[block - 1].cells
        while index >= (count := space.path_count(cells[cell - 1])):
            index, cell = index - count, cell + 1
        return cell, space.path(cells[cell - 1], index)

    def network(self, positions: Sequence[int]) -> Network:
        """The network that takes the path at a position in each block, with its loss and costs."""
        choices = [self.choice(block, position) for block, position in enumerate(positions, start=1)]
        loss, costs = self.trellis.total(positions)
        return Network(
            loss=loss,
            costs=dict(zip(self.cost_names, costs.tolist(), strict=True)),
            choices=tuple(choices),
            architecture=Architecture.from_choices(
                self.ratings.space,
                choices,
                input_size=self.ratings.input_size,
                num_classes=self.ratings.num_classes,
                in_chans=self.ratings.in_chans,
            ),
        )
