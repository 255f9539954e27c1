"""A worker gives its step back in the middle, for a job that goes before it; when that is so: tests/store/test_preemption.py."""

from __future__ import annotations

import re
from collections.abc import Callable

from store import attempts
from store.session import transaction
from store.states import AttemptOutcome, StepState
from tests.store.builders import new_search
from tests.worker.conftest import Bench
from tests.worker.test_supervisor import supervised
from worker.app import make_app
from worker.maintenance import Maintenance


def test_the_worker_goes_to_a_job_of_a_higher_priority(
    bench: Bench, wait_for: Callable[[Callable[[], bool]], None]
) -> None:
    bench.slot.settings = bench.slot.settings.model_copy(update={"preempt_seconds": 0.01, "reap_seconds": 0.1})
    with (
        make_app(bench.slot.settings) as app,
        Maintenance(bench.slot, app),
        supervised(bench, "slow", wait_for),
        transaction(bench.slot.sessions) as session,
    ):
        urgent = new_search(session, priority="high").id
    assert (bench.step.state, bench.step.attempt) == (StepState.QUEUED, 0)
    with transaction(bench.slot.sessions) as session:
        [(attempt, _)] = attempts.of_job(session, bench.job_id, after=None, limit=100)
    assert attempt.outcome == AttemptOutcome.RELEASED
    assert re.fullmatch(r"a job of a higher priority has waited for \d+ s", attempt.reason or "")
    assert bench.claim_next().job_id == urgent
