"""The control is random, fair, and costs what the winner costs."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest

from dna_engine.errors import EngineError
from dna_engine.select import Network, Problem, best, load_ratings
from dna_engine.select.control import BAND, draw_control
from dna_engine.space import SPACES, Space, parse_space


def rated(space: Space, input_size: int = 32) -> Problem:
    rng = np.random.default_rng(1)
    rows = [
        {"block": ref.block, "cell": ref.cell, "losses": rng.random(space.path_count(space.cell(ref))).tolist()}
        for ref in space.cells
    ]
    value = {"space": space.to_json(), "input_size": input_size, "num_classes": 10, "ratings": rows}
    return Problem(load_ratings(value))


def in_band(network: Network, winner: Network, limit: int) -> bool:
    flops = network.costs["flops"]
    return abs(flops / winner.costs["flops"] - 1) <= BAND and flops <= limit


@pytest.mark.parametrize("name", ["mbconv-small", "dna-mbconv-single"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.97])
def test_controls_lie_in_the_band_and_the_budget(name: str, share: float) -> None:
    problem = rated(SPACES[name])
    low, high = problem.cost_range["flops"]
    limits = {"flops": int(low + share * (high - low)), "params": problem.cost_range["params"][1]}
    winner = best(problem, limits).networks[0]
    for seed in range(4):
        control = draw_control(problem, winner, limits, seed)
        assert control.choices != winner.choices
        assert in_band(control, winner, limits["flops"])


def test_a_control_is_drawn_by_its_seed() -> None:
    problem = rated(SPACES["mbconv-small"])
    winner = best(problem, {}).networks[0]
    assert draw_control(problem, winner, {}, 7) == draw_control(problem, winner, {}, 7)
    assert len({draw_control(problem, winner, {}, seed).choices for seed in range(20)}) > 15


def test_every_network_of_the_band_is_as_likely() -> None:
    """Against a list of all networks, with widths that make costs depend on the block before."""
    problem = rated(
        parse_space(
            {
                "ops": ["mb3_3x3", "mb3_5x5", "mb6_3x3"],
                "blocks": [
                    {"stride": 2, "cells": [{"depth": 1, "width": 16}, {"depth": 1, "width": 24}]},
                    {"stride": 2, "cells": [{"depth": 2, "width": 24}, {"depth": 1, "width": 40}]},
                ],
            }
        )
    )
    counts = [range(count) for count in problem.ratings.space.paths_per_block]
    everything = [problem.network(positions) for positions in itertools.product(*counts)]
    winner = sorted(everything, key=lambda network: network.costs["flops"])[len(everything) // 5]
    limit = int(winner.costs["flops"] * 1.02)
    band = [n for n in everything if in_band(n, winner, limit) and n.choices != winner.choices]
    assert 4 <= len(band) <= 20
    draws = 60 * len(band)
    drawn = Counter(draw_control(problem, winner, {"flops": limit}, seed).choices for seed in range(draws))
    assert set(drawn) == {network.choices for network in band}
    square = sum((count - 60) ** 2 / 60 for count in drawn.values())  # Chi squared with len(band) - 1 degrees.
    assert square < len(band) - 1 + 4 * (2 * (len(band) - 1)) ** 0.5


def test_the_nearest_is_taken_where_the_band_is_empty() -> None:
    space = {"ops": ["mb3_3x3", "mb6_7x7"], "blocks": [{"stride": 2, "cells": [{"depth": 1, "width": 64}]}]}
    problem = rated(parse_space(space))
    cheap, dear = problem.network([0]), problem.network([1])
    assert draw_control(problem, cheap, {"flops": cheap.costs["flops"]}, 0).choices == dear.choices


def test_a_space_with_nothing_to_compare_is_refused() -> None:
    problem = rated(parse_space({"ops": ["mb3_3x3"], "blocks": [{"stride": 2, "cells": [{"depth": 1, "width": 16}]}]}))
    with pytest.raises(EngineError, match=r"retrain\.control"):
        draw_control(problem, best(problem, {}).networks[0], {}, 0)
