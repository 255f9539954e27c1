"""What a key may use, counted by several at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session

from store import flow, keys, moves, outbox, quotas, steps, teachers, waiting, workers
from store.actors import Actor
from store.blobs import Blob, location_of
from store.claims import Claim
from store.columns import new_id
from store.embedded import Servers
from store.errors import QueueFull, QuotaSpent
from store.limits import Limits
from store.session import Sessions, make_engine, make_sessions, transaction
from store.states import JobKind, JobState, StepState
from store.tables import ApiKey, Artifact, DeviceUse, Job, OutboxMessage, Search, Step, Teacher, Worker
from tests.conftest import new_database
from tests.store.builders import new_search, new_worker, next_id, queued, take
from tests.store.test_concurrency import at_once

MAKE = Callable[[Limits], Actor]


@pytest.fixture(scope="module")
def engine(servers: Servers, migrated: str) -> Iterator[Engine]:
    """On a database of this file: each test has a key of its own."""
    with new_database(servers.database_url, template=migrated) as url:
        engine = make_engine(url, pool_size=10)
        yield engine
        engine.dispose()


@pytest.fixture
def everything(engine: Engine) -> Iterator[Sessions]:
    """Sessions of an operator. What is left in the queue goes."""
    sessions = make_sessions(engine)
    yield sessions
    with transaction(sessions) as session:
        for job_id in session.scalars(select(Job.id).where(Job.state.in_([JobState.QUEUED, JobState.RUNNING]))):
            session.execute(update(Job).where(Job.id == job_id).values(state=JobState.FAILED))


@pytest.fixture
def worker(everything: Sessions) -> Worker:
    with transaction(everything) as session:
        return new_worker(session)


@pytest.fixture
def key(everything: Sessions) -> MAKE:
    def make(limits: Limits) -> Actor:
        with transaction(everything) as session:
            return keys.caller_of(keys.create(session, "limited", limits=limits)[0]).actor

    return make


def searches(engine: Engine, actor: Actor, count: int) -> list[Search]:
    with transaction(make_sessions(engine, actor)) as session:
        return [new_search(session) for _ in range(count)]


def test_of_many_requests_at_once_as_many_are_taken_as_there_are_places(engine: Engine, key: MAKE) -> None:
    actor = key(Limits(queued_jobs=2))
    searches(engine, actor, 1)

    def ask(_: int) -> bool:
        try:
            return bool(searches(engine, actor, 1))
        except QueueFull:
            return False

    assert sorted(at_once(6, ask)) == [False] * 5 + [True]
    with pytest.raises(QueueFull, match="2 jobs of this key wait"):
        searches(engine, actor, 1)
    assert searches(engine, key(Limits()), 3)


def test_a_job_that_runs_waits_no_more_and_a_resumed_one_does_again(
    engine: Engine, everything: Sessions, key: MAKE, worker: Worker
) -> None:
    actor = key(Limits(queued_jobs=1))
    [first] = searches(engine, actor, 1)
    with transaction(everything) as session:
        take(session, queued(session, session.get_one(Job, first.id))[0], worker)
    [second] = searches(engine, actor, 1)
    with transaction(everything) as session:
        flow.cancel(session, second.id)
    searches(engine, actor, 1)
    with transaction(everything) as session, pytest.raises(QueueFull):
        flow.resume(session, second.id)  # Whoever does, it is a job of that key.


def test_of_many_workers_at_once_as_many_begin_a_job_as_may_run(
    engine: Engine, everything: Sessions, key: MAKE, worker: Worker
) -> None:
    made = searches(engine, key(Limits(running_jobs=2)), 4)
    with transaction(everything) as session:
        first = [steps.of_job(session, search.id)[0].id for search in made]

    def claim(number: int) -> bool:
        with transaction(everything) as session:
            return flow.claim(session, first[number], worker, lease_seconds=60) is not None

    assert sorted(at_once(4, claim)) == [False, False, True, True]
    with transaction(everything) as session:
        assert session.scalar(select(func.count(Job.id)).where(Job.state == JobState.RUNNING)) == 2
        assert next_id(session, "gpu") is None
    [other] = searches(engine, key(Limits()), 1)
    with transaction(everything) as session:
        step_id = next_id(session, "gpu")
        assert steps.get(session, step_id or other.id).job_id == other.id, "what may not run holds nobody else up"


def test_what_may_not_run_yet_says_so_and_goes_on_when_another_ends(
    engine: Engine, everything: Sessions, key: MAKE, worker: Worker
) -> None:
    first, second = searches(engine, key(Limits(running_jobs=1)), 2)
    with transaction(everything) as session:
        take(session, queued(session, session.get_one(Job, first.id))[0], worker)
        look = waiting.look(session, live_within=workers.SILENCE)
        assert look.reason(first.id) is None
        assert look.wait(second.id) == waiting.Wait("the end of the one job that its key may run at once")
        flow.cancel(session, first.id)
        session.execute(update(Job).where(Job.id == first.id).values(state=JobState.CANCELLED))
        step_id = next_id(session, "gpu")
        assert step_id is not None
        assert flow.claim(session, step_id, worker, lease_seconds=60) is not None


def announced(session: Session) -> set[UUID]:
    """The jobs whose steps are announced by messages that are not sent yet; those are taken."""
    waiting = list(session.scalars(select(OutboxMessage).where(OutboxMessage.sent_at.is_(None))))
    outbox.mark_sent(session, [message.id for message in waiting])
    return {steps.get(session, UUID(message.payload["step_id"])).job_id for message in waiting}


def fails(session: Session, claim: Claim) -> None:
    flow.fail(session, claim, {"code": "a", "message": "b", "param": None}, engine_seconds=1.0, retry=False)


def is_cancelled(session: Session, claim: Claim) -> None:
    flow.cancel(session, claim.job_id)
    assert not announced(session), "what runs still holds the place"
    flow.stop(session, claim, engine_seconds=1.0)


def succeeds(session: Session, claim: Claim) -> None:
    job = session.get_one(Job, claim.job_id)
    moves.leave(session, job, session.get_one(Step, claim.step_id), StepState.SUCCEEDED)
    moves.finish(session, job, JobState.SUCCEEDED)


@pytest.mark.parametrize("end", [fails, is_cancelled, succeeds])
def test_when_a_job_ends_the_next_one_of_its_key_is_announced(
    engine: Engine, everything: Sessions, key: MAKE, worker: Worker, end: Callable[[Session, Claim], None]
) -> None:
    first, second, _ = searches(engine, key(Limits(running_jobs=1)), 3)
    with transaction(everything) as session:
        claim = take(session, queued(session, session.get_one(Job, first.id))[0], worker)
        announced(session)  # Whoever is woken by these finds nothing that may run.
        assert next_id(session, "gpu") is None
        end(session, claim)
        assert announced(session) == {second.id}


def test_where_as_many_may_run_as_wait_nobody_is_announced_again(
    engine: Engine, everything: Sessions, key: MAKE, worker: Worker
) -> None:
    first, _ = searches(engine, key(Limits()), 2)
    with transaction(everything) as session:
        claim = take(session, queued(session, session.get_one(Job, first.id))[0], worker)
        announced(session)
        fails(session, claim)
        assert not announced(session)


def test_a_job_that_is_made_while_another_ends_is_announced_when_it_may_run(
    engine: Engine, everything: Sessions, key: MAKE, worker: Worker
) -> None:
    actor = key(Limits(running_jobs=1))
    [first] = searches(engine, actor, 1)
    with transaction(everything) as session:
        claim = take(session, queued(session, session.get_one(Job, first.id))[0], worker)
    with ThreadPoolExecutor(1) as pool:
        with transaction(everything) as session:
            announced(session)
            fails(session, claim)
            asked = pool.submit(searches, engine, actor, 1)
            with pytest.raises(TimeoutError):
                asked.result(timeout=0.3)
        [second] = asked.result(timeout=60)
    with transaction(everything) as session:
        assert announced(session) == {second.id}
        step_id = next_id(session, "gpu")
        assert step_id is not None
        assert steps.get(session, step_id).job_id == second.id


def test_device_hours_count_though_the_job_is_deleted(
    engine: Engine, everything: Sessions, key: MAKE, worker: Worker
) -> None:
    actor = key(Limits(device_hours=0.5))
    [search] = searches(engine, actor, 1)
    with transaction(everything) as session:
        claim = take(session, queued(session, session.get_one(Job, search.id))[0], worker)
        flow.report(session, claim, [], engine_seconds=600.0)
        flow.fail(session, claim, {"code": "a", "message": "b", "param": None}, engine_seconds=1199.0, retry=False)
        assert quotas.used(session, actor.key_id or search.id).device_hours == pytest.approx(1799 / 3600)
        session.delete(session.get_one(Job, search.id))
    [again] = searches(engine, actor, 1)
    with transaction(everything) as session:
        claim = take(session, queued(session, session.get_one(Job, again.id))[0], worker)
        flow.stop(session, claim, engine_seconds=2.0)
    with pytest.raises(QuotaSpent, match=r"0\.5 device-hours in the last 30 days"):
        searches(engine, actor, 1)
    with transaction(everything) as session:
        session.execute(update(DeviceUse).where(DeviceUse.key_id == actor.key_id).values(day=DeviceUse.day - 30))
    assert searches(engine, actor, 1)


def test_no_job_begins_when_the_device_hours_are_used_up(
    engine: Engine, everything: Sessions, key: MAKE, worker: Worker
) -> None:
    actor = key(Limits(device_hours=1.0, running_jobs=2))
    first, second = searches(engine, actor, 2)
    with transaction(everything) as session:
        [waits] = queued(session, session.get_one(Job, second.id))
        claim = take(session, queued(session, session.get_one(Job, first.id))[0], worker)
        assert next_id(session, "gpu") == waits.id
        flow.report(session, claim, [], engine_seconds=3600.0)
        assert flow.claim(session, waits.id, worker, lease_seconds=60) is None
        assert next_id(session, "gpu") is None
        look = waiting.look(session, live_within=workers.SILENCE)
        assert look.reason(first.id) is None, "what runs goes on"
        said = "device-hours of its key, whose jobs took all that they may in 30 days"
        assert look.wait(second.id) == waiting.Wait(said)
        session.execute(update(ApiKey).where(ApiKey.id == actor.key_id).values(limits={"device_hours": 1.1}))
        session.expire_all()
        assert second.id not in quotas.held(session)
        take(session, waits, worker)


def test_what_needs_no_device_takes_no_hours(engine: Engine, everything: Sessions, key: MAKE, worker: Worker) -> None:
    actor = key(Limits())
    [search] = searches(engine, actor, 1)
    with transaction(everything) as session:
        step = queued(session, session.get_one(Job, search.id))[0]
        step.queue = "cpu"
        session.flush()
        flow.report(session, take(session, step, worker), [], engine_seconds=600.0)
        step.queue = "gpu4"
        quotas.spend(session, session.get_one(Job, search.id), step, 10.0)
        assert quotas.used(session, actor.key_id or search.id).device_hours == pytest.approx(40 / 3600)


def test_of_many_uploads_at_once_as_many_are_kept_as_there_is_room(engine: Engine, key: MAKE) -> None:
    actor, begun = key(Limits(stored_bytes=100)), [0]

    def looked(session: Session) -> int:
        found = begun[0]
        session.scalar(select(func.pg_sleep(0.02)))  # Others look meanwhile, where they may.
        return found

    def send(_: int) -> bool:
        try:
            with transaction(make_sessions(engine, actor)) as session:
                quotas.keep(session, 40, arriving=lambda: looked(session))
                begun[0] = looked(session) + 40
                return True
        except QuotaSpent:
            return False

    assert sorted(at_once(5, send)) == [False] * 3 + [True] * 2


def test_what_is_kept_counts(engine: Engine, everything: Sessions, key: MAKE) -> None:
    actor = key(Limits(stored_bytes=100))
    [search] = searches(engine, actor, 1)
    with transaction(everything) as session:
        file = {"name": "images.tar", "media_type": "", "sha256": "", "location": f"{search.id}"}
        session.add(Artifact(job_id=search.id, size=90, **file))
        session.flush()
        assert quotas.used(session, actor.key_id or search.id).stored_bytes == 0, "what searches leave is not sent"
        session.execute(update(Job).where(Job.id == search.id).values(kind=JobKind.CHECK))
        assert quotas.used(session, actor.key_id or search.id, arriving=5).stored_bytes == 95
    with transaction(make_sessions(engine, actor)) as session:
        quotas.keep(session, 10, arriving=lambda: 0)
        with pytest.raises(QuotaSpent, match="101 that are kept for this key, and it may keep 100"):
            quotas.keep(session, 11, arriving=lambda: 0)
    with transaction(everything) as session:
        session.execute(update(Job).where(Job.id == search.id).values(kind=JobKind.SEARCH))


def test_a_teacher_that_was_deleted_counts_once_while_searches_keep_its_files(
    engine: Engine, everything: Sessions, key: MAKE
) -> None:
    actor, other = key(Limits(stored_bytes=100)), key(Limits(stored_bytes=100))

    def stored(of: Actor) -> int:
        with transaction(everything) as session:
            return quotas.used(session, of.key_id or new_id()).stored_bytes

    def blob(size: int) -> Blob:
        return Blob(blob_id := new_id(), location_of(blob_id), size, "0" * 64)

    half = [0.5] * 3
    with transaction(make_sessions(engine, actor)) as session:
        teacher = teachers.create(
            session, "sent", "resnet18.a1_in1k", num_classes=10, mean=half, std=half, weights=blob(60), about=blob(1)
        )
        begun = [new_search(session, teacher={"from": str(teacher.id)}).id for _ in range(2)]
        teacher_id = teacher.id
    assert (stored(actor), stored(other)) == (60, 0)
    with transaction(make_sessions(engine, actor)) as session:
        teachers.delete(session, session.get_one(Teacher, teacher_id))
    assert (stored(actor), stored(other)) == (61, 0)
    with transaction(make_sessions(engine, actor)) as session, pytest.raises(QuotaSpent, match="101 that are kept"):
        quotas.keep(session, 40, arriving=lambda: 0)
    with transaction(everything) as session:
        for search_id in begun:
            session.delete(session.get_one(Job, search_id))
    assert stored(actor) == 0


def test_limits_that_were_changed_hold_for_what_waits(engine: Engine, everything: Sessions, key: MAKE) -> None:
    actor = key(Limits(running_jobs=1))
    first, second = searches(engine, actor, 2)
    with transaction(everything) as session:
        session.execute(update(Job).where(Job.id == first.id).values(state=JobState.RUNNING))
        assert set(quotas.held(session)) == {second.id}
        session.execute(update(ApiKey).where(ApiKey.id == actor.key_id).values(limits={"running_jobs": 2}))
        assert not quotas.held(session)


def test_nobody_without_a_key_is_counted(session: Session) -> None:
    search = new_search(session)
    quotas.spend(session, search, steps.of_job(session, search.id)[0], 10.0)
    quotas.keep(session, 10**18, arriving=lambda: 0)
    assert session.scalar(select(func.count()).select_from(DeviceUse)) == 0
