from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import anyio
import httpx
import pytest

from store.reach import Target
from tests.receivers import receiver
from worker.post import Answer, post


def answer(status: int, retry_after: str) -> Answer:
    """Of a receiver that answers so."""
    with receiver() as told:
        told.statuses, told.headers = [status], {"Retry-After": retry_after}
        target = Target(httpx.URL(told.url), told.port, ["127.0.0.1"])
        return anyio.run(post, target, {}, "{}", ssl.create_default_context())


@pytest.mark.parametrize(
    ("status", "said", "seconds"),
    [
        pytest.param(429, "120", 120.0, id="too many"),
        pytest.param(503, "0", 0.0, id="at once"),
        pytest.param(503, "9" * 400, float("inf"), id="never"),
        pytest.param(503, "Wed, 21 Oct 2015 07:28:00 GMT", 0.0, id="past"),
        pytest.param(500, "120", None, id="another status"),
        pytest.param(204, "120", None, id="taken"),
        pytest.param(503, "-5", None, id="negative"),
        pytest.param(503, "soon", None, id="word"),
        pytest.param(503, "", None, id="nothing"),
        pytest.param(503, "Mon, 99999999999999999999 Jan 2026 00:00:00 GMT", None, id="no such day"),
        pytest.param(503, "\xb2", None, id="a digit of another alphabet"),
    ],
)
def test_when_it_wants_more(status: int, said: str, seconds: float | None) -> None:
    assert (found := answer(status, said)).retry_after == seconds
    assert found.status == status


@pytest.mark.parametrize("zone", ["GMT", "-0000"])
def test_a_date_is_as_good_as_seconds(zone: str) -> None:
    date = datetime.now(UTC) + timedelta(hours=1)
    found = answer(503, format_datetime(date).removesuffix("+0000") + zone)
    assert found.retry_after is not None
    assert 3000.0 < found.retry_after <= 3600.0
