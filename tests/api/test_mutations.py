"""Specs with parts replaced by other JSON: accepted or refused with pointers, never a fault of the service."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

import api.searches.examples
import api.trainings.examples
import api.tunings.examples
from api.trainings.examples import NETWORK
from tests.api.conftest import Finished
from tests.api.problems import problem

SEARCH: dict[str, Any] = api.searches.examples.SPECS["explicit"]["value"]
TRAINING: dict[str, Any] = api.trainings.examples.SPECS["recipe"]["value"]
TUNING: dict[str, Any] = api.tunings.examples.SPECS["own"]["value"]

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
def mutated(draw: st.DrawFn, spec: dict[str, Any]) -> dict[str, Any]:
    """The spec with one or two of its parts replaced, left out or added to."""
    changed = copy.deepcopy(spec)
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


#: The same bodies each time, and none is too slow.
steady = settings(
    max_examples=100,
    deadline=None,  # No test depends on the machine's speed.
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def taken_or_pointed_at(response: httpx.Response) -> None:
    if not response.is_success:
        answer = problem(response, 422, response.json()["type"].rpartition(":")[2])
        assert all(error["pointer"].startswith("#") for error in answer.get("errors") or [])


@steady
@given(body=mutated(SEARCH))
def test_no_spec_of_a_search_breaks_the_service(shared: TestClient, body: dict[str, Any]) -> None:
    taken_or_pointed_at(shared.post("/searches/estimate", json=body))


@steady
@given(body=mutated(TRAINING))
def test_no_spec_of_a_training_breaks_the_service(trained: Finished, body: dict[str, Any]) -> None:
    if body.get("architecture") == NETWORK:
        body["architecture"] = trained.get("").json()["architecture_id"]
    taken_or_pointed_at(trained.client.post("/trainings", json=body))


@steady
@given(body=mutated(TUNING))
def test_no_spec_of_a_tuning_breaks_the_service(trained: Finished, body: dict[str, Any]) -> None:
    if body.get("architecture") == NETWORK:
        body["architecture"] = trained.get("").json()["architecture_id"]
    taken_or_pointed_at(trained.client.post("/tunings/estimate", json=body))
