"""The ratings file, the latency table, and what a problem refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.selection_instances import made_up_latency, made_up_ratings
from dna_engine.errors import InvalidRatings, InvalidSpec, UnknownName
from dna_engine.select import LatencyTable, Problem, best, frontier, load_ratings
from dna_engine.space import SPACES, CellRef
from dna_engine.space.architecture import published

SMALL = SPACES["mbconv-small"]


@pytest.fixture
def file() -> dict[str, Any]:
    return made_up_ratings(SMALL, 0, noise=0.1, input_size=32).to_json()


def test_round_trip_keeps_every_bit(file: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "ratings.json"
    path.write_text(json.dumps(file))
    original, loaded = made_up_ratings(SMALL, 0, noise=0.1, input_size=32), load_ratings(path)
    assert file["space"] == "mbconv-small"
    assert (loaded.space, loaded.input_size, loaded.num_classes, loaded.in_chans) == (SMALL, 32, 1000, 3)
    for ref in SMALL.cells:
        assert loaded.losses[ref].dtype == np.float64
        assert np.array_equal(loaded.losses[ref], original.losses[ref])


def test_defaults_and_explicit_space(file: dict[str, Any]) -> None:
    del file["num_classes"], file["in_chans"]
    loaded = load_ratings({**file, "space": SMALL.to_json(), "made_by": "a test"})
    assert (loaded.space, loaded.num_classes, loaded.in_chans) == (SMALL, 1000, 3)


def test_losses_stand_in_product_order(file: dict[str, Any]) -> None:
    """The path whose loss alone is small is the one that is chosen, in every cell."""
    for number, ref in enumerate(SMALL.cells):
        index = (7 * number + 3) % SMALL.path_count(SMALL.cell(ref))
        losses = [1.0] * SMALL.path_count(SMALL.cell(ref))
        losses[index] = 0.0
        rows = [
            row if (row["block"], row["cell"]) != (ref.block, ref.cell) else row | {"losses": losses}
            for row in file["ratings"]
        ]
        choice = best(Problem(load_ratings(file | {"ratings": rows})), {}).networks[0].choices[ref.block - 1]
        assert choice == (ref.cell, list(SMALL.paths(SMALL.cell(ref)))[index])


def change(index: int, **fields: Any) -> Callable[[dict[str, Any]], None]:
    return lambda value: value["ratings"][index].update(fields)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda value: value.pop("input_size"), "input_size"),
        (lambda value: value.update(input_size="224"), "input_size"),
        (lambda value: value.update(num_classes=0), "num_classes"),
        (lambda value: value.update(in_chans=True), "in_chans"),
        (lambda value: value.update(space=3), "space"),
        (lambda value: value.update(ratings={}), "list"),
        (lambda value: value["ratings"].append({"block": 1}), "losses"),
        (lambda value: value["ratings"].pop(1), "b1c2"),
        (lambda value: value["ratings"].append(value["ratings"][2]), "b2c1 is rated twice"),
        (change(0, cell=9), "b1c1"),
        (change(0, block="1"), "whole numbers"),
        (change(3, losses=[0.5]), "b2c2 has 1 losses; its 216 paths"),
        (change(3, losses=["0.5"] * 216), "b2c2"),
        (change(3, losses=[True] * 216), "b2c2"),
        (change(3, losses=[0.5] * 215 + [float("nan")]), "b2c2: the loss at index 215 is nan"),
        (change(3, losses=[0.5] * 215 + [float("inf")]), "b2c2"),
        (change(3, losses=[10**400] * 216), "b2c2"),
    ],
)
def test_spoiled_files_say_what_is_wrong(
    file: dict[str, Any], spoil: Callable[[dict[str, Any]], None], says: str
) -> None:
    spoil(file)
    with pytest.raises(InvalidRatings, match=says):
        load_ratings(file)


def test_unknown_cells_and_spaces(file: dict[str, Any]) -> None:
    with pytest.raises(InvalidRatings, match="no cell b4c1"):
        load_ratings(file | {"ratings": [*file["ratings"], {"block": 4, "cell": 1, "losses": [0.5]}]})
    with pytest.raises(UnknownName, match="mbconv-small"):
        load_ratings(file | {"space": "mbconv-smal"})


def test_unreadable_files(tmp_path: Path) -> None:
    broken = tmp_path / "ratings.json"
    broken.write_text("{")
    with pytest.raises(InvalidRatings, match="not JSON"):
        load_ratings(broken)
    broken.write_text("[]")
    with pytest.raises(InvalidRatings, match="no JSON object"):
        load_ratings(str(broken))
    with pytest.raises(InvalidRatings, match="cannot be read"):
        load_ratings(tmp_path / "missing.json")


def test_latency_table_round_trip_and_sum() -> None:
    space = SPACES["dna-mbconv"]
    table = made_up_latency(space, 0)
    again = LatencyTable.from_json(json.loads(json.dumps(table.to_json())))
    assert again == table
    network = published("dna-b")
    layers = network.layers()
    assert table.architecture(network) == table.stem + sum(table.layers[layer] for layer in layers) + table.heads[320]


@pytest.mark.parametrize(
    "value", [{}, {"stem": 1, "layers": [{"op": "mb3_9x9"}], "heads": []}, {"stem": -1, "layers": [], "heads": []}]
)
def test_latency_tables_that_are_none(value: dict[str, Any]) -> None:
    with pytest.raises(InvalidSpec, match="latency table"):
        LatencyTable.from_json(value)


def test_latency_table_of_another_input_size() -> None:
    ratings = made_up_ratings(SMALL, 0, noise=0.1, input_size=32)
    with pytest.raises(InvalidSpec, match="no row for"):
        Problem(ratings, latency=made_up_latency(SMALL, 0, input_size=64))


def test_a_problem_refuses_what_does_not_fit(file: dict[str, Any]) -> None:
    ratings = load_ratings(file)
    for weights in ([1.0], [1.0, 1.0, -1.0], [1.0, 1.0, float("nan")]):
        with pytest.raises(InvalidSpec):
            Problem(ratings, weights)
    problem = Problem(ratings)
    with pytest.raises(InvalidSpec, match="Measure a latency table"):
        best(problem, {"latency_ns": 1})
    with pytest.raises(InvalidSpec, match="flops, params can"):
        frontier(problem, "energy")
    for top_k, min_distance in ((0, 1), (1, 0)):
        with pytest.raises(InvalidSpec, match="at least 1"):
            best(problem, {}, top_k, min_distance)


def test_positions_number_the_paths_of_a_block(file: dict[str, Any]) -> None:
    problem = Problem(load_ratings(file))
    per_block = [
        [(ref.cell, path) for ref in SMALL.cells if ref.block == number for path in SMALL.paths(SMALL.cell(ref))]
        for number in (1, 2, 3)
    ]
    positions = (71, 100, 251)
    network = problem.network(positions)
    assert network.choices == tuple(paths[position] for paths, position in zip(per_block, positions, strict=True))
    assert problem.ratings.losses[CellRef(1, 2)][35] + problem.ratings.losses[CellRef(2, 2)][64] == pytest.approx(
        network.loss - problem.ratings.losses[CellRef(3, 2)][215], rel=1e-12
    )
