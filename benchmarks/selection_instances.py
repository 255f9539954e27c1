"""Ratings and latencies made up for studies of selection: losses fall with cost, and noise hides by how much."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from dna_engine.select import LatencyTable, Problem, Ratings
from dna_engine.space import CellRef, Space
from dna_engine.space.cost import block_sizes, in_widths, layer_at, layer_cost
from dna_engine.space.layer import Layer

INPUT_SIZE = 224


def made_up_ratings(space: Space, seed: int, *, noise: float, input_size: int = INPUT_SIZE) -> Ratings:
    """Every block's losses fall by 15% per standard deviation of its flops, times log-normal noise of this deviation."""
    rng = np.random.default_rng(seed)
    flops = _flops(space, input_size)
    losses = {}
    for number in range(1, len(space.blocks) + 1):
        refs = [ref for ref in space.cells if ref.block == number]
        mean, deviation = (f(np.concatenate([flops[ref] for ref in refs])) for f in (np.mean, np.std))
        for ref in refs:
            fall = 0.15 * (flops[ref] - mean) / deviation
            losses[ref] = 0.5 * np.exp(noise * rng.standard_normal(len(fall)) - fall)
    return Ratings(space, input_size, losses)


def made_up_latency(space: Space, seed: int, *, input_size: int = INPUT_SIZE) -> LatencyTable:
    """Each layer runs at a rate of its own, within a factor of three, behind a fixed start-up."""
    rng = np.random.default_rng(seed)
    sizes = block_sizes(space, input_size)
    layers: dict[Layer, int] = {}
    for number, block in enumerate(space.blocks, start=1):
        for cell, width in itertools.product(block.cells, in_widths(space, number)):
            for index, op in [(place, op) for place in range(cell.depth) for op in space.layer_ops(place)]:
                layer = layer_at(space, number, cell, index, op, in_width=width, in_size=sizes[number - 1])
                layers.setdefault(layer, 20_000 + int(layer_cost(layer).flops / rng.uniform(500, 1500)))
    widths = {cell.width for cell in space.blocks[-1].cells}
    return LatencyTable(stem=100_000, layers=layers, heads=dict.fromkeys(widths, 50_000))


def made_up_problem(space: Space, seed: int, *, noise: float) -> Problem:
    return Problem(made_up_ratings(space, seed, noise=noise), latency=made_up_latency(space, seed))


def middle(problem: Problem, name: str, share: float = 0.4) -> int:
    """A limit at this share of the way from the smallest to the largest network."""
    low, high = problem.cost_range[name]
    return low + int(share * (high - low))


def _flops(space: Space, input_size: int) -> dict[CellRef, NDArray[np.float64]]:
    """Flops of every path behind the width that its cell is rated with."""
    nothing = {ref: np.zeros(space.path_count(space.cell(ref))) for ref in space.cells}
    trellis = Problem(Ratings(space, input_size, nothing)).trellis
    flops = {}
    for number, block in enumerate(space.blocks, start=1):
        by_position = np.zeros(space.paths_per_block[number - 1])
        for arc in trellis.stages[number - 1]:
            if arc.source == space.in_width(number):
                by_position[arc.position] = arc.costs[0]
        ends = np.cumsum([space.path_count(cell) for cell in block.cells])
        for index, part in enumerate(np.split(by_position, ends[:-1]), start=1):
            flops[CellRef(number, index)] = part
    return flops
