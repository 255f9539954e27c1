"""When a step that runs gives way to what has waited long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import func, update
from sqlalchemy.orm import Session

from dna_engine.spec import Priority
from store import claims, flow, keys, preemption, shares
from store import waiting as waiting_for
from store.actors import OPERATOR, acting
from store.claims import Ask, Claim
from store.limits import Limits
from store.states import StepState
from store.tables import ApiKey, Job, Step
from tests.store.builders import finish_phase, new_search, new_worker, next_id, queued, succeed, take

PATIENCE = timedelta(seconds=300)


@dataclass(frozen=True)
class Case:
    """A step that runs and a job that waits; times in seconds, what the job needs as the plan has it.

    Attributes:
        pace: of the device, in seconds for one of the plan.
        more: device-seconds by which the one who waits has had more than the other; None where one key has both.
    """

    ran: float = 1000.0
    left: float = 1000.0
    waited: float = 400.0
    needs: float = 500.0
    pace: float = 1.0
    runs: Priority = Priority.NORMAL
    waits: Priority = Priority.NORMAL
    more: float | None = None


YIELDS = {
    "a small job of the same key": Case(),
    "a small job of a key that has had less": Case(more=-100.0),
    "a higher priority, however large and whoever has had less": Case(waits=Priority.HIGH, needs=1e6, more=100.0),
    "normal before low": Case(runs=Priority.LOW, needs=1e6),
    "what is small on a fast device": Case(pace=0.1, needs=5000.0),
}
STAYS = {
    "it has not run for long": Case(ran=200.0, needs=10.0),
    "nor for long enough for a priority": Case(ran=200.0, waits=Priority.HIGH),
    "it is nearly done": Case(left=200.0, needs=10.0, waits=Priority.HIGH),
    "the job has not waited for long": Case(waited=200.0, waits=Priority.HIGH),
    "the job needs more than it has run": Case(ran=450.0),
    "the job needs more than it has left": Case(left=450.0),
    "the job's key has had more": Case(more=100.0),
    "a lower priority": Case(waits=Priority.LOW),
    "what is not small on a slow device": Case(pace=10.0, needs=150.0),
}


def staged(session: Session, case: Case) -> tuple[Claim, Job]:
    """The case as it is in the tables: a step that was claimed, and the job that waits."""
    owners = [keys.caller_of(keys.create(session, name, limits=Limits())[0]).actor for name in ("one", "two")]
    made = []
    for owner, priority in ((owners[0], case.runs), (owners[case.more is not None], case.waits)):
        session.info.update(acting(owner))
        made.append(new_search(session, priority=priority.value))
    session.info.update(acting(OPERATOR))
    running, waiting = made
    claim = take(session, queued(session, running)[0], new_worker(session))
    shares.take(session, running.share_id, 1000.0)
    if case.more is not None:
        shares.take(session, waiting.share_id, 1000.0 + case.more)
    now = func.clock_timestamp()
    session.execute(
        update(Step).where(Step.id == claim.step_id).values(
            started_at=now - timedelta(seconds=case.ran), eta_seconds=case.left, done=50, total=100,
            engine_seconds=1000.0, expected_seconds=1000.0 / case.pace * 2,
        )
    )  # fmt: skip
    since = now - timedelta(seconds=case.waited)
    session.execute(update(Step).where(Step.job_id == waiting.id).values(queued_at=since, available_at=since))
    waiting.expected_seconds = case.needs
    session.flush()
    return claim, waiting


@pytest.mark.parametrize("what", YIELDS)
def test_a_step_gives_way(session: Session, what: str) -> None:
    claim, waiting = staged(session, YIELDS[what])
    asked = preemption.make_way(session, patience=PATIENCE)
    assert asked is not None
    assert (asked.step_id, asked.job_id) == (claim.step_id, waiting.id)
    assert claims.asked(session, claim) == Ask.YIELD
    assert preemption.make_way(session, patience=PATIENCE) is None, "one is on its way"
    flow.stop(session, claim, engine_seconds=1.0)
    assert next_id(session, "gpu") == queued(session, waiting)[0].id, "its worker is for whom it gave way"


@pytest.mark.parametrize("what", STAYS)
def test_a_step_stays(session: Session, what: str) -> None:
    claim, _ = staged(session, STAYS[what])
    assert preemption.make_way(session, patience=PATIENCE) is None
    assert claims.asked(session, claim) is None


def test_what_is_let_through_goes_through_all_of_its_phases(session: Session) -> None:
    claim, waiting = staged(session, Case())
    assert preemption.make_way(session, patience=PATIENCE) is not None
    flow.stop(session, claim, engine_seconds=1.0)
    succeed(session, take(session, queued(session, waiting)[0], new_worker(session)))
    session.refresh(waiting)
    assert next_id(session, "gpu") in {step.id for step in queued(session, waiting)}


def test_nobody_else_gets_the_worker_that_a_step_has_given_up(session: Session) -> None:
    """Not a key that had nothing yet, either: with many of those a small job would wait for all of them."""
    claim, waiting = staged(session, Case(more=-100.0))
    session.info.update(acting(keys.caller_of(keys.create(session, "new", limits=Limits())[0]).actor))
    other = new_search(session)
    session.info.update(acting(OPERATOR))
    assert next_id(session, "gpu") == queued(session, other)[0].id
    assert preemption.make_way(session, patience=PATIENCE) is not None
    flow.stop(session, claim, engine_seconds=1.0)
    assert next_id(session, "gpu") == queued(session, waiting)[0].id
    look = waiting_for.look(session, live_within=timedelta(minutes=1))
    assert [look.wait(job.id).queue_position for job in (waiting, other)] == [1, 2]


def test_of_several_the_least_gives_way_and_only_to_what_its_worker_takes(session: Session) -> None:
    """The lowest priority first; a worker of other queues is no use."""
    first, waiting = staged(session, Case(waits=Priority.HIGH))
    low = new_search(session, priority="low")
    second = take(session, queued(session, low)[0], new_worker(session))
    elsewhere = take(
        session, queued(session, new_search(session, priority="low"))[0], new_worker(session, queues=["cpu"])
    )
    for claim in (second, elsewhere):
        begun = func.clock_timestamp() - timedelta(seconds=1000)
        session.execute(update(Step).where(Step.id == claim.step_id).values(started_at=begun, eta_seconds=1000.0))
    asked = preemption.make_way(session, patience=PATIENCE)
    assert asked is not None
    assert (asked.step_id, asked.job_id) == (second.step_id, waiting.id)
    assert asked.reason == "a job of a higher priority has waited for 7 min"
    assert claims.asked(session, first) is claims.asked(session, elsewhere) is None


def test_another_is_asked_where_one_does_not_come_to_its_checkpoint(session: Session) -> None:
    """It is still to yield: what hangs may go on."""
    first, waiting = staged(session, Case(runs=Priority.LOW, waits=Priority.HIGH))
    second = take(session, queued(session, new_search(session))[0], new_worker(session))
    begun = func.clock_timestamp() - timedelta(seconds=1000)
    session.execute(update(Step).where(Step.id == second.step_id).values(started_at=begun, eta_seconds=1000.0))
    for claim in (first, second):
        asked = preemption.make_way(session, patience=PATIENCE)
        assert asked is not None
        assert (asked.step_id, asked.job_id) == (claim.step_id, waiting.id)
        assert preemption.make_way(session, patience=PATIENCE) is None, "one is on its way"
        session.execute(update(Step).values(yield_asked_at=Step.yield_asked_at - PATIENCE))
        assert preemption.make_way(session, patience=PATIENCE, hanging=2 * PATIENCE) is None
    assert preemption.make_way(session, patience=PATIENCE) is None, "nothing else runs"
    assert claims.asked(session, first) == claims.asked(session, second) == Ask.YIELD
    flow.stop(session, first, engine_seconds=1.0)
    again = take(session, session.get_one(Step, first.step_id), new_worker(session))
    assert claims.asked(session, again) is None


def test_nothing_gives_way_to_what_may_not_begin(session: Session) -> None:
    claim, waiting = staged(session, Case())
    row = session.get_one(ApiKey, waiting.key_id)
    row.limits = {"running_jobs": 1}
    session.flush()
    assert preemption.make_way(session, patience=PATIENCE) is None
    assert claims.asked(session, claim) is None


def test_no_step_gives_way_to_another_of_its_job(session: Session) -> None:
    """However little is left of the job by what its plan gives it."""
    search, worker = new_search(session), new_worker(session)
    finish_phase(session, search, worker)
    first, second = queued(session, search)
    claim = take(session, first, worker)
    now = func.clock_timestamp()
    begun, since = now - timedelta(seconds=1000), now - timedelta(seconds=400)
    session.execute(update(Step).where(Step.id == first.id).values(started_at=begun, eta_seconds=1000.0))
    session.execute(update(Step).where(Step.id == second.id).values(queued_at=since, available_at=since))
    search.expected_seconds = 10.0
    session.flush()
    assert preemption.make_way(session, patience=PATIENCE) is None
    assert claims.asked(session, claim) is None


def test_one_without_checkpoints_is_left_to_its_end(session: Session) -> None:
    claim, _ = staged(session, Case(waits=Priority.HIGH))
    session.execute(update(Step).where(Step.id == claim.step_id).values(kind="select"))
    assert preemption.make_way(session, patience=PATIENCE) is None
    assert session.get_one(Step, claim.step_id).state == StepState.RUNNING
