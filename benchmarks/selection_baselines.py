"""What exact selection is measured against: the paper's traversal, made correct, a MILP by HiGHS, and one by one."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from dna_engine.select import Network, Problem
from dna_engine.select.bounded import solve
from dna_engine.select.trellis import Arc, Trellis


@dataclass(frozen=True)
class Outcome:
    """Least loss found, whether it was proven, and the seconds taken."""

    loss: float
    complete: bool
    seconds: float


class _OutOfTime(Exception):
    pass


class Traversal:
    """Depth first over the blocks, candidates of each in order of loss (Li et al. 2020, section 3.4).

    A prefix is left when its cost and the least that may follow exceed the limit; in the last block the first candidate
    that fits is the best behind its prefix. With ``loss_bounds``, a block is also left once no candidate in it can come
    below the best loss so far.

    Args:
        trellis: of a space with one width per block, where costs add up.
    """

    def __init__(self, trellis: Trellis, row: int, limit: int, *, loss_bounds: bool, seconds: float) -> None:
        self._limit, self._loss_bounds, self._seconds = limit, loss_bounds, seconds
        self._candidates: list[list[tuple[float, int]]] = []
        for (arc,) in trellis.stages:
            order = np.argsort(arc.loss, kind="stable")
            self._candidates.append(list(zip(arc.loss[order].tolist(), arc.costs[row, order].tolist(), strict=True)))
        self._least_cost = [0]
        self._least_loss = [0.0]
        for candidates in reversed(self._candidates):
            self._least_cost.insert(0, self._least_cost[0] + min(cost for _, cost in candidates))
            self._least_loss.insert(0, self._least_loss[0] + candidates[0][0])

    def run(self) -> Outcome:
        self._best = float("inf")
        began = time.perf_counter()
        self._deadline = began + self._seconds
        try:
            self._visit(0, 0.0, 0)
            complete = True
        except _OutOfTime:
            complete = False
        return Outcome(self._best, complete, time.perf_counter() - began)

    def _visit(self, block: int, loss: float, cost: int) -> None:
        if time.perf_counter() > self._deadline:
            raise _OutOfTime
        last = block == len(self._candidates) - 1
        room = self._limit - cost - self._least_cost[block + 1]
        rest = self._least_loss[block + 1]
        for candidate_loss, candidate_cost in self._candidates[block]:
            if self._loss_bounds and loss + candidate_loss + rest >= self._best:
                return
            if candidate_cost > room:
                continue
            if last:
                self._best = min(self._best, loss + candidate_loss)
                return
            self._visit(block + 1, loss + candidate_loss, cost + candidate_cost)


@dataclass(frozen=True)
class Ranked:
    """The networks found, best first, and the seconds that the processor took."""

    networks: list[Network]
    seconds: float


def one_by_one(problem: Problem, limits: Mapping[str, int], count: int, *, seconds: float = float("inf")) -> Ranked:
    """Each is the best network that differs from those before it, of which each is one more limit.

    Args:
        seconds: none is begun after so many, of the processor.
    """
    trellis, bounds = problem.trellis, {problem.row(name): limit for name, limit in limits.items()}
    networks: list[Network] = []
    began = time.process_time()
    while len(networks) < count and time.process_time() - began < seconds and (found := solve(trellis, bounds)):
        networks.append(problem.network(found.positions))
        bounds[len(found.costs)] = -1
        paths = problem.ratings.space.paths_per_block
        differs = [np.arange(length) != at for length, at in zip(paths, found.positions, strict=True)]
        trellis = trellis.with_row([-each.astype(np.int64) for each in differs])
    return Ranked(networks, time.process_time() - began)


def without_dominated(trellis: Trellis, rows: list[int]) -> Trellis:
    """The trellis without the items that another of their arc matches in loss and every limited cost.

    HiGHS needs this: with all items it does not solve the three-cell space in minutes.
    """
    return Trellis(trellis.start, tuple(tuple(_thinned(arc, rows) for arc in arcs) for arcs in trellis.stages))


def _thinned(arc: Arc, rows: list[int]) -> Arc:
    points = np.vstack([arc.loss, arc.costs[rows]]).T
    kept: list[int] = []
    for index in np.lexsort(points.T[::-1]).tolist():
        if not (points[kept] <= points[index]).all(axis=1).any():
            kept.append(index)
    return arc.take(np.array(sorted(kept), dtype=np.int64))


def solve_milp(trellis: Trellis, limits: Mapping[int, int], *, seconds: float) -> Outcome:
    """A binary per item; one unit flows from the first width to the last; costs stay within the limits."""
    items = [(place, arc) for place, arcs in enumerate(trellis.stages) for arc in arcs]
    loss = np.concatenate([arc.loss for _, arc in items])
    nodes = sorted({(place, arc.source) for place, arc in items})
    flow = np.vstack(
        [np.concatenate([np.full(len(arc.loss), _flow(node, place, arc)) for place, arc in items]) for node in nodes]
    )
    costs = [np.concatenate([arc.costs[row] for _, arc in items]) / limit for row, limit in limits.items()]
    source = np.array([float(place == 0) for place, _ in nodes])
    matrix: NDArray[np.float64] = np.vstack([flow, *costs])
    low = np.concatenate([source, np.full(len(costs), -np.inf)])
    high = np.concatenate([source, np.ones(len(costs))])
    began = time.perf_counter()
    result = milp(
        loss,
        integrality=np.ones(len(loss)),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(coo_array(matrix).tocsr(), low, high),
        options={"mip_rel_gap": 0.0, "time_limit": seconds},
    )
    found = float("inf") if result.fun is None else float(result.fun)
    return Outcome(found, result.status == 0, time.perf_counter() - began)


def _flow(node: tuple[int, int], place: int, arc: Arc) -> float:
    """1 where an arc leaves a node, -1 where it arrives."""
    leaves = node == (place, arc.source)
    arrives = node == (place + 1, arc.target)
    return float(leaves) - float(arrives)
