"""Specs with parts replaced by other JSON: accepted or refused with pointers, never a fault of the service."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.searches.examples import SPECS
from tests.api.problems import problem

REPLACEMENTS: list[Any] = [
    None, True, False, 0, -1, 1, 3, 8, 64, 2**31, 2**53, 2**62, 2**63 - 1, -(2**63), 0.5, 1e300, -1e-300,
    "", "x", "digits", "mb6_3x3", "skip", "é\u2028", "a" * 300, [], {}, [[]], [1], ["skip"], {"a": 1},
    {"name": "x", "skip": True}, {"name": "x", "skip": "yes"}, {"name": "x", "se_ratio": "1"}, {"name": ["x"]},
    {"stride": 2, "cells": [{"depth": 1, "width": 8}]}, [{"depth": 1, "width": 8}],
]  # fmt: skip


def places(value: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where something stands in a JSON value, the value itself left out."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inside:
        yield (*at, key)
        yield from places(item, (*at, key))


def mutated(spec: dict[str, Any], draw: random.Random) -> dict[str, Any]:
    changed = copy.deepcopy(spec)
    *path, last = draw.choice(list(places(changed)))
    holder: Any = changed
    for key in path:
        holder = holder[key]
    match draw.random():
        case chance if chance < 0.8:
            holder[last] = copy.deepcopy(draw.choice(REPLACEMENTS))
        case chance if chance < 0.9:
            del holder[last]
        case _ if isinstance(holder, list):
            holder.append(copy.deepcopy(draw.choice(REPLACEMENTS)))
        case _:
            holder["more~/"] = draw.choice(REPLACEMENTS)
    return changed


@pytest.mark.parametrize("seed", range(2))
def test_no_spec_breaks_the_service(shared: TestClient, seed: int) -> None:
    draw = random.Random(seed)
    spec = SPECS["explicit"]["value"]
    answers = set()
    for _ in range(60):
        body = mutated(mutated(spec, draw), draw) if draw.random() < 0.3 else mutated(spec, draw)
        response = shared.post("/searches/estimate", json=body)
        answers.add(response.status_code)
        if response.status_code != 200:
            answer = problem(response, 422, response.json()["type"].rpartition(":")[2])
            assert all(error["pointer"].startswith("#") for error in answer["errors"]), body
    assert answers == {200, 422}
