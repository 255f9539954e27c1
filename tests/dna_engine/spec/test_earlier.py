"""Resolved specs as the version before tunings, timings and tables of recipes has written them into its database: jobs go on by them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dna_engine.plans import Phase, plan_of
from dna_engine.spec import ResolvedNetworks, parse_job
from dna_engine.training.recipe import Recipe

SPECS: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("earlier.json").read_text())


def read(name: str) -> ResolvedNetworks:
    spec = parse_job(SPECS[name])
    assert isinstance(spec, ResolvedNetworks)
    return spec


@pytest.mark.parametrize("name", SPECS)
def test_all_that_was_said_is_meant_still(name: str) -> None:
    spec, written = read(name), SPECS[name]
    said, known = written.get("retrain", written), spec.recipe_of_networks.model_dump(mode="json")
    asked = {field: said[field] for field in known if field in said} | {"recipe": known["recipe"]}
    assert {field: known[field] for field in asked} == asked
    assert known["recipe"] == {"adamw": "quick"}.get(said["recipe"], said["recipe"])
    assert parse_job(spec.model_dump(mode="json")) == spec


@pytest.mark.parametrize("name", SPECS)
def test_nothing_is_done_that_was_not_done_then(name: str) -> None:
    spec = read(name)
    recipe = Recipe.of(spec.recipe_of_networks)
    assert (recipe.autoaugment, recipe.randaugment, recipe.random_erasing, recipe.mixup, recipe.patience) == (
        False,
        0,
        0,
        0,
        0,
    )
    assert not {Phase.LATENCY, Phase.TIME} & {*plan_of(spec).phases}
    steps = plan_of(spec).all_steps()
    assert [step.devices for step in steps] == [1] * len(steps)


def test_layers_are_measured_where_they_were() -> None:
    plan = plan_of(read("search with a limit on latency"))
    first, *_ = plan.steps(Phase.RATE)
    assert first.key == "latency"
