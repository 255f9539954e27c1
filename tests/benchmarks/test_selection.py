"""The selection benchmark runs with short caps, and its traversals are what they claim."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from benchmarks import selection
from benchmarks.selection_baselines import Traversal
from dna_engine.select import Problem, Ratings, best
from dna_engine.space import Block, Cell, Space


def test_every_table_is_printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "NOISES", (0.2,))
    monkeypatch.setattr(selection, "REPEATS", 1)
    selection.main(["--device", "cpu", "--cap", "1", "--instances", "1"])
    text = capsys.readouterr().out
    assert "whole frontier" in text
    assert "more than 1 s" in text, "cost pruning alone does not end"
    assert text.count("1 of 1") == 3, "one row per mix of limits"
    assert text.count("more than 1 s: ") == 3, "the best networks, one by one"
    assert "read the ratings file" in text


@pytest.mark.parametrize("loss_bounds", [False, True])
def test_traversals_find_the_optimum(loss_bounds: bool) -> None:
    blocks = tuple(Block(stride=2, cells=(Cell(depth=2, width=width),)) for width in (24, 40, 80))
    space = Space(name="three", blocks=blocks)
    rng = np.random.default_rng(0)
    ratings = Ratings(space, 64, {ref: rng.random(space.path_count(space.cell(ref))) for ref in space.cells})
    problem = Problem(ratings)
    for share, row in itertools.product((0.1, 0.3, 0.7, 1.0), (0, 1)):
        name = problem.cost_names[row]
        low, high = problem.cost_range[name]
        limit = int(low + share * (high - low))
        outcome = Traversal(problem.trellis, row, limit, loss_bounds=loss_bounds, seconds=60).run()
        assert outcome.complete
        assert outcome.loss == pytest.approx(best(problem, {name: limit}).networks[0].loss, rel=1e-12)
