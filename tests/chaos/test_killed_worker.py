"""A worker that dies in the middle costs the piece since the last checkpoint, and changes no result."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.e2e.conftest import SPEC, Service, service

__all__ = ["service"]

#: Long enough to be killed in the middle of distillation; ends with the ratings.
LONG: dict[str, Any] = SPEC | {"training": {"epochs": 12, "batch_size": 64}, "retrain": {"epochs": 1, "control": False}}


def distill(search: dict[str, Any]) -> dict[str, Any] | None:
    return next((step for step in search["steps"] if step["kind"] == "distill"), None)


@pytest.mark.timeout(300)
def test_ratings_equal_those_of_an_uninterrupted_run(service: Service) -> None:
    service.start_worker()
    search_id = service.post(LONG)
    while True:
        step = distill(service.search(search_id))
        if step is not None and step["state"] == "succeeded":
            pytest.fail("distillation ended before it could be interrupted")
        if step is not None and step["done"] >= 60:
            break
        time.sleep(0.02)
    service.kill_worker()
    before = distill(service.search(search_id))
    service.start_worker()
    search = service.wait(search_id, seconds=200)

    after = distill(search)
    assert before is not None
    assert after is not None
    assert after["attempt"] == 2
    assert {step["attempt"] for step in search["steps"] if step["kind"] == "teacher"} == {1}
    points = service.http.get(f"/searches/{search_id}/metrics").raise_for_status().json()
    steps = [x for x, _ in points["series"]["distill/b1c1/loss"]]
    repeated = len(steps) - len(set(steps))
    assert repeated < len(set(steps)) / 2, "more than the piece since the last checkpoint was done twice"

    again = service.post(LONG)
    service.wait(again, seconds=200)
    assert service.ratings(again) == service.ratings(search_id)
    assert service.search(again)["best"]["flops"] == search["best"]["flops"]
