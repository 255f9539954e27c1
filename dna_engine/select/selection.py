"""The answer to a budget: the best network, or the k best that differ enough. Torch-free."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dna_engine.errors import InvalidSpec
from dna_engine.select.allowance import Allowance
from dna_engine.select.bounded import leading, solve
from dna_engine.select.budget import explain
from dna_engine.select.labels import Found
from dna_engine.select.problem import Network, Problem
from dna_engine.select.trellis import Ints
from dna_engine.space import Block, Op, Space

_AHEAD = (4, 16)
"""How many times as many networks are ranked as must differ, fewer first: mostly enough of them do."""


@dataclass(frozen=True)
class Selection:
    """Networks, best first."""

    networks: tuple[Network, ...]

    def to_json(self) -> dict[str, Any]:
        """``{"architectures": [{"loss", "flops", "params", "blocks": [{"cell", "ops"}]}], "exact": true}``."""
        return {"architectures": [network.to_json() for network in self.networks], "exact": True}


def best(
    problem: Problem,
    limits: Mapping[str, int],
    top_k: int = 1,
    min_distance: int = 1,
    allowance: Allowance | None = None,
) -> Selection:
    """The networks of least loss within the limits, exactly.

    The first is the best of all; each further one is the best of those that differ in at least ``min_distance`` layers
    from every one before it. Two networks differ in a layer where its op differs; where they chose different cells in a
    block, in all layers of the deeper one. Ties in loss go to the fewest flops, then the fewest params, then the first
    in lexicographic order of cells and paths.

    Args:
        limits: by name of the cost (``flops``, ``params``, ``latency_ns``), the most that a network may have; none
            means no limit.
        top_k: how many networks; fewer come back where no more differ enough. With a ``min_distance`` of 1, hundreds take
            some ten times as long as one.
        allowance: what all of this may take, all that it takes when left out.

    Raises:
        TooHard: it takes more than is allowed.
        InfeasibleBudget: no network fits; says which limits bind and what would fit.
        InvalidSpec: an unknown cost, or a ``top_k`` or ``min_distance`` below 1.
    """
    for name, value in (("top_k", top_k), ("min_distance", min_distance)):
        if value < 1:
            raise InvalidSpec(f"{name} must be at least 1, not {value}.", param=name)
    bounds = {problem.row(name): int(limit) for name, limit in limits.items()}
    for ahead in (1,) if min_distance == 1 or top_k == 1 else _AHEAD:
        ranked = leading(problem.trellis, bounds, ahead * top_k, allowance)
        networks = _apart(problem, ranked, top_k, min_distance)
        exhausted = len(ranked) < ahead * top_k
        # Where few of many differ enough, the next may be far behind all that could be ranked.
        if exhausted or len(networks) == top_k or 2 * len(networks) < top_k:
            break
    if not networks:
        raise explain(problem, limits, allowance)
    if not exhausted:
        _add_further(problem, bounds, networks, top_k, min_distance, allowance)
    return Selection(tuple(networks))


def _apart(problem: Problem, ranked: Sequence[Found], top_k: int, min_distance: int) -> list[Network]:
    """Each of the ranked networks that differs enough from those taken before it."""
    if min_distance == 1:
        return [problem.network(found.positions) for found in ranked]
    positions = np.array([found.positions for found in ranked], dtype=np.int64)
    networks: list[Network] = []
    left = np.arange(len(ranked))
    while len(left) and len(networks) < top_k:
        networks.append(problem.network(ranked[left[0]].positions))
        blocks = _distances(problem.ratings.space, networks[-1])
        apart = sum(distances[positions[left, b]] for b, distances in enumerate(blocks))
        left = left[apart >= min_distance]
    return networks


def _add_further(
    problem: Problem,
    bounds: dict[int, int],
    networks: list[Network],
    top_k: int,
    min_distance: int,
    allowance: Allowance | None,
) -> None:
    """Finds the rest one by one: the distance to each network before is one more cost, and limited."""
    trellis, held = problem.trellis, 0
    while len(networks) < top_k:
        for network in networks[held:]:
            bounds[len(trellis.stages[0][0].costs)] = -min_distance
            trellis = trellis.with_row([-distances for distances in _distances(problem.ratings.space, network)])
        held = len(networks)
        if (found := solve(trellis, bounds, allowance)) is None:
            break
        networks.append(problem.network(found.positions))


def _distances(space: Space, network: Network) -> list[Ints]:
    """Per block, in how many layers each of its paths differs from the network's choice there."""
    return [
        _block_distances(space, block, cell, ops)
        for block, (cell, ops) in zip(space.blocks, network.choices, strict=True)
    ]


def _block_distances(space: Space, block: Block, chosen: int, ops: tuple[Op, ...]) -> Ints:
    parts = []
    for number, cell in enumerate(block.cells, start=1):
        if number != chosen:
            parts.append(np.full(space.path_count(cell), max(cell.depth, len(ops)), dtype=np.int64))
            continue
        total = np.zeros(1, dtype=np.int64)
        for layer, op in enumerate(ops):
            differs = np.array([other != op for other in space.layer_ops(layer)], dtype=np.int64)
            total = np.add.outer(total, differs).ravel()
        parts.append(total)
    return np.concatenate(parts)
