"""Specs with parts replaced by other JSON: accepted or refused with pointers, never a fault of the service."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from api.searches.examples import SPECS
from tests.api.problems import problem

SPEC: dict[str, Any] = SPECS["explicit"]["value"]

#: What nearly fits somewhere, beside what hypothesis makes up.
NEAR = st.sampled_from([
    "digits", "mb6_3x3", "skip", ["skip"], {"name": "x", "skip": True}, {"name": "x", "skip": "yes"},
    {"name": "x", "se_ratio": "1"}, {"name": ["x"]}, {"stride": 2, "cells": [{"depth": 1, "width": 8}]}, [{"depth": 1, "width": 8}],
])  # fmt: skip
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False)
    | st.text()
)
JSON = NEAR | st.recursive(
    SCALARS, lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(), inside, max_size=3), max_leaves=6
)


def places(value: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where something stands in a JSON value, the value itself left out."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inside:
        yield (*at, key)
        yield from places(item, (*at, key))


def fresh(draw: st.DrawFn) -> Any:
    """A value of its own: what is drawn may be changed in the next round."""
    return copy.deepcopy(draw(JSON))


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """The spec with one or two of its parts replaced, left out or added to."""
    changed = copy.deepcopy(SPEC)
    for _ in range(draw(st.integers(1, 2))):
        *path, last = draw(st.sampled_from(list(places(changed))))
        holder: Any = changed
        for key in path:
            holder = holder[key]
        match draw(st.sampled_from(["replace", "replace", "replace", "remove", "add"])):
            case "remove":
                del holder[last]
            case "add" if isinstance(holder, list):
                holder.append(fresh(draw))
            case "add":
                holder[draw(st.text())] = fresh(draw)
            case _:
                holder[last] = fresh(draw)
    return changed


@settings(
    max_examples=100,
    deadline=None,  # No test depends on the machine's speed.
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(body=mutated())
def test_no_spec_breaks_the_service(shared: TestClient, body: dict[str, Any]) -> None:
    response = shared.post("/searches/estimate", json=body)
    if response.status_code != 200:
        answer = problem(response, 422, response.json()["type"].rpartition(":")[2])
        assert all(error["pointer"].startswith("#") for error in answer.get("errors") or [])
