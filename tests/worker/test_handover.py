"""Cells go over to workers that have nothing to do, where that is worth it, once, and to those that are fast."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from dna_engine.effort import work
from dna_engine.events import Progress
from dna_engine.plans import Kind, Phase
from dna_engine.space import CellRef
from store import attempts, claims, flow, jobs, line, steps, workers
from store.claims import Ask, Claim
from store.session import clock
from store.states import AttemptOutcome, StepState
from store.tables import Attempt, Search, Step, Worker
from store.workers import Condition
from tests.store.builders import finish_phase, new_search, new_worker, queued, take
from worker.handover import LeftToFaster, ask, share, suited, take_share
from worker.scheduling import Costs
from worker.settings import WorkerSettings

SETTINGS = WorkerSettings(hand_over_seconds=30.0)

COSTS = Costs([1.0, 2.0], {CellRef(1, 1): 4.0, CellRef(1, 2): 4.0, CellRef(2, 1): 4.0})


def whole(_: Session, __: Kind, spec: object) -> list[list[CellRef]]:
    return [spec.parsed_space.cells]  # type: ignore[attr-defined]


def distilling(session: Session, *, kind: Kind = Kind.DISTILL) -> tuple[Search, Worker, Claim]:
    """All cells in one step, which has run for a minute and needs ten more."""
    search, worker = (
        new_search(session, space="dna-mbconv", teacher={"model": "efficientnet_b0"}),
        new_worker(session, hostname="first"),
    )
    while search.phase != Phase(kind.value):
        for step in queued(session, search):
            flow.succeed(session, take(session, step, worker), {}, [], engine_seconds=1.0, group=whole)
    [step] = queued(session, search)
    claim = take(session, step, worker)
    runs(session, claim, left=600.0)
    return search, worker, claim


def runs(session: Session, claim: Claim, *, left: float, since: float = 60.0) -> None:
    flow.report(session, claim, [Progress(done=1, total=11, eta_seconds=left)], engine_seconds=since)
    began = clock(session) - timedelta(seconds=since)
    session.execute(update(Step).where(Step.id == claim.step_id).values(started_at=began))
    session.expire_all()


def asked(session: Session, claim: Claim) -> bool:
    return claims.asked(session, claim) == Ask.YIELD


def given_back(session: Session, claim: Claim) -> Step:
    flow.stop(session, claim, engine_seconds=0.0)
    return steps.get(session, claim.step_id)


def faster(session: Session, claim: Claim, worker: Worker, times: float) -> None:
    """Both have worked on the search, and the worker has done so much more in a second than the one that holds the claim."""
    holder = session.get_one(Worker, steps.get(session, claim.step_id).lease_owner)
    usual = work(claim.step, claim.spec) / 660.0  # As the step that has run for a minute.
    for fence, (each, rate) in enumerate([(holder, usual), (worker, usual * times)], start=100):
        attempt = Attempt(
            job_id=claim.job_id,
            step_id=claim.step_id,
            fence=fence,
            attempt=1,
            hostname=each.hostname,
            device=each.device,
            device_name=each.device_name,
            started_at=clock(session),
            outcome=AttemptOutcome.SUCCEEDED,
            engine_before=0.0,
            engine_seconds=60.0,
            work=60.0 * rate,
        )
        session.add(attempt)
    session.flush()


def test_what_is_gained_is_told() -> None:
    """Of 14, the slower of two does 5 + 4, and of three 6."""
    for count, end in ((1, 14), (2, 9), (3, 6)):
        assert share(COSTS, [1.0] * count, 140.0).saved == pytest.approx(140.0 - 10 * end)
    assert share(COSTS, [1.0, 100.0], 140.0).groups[0] == []


def test_a_worker_that_comes_late_takes_part(session: Session) -> None:
    search, worker, claim = distilling(session)
    late = new_worker(session, hostname="late")
    assert ask(session, late, SETTINGS)
    assert asked(session, claim)
    assert not ask(session, late, SETTINGS), "it was asked already"
    step = given_back(session, claim)
    assert (step.state, step.attempt) == (StepState.QUEUED, 0)
    assert [attempt.reason for attempt, _ in attempts.of_job(session, search.id, after=None, limit=9)][-1:] == [
        "idle workers take some of its cells over"
    ]
    own = take_share(session, take(session, step, worker), worker, SETTINGS)
    [part] = queued(session, search)
    assert sorted([*own.step.cells, *part.planned.cells]) == sorted(claim.step.cells)
    assert own.step.cells
    assert part.planned.cells
    runs(session, own, left=600.0)
    assert not ask(session, late, SETTINGS), "what waits comes first"
    other = take_share(session, take(session, part, late), late, SETTINGS)
    assert other.step.cells == part.planned.cells


def test_one_that_does_not_come_to_its_checkpoint_keeps_no_others_cells(session: Session) -> None:
    claimed = [claim for _, _, claim in (distilling(session), distilling(session))]
    late = new_worker(session, hostname="late")
    assert ask(session, late, SETTINGS)
    assert not ask(session, late, SETTINGS), "one is on its way"
    ago = Step.yield_asked_at - timedelta(seconds=100)
    session.execute(update(Step).values(yield_asked_at=ago))
    session.expire_all()
    assert ask(session, late, SETTINGS)
    assert all(asked(session, claim) for claim in claimed)


def test_rating_is_shared_too(session: Session) -> None:
    search, worker, claim = distilling(session, kind=Kind.RATE)
    assert ask(session, new_worker(session, hostname="late"), SETTINGS)
    own = take_share(session, take(session, given_back(session, claim), worker), worker, SETTINGS)
    [part] = queued(session, search)
    assert part.key == "rate-2"
    assert len(own.step.cells) < len(claim.step.cells)


def test_nobody_is_asked_where_little_is_gained_or_nothing_can_be(session: Session) -> None:
    search, worker, claim = distilling(session)
    late = new_worker(session, hostname="late")
    for left, since in ((40.0, 60.0), (600.0, 20.0)):
        runs(session, claim, left=left, since=since)
        assert not ask(session, late, SETTINGS), f"{left} s are left, after {since} s"
    runs(session, claim, left=600.0)
    assert not ask(session, worker, SETTINGS), "it runs the step itself"
    no_device = new_worker(session, hostname="no device", queues=["cpu"])
    workers.leave(session, late.id)
    assert not ask(session, no_device, SETTINGS)
    assert not ask(session, late, SETTINGS), "it has left"
    late = new_worker(session, hostname="another")
    other = new_search(session)
    assert not ask(session, late, SETTINGS), "it can take the other search"
    flow.cancel(session, other.id)
    workers.beat(session, late, current_step_id=None, condition=Condition(redis_answers=False))
    assert not ask(session, late, SETTINGS), "nothing would wake it for them"
    workers.beat(session, late, current_step_id=None, condition=Condition(redis_answers=True))
    assert ask(session, late, SETTINGS)
    flow.cancel(session, search.id)
    assert claims.asked(session, claim) == Ask.STOP


def test_a_job_that_is_to_stop_is_not_shared(session: Session) -> None:
    search, _, _ = distilling(session)
    flow.cancel(session, search.id)
    assert not ask(session, new_worker(session, hostname="late"), SETTINGS)


def test_a_single_cell_is_not_shared(session: Session) -> None:
    search, worker, claim = distilling(session)
    cells = [CellRef.parse(cell) for cell in claim.step.cells]
    step = steps.get(session, claim.step_id)
    step.payload = claim.step.model_copy(update={"cells": [str(cells[0])]}).model_dump(mode="json")
    session.flush()
    assert not ask(session, new_worker(session, hostname="late"), SETTINGS)
    own = take(session, given_back(session, claim), worker)
    assert take_share(session, own, worker, SETTINGS) == own
    assert not queued(session, search)


def test_of_several_steps_the_one_is_asked_that_gains_most(session: Session) -> None:
    _, _, short = distilling(session)
    _, _, long = distilling(session)
    runs(session, short, left=200.0)
    late = new_worker(session, hostname="late")
    assert ask(session, late, SETTINGS)
    assert not asked(session, short)
    assert asked(session, long)


def test_what_one_that_leaves_gives_back_is_shared_by_the_others(session: Session) -> None:
    search, worker, claim = distilling(session)
    second, third = (new_worker(session, hostname=name) for name in ("second", "third"))
    workers.leave(session, worker.id)
    workers.beat(session, worker, current_step_id=None)  # It still beats while it leaves.
    own = take_share(session, take(session, given_back(session, claim), second), second, SETTINGS)
    [part] = queued(session, search)
    assert sorted([*own.step.cells, *part.planned.cells]) == sorted(claim.step.cells)
    assert steps.get(session, claim.step_id).lease_owner == second.id
    assert take_share(session, take(session, part, third), third, SETTINGS).step.cells == part.planned.cells


def test_a_busy_worker_is_not_counted_on(session: Session) -> None:
    search, worker, claim = distilling(session)
    busy = new_worker(session, hostname="busy")
    take(session, queued(session, new_search(session))[0], busy)
    own = take(session, given_back(session, claim), worker)
    assert take_share(session, own, worker, SETTINGS) == own
    assert not queued(session, search)


def test_a_fast_worker_gets_more_of_the_cells(session: Session) -> None:
    search, worker, claim = distilling(session)
    late = new_worker(session, hostname="late")
    faster(session, claim, late, 3.0)
    assert ask(session, late, SETTINGS)
    own = take_share(session, take(session, given_back(session, claim), worker), worker, SETTINGS)
    [part] = queued(session, search)
    assert own.step.cells
    assert work(part.planned, claim.spec) > 1.5 * work(own.step, claim.spec)


def test_a_slow_worker_is_not_worth_stopping_for(session: Session) -> None:
    _, _, claim = distilling(session)
    late = new_worker(session, hostname="late")
    faster(session, claim, late, 0.01)
    assert not ask(session, late, SETTINGS)


def head(step: Step) -> line.Next:
    return line.Next(step.id, step.kind)


def test_the_largest_group_is_for_the_fastest(session: Session) -> None:
    search, worker, claim = distilling(session)
    late = new_worker(session, hostname="late")
    faster(session, claim, late, 3.0)
    first = given_back(session, claim)
    take_share(session, take(session, first, worker), worker, SETTINGS)
    [large] = queued(session, search)
    flow.stop(session, take_again(session, first), engine_seconds=0.0)
    assert {suited(session, head(step), late, SETTINGS) for step in (first, large)} == {large.id}
    assert {suited(session, head(step), worker, SETTINGS) for step in (first, large)} == {first.id}
    # The fast one has its own, and the other what is left.
    take(session, large, late)
    assert suited(session, head(first), worker, SETTINGS) == first.id


def test_the_larger_group_is_for_one_that_is_hardly_faster_too(session: Session) -> None:
    """Groups are of the sizes that speeds ask for. Neither waits for the other."""
    search, worker, claim = distilling(session)
    late = new_worker(session, hostname="late")
    faster(session, claim, late, 1.1)
    first = given_back(session, claim)
    take_share(session, take(session, first, worker), worker, SETTINGS)
    [large] = queued(session, search)
    flow.stop(session, take_again(session, first), engine_seconds=0.0)
    assert work(large.planned, claim.spec) > work(steps.get(session, first.id).planned, claim.spec)
    assert {suited(session, head(step), late, SETTINGS) for step in (first, large)} == {large.id}
    assert {suited(session, head(step), worker, SETTINGS) for step in (first, large)} == {first.id}
    take(session, first, worker)
    found = {suited(session, head(large), each, SETTINGS) for each in (late, new_worker(session, hostname="other"))}
    assert found == {large.id}


def take_again(session: Session, step: Step) -> Claim:
    """What the holder of a step holds."""
    claim = claims.of_worker(session, session.get_one(Worker, step.lease_owner))
    assert claim is not None
    return claim


def test_what_is_for_a_faster_worker_waits_for_it_a_moment(session: Session) -> None:
    search, worker, claim = distilling(session)
    late = new_worker(session, hostname="late")
    faster(session, claim, late, 50.0)
    step = given_back(session, claim)
    with pytest.raises(LeftToFaster, match="distill-1 is left to a faster worker"):
        suited(session, head(step), worker, SETTINGS)
    assert suited(session, head(step), late, SETTINGS) == step.id
    step.queued_at = clock(session) - timedelta(seconds=10)
    assert suited(session, head(step), worker, SETTINGS) == step.id, "the other did not come"
    own = take(session, step, worker)
    assert take_share(session, own, worker, SETTINGS) == own
    assert not queued(session, search)


@pytest.mark.parametrize("gone", ["taken", "deleted"])
def test_what_was_taken_or_deleted_meanwhile_is_left_to_the_claim(session: Session, gone: str) -> None:
    search, worker, claim = distilling(session)
    new_worker(session, hostname="idle")
    step = given_back(session, claim)
    seen = head(step)
    if gone == "taken":
        take(session, step, worker)
    else:
        flow.cancel(session, search.id)
        jobs.delete(session, search.id)
    late = new_worker(session, hostname="late")
    assert suited(session, seen, late, SETTINGS) == seen.id
    assert flow.claim(session, seen.id, late, lease_seconds=60) is None


def test_other_kinds_of_step_are_taken_as_they_come(session: Session) -> None:
    search, worker = new_search(session), new_worker(session)
    [teacher] = queued(session, search)
    assert suited(session, head(teacher), worker, SETTINGS) == teacher.id
    claim = take(session, teacher, worker)
    assert take_share(session, claim, worker, SETTINGS) == claim
    flow.stop(session, claim, engine_seconds=0.0)
    finish_phase(session, search, worker)
    step, other = queued(session, search)
    assert suited(session, head(other), worker, SETTINGS) in (step.id, other.id)
