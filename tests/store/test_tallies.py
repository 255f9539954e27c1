"""What has happened is counted once, with what commits it, and stays counted."""

from __future__ import annotations

import math
from threading import Thread

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dna_engine.errors import OutOfMemory
from dna_engine.plans import Kind
from store import deliveries, flow, jobs, notices, tallies
from store.deliveries import Outcome, Patience
from store.session import Sessions, transaction
from store.states import JobKind, JobState
from store.tables import Step, Tally
from store.tallies import JOB_SECONDS, STEP_FAILURES, STEP_RETRIES, STEP_SECONDS, WEBHOOK_SECONDS
from tests.store.builders import new_search, new_webhook, new_worker, queued, succeed, take
from worker.failures import ENGINE_CRASHED, ENGINE_KILLED, WORKER_ERROR

CRASH = {"code": "engine_crashed", "message": "", "param": None}


def fail(session: Session, *, retry: bool) -> None:
    claim = take(session, queued(session, session.info["job"])[0], session.info["worker"])
    flow.fail(session, claim, CRASH, engine_seconds=1.0, retry=retry)


def test_attempts_and_jobs_are_counted_by_how_they_ended(session: Session) -> None:
    search, worker = new_search(session), new_worker(session)
    session.info |= {"job": search, "worker": worker}
    fail(session, retry=True)
    claim = take(session, queued(session, search)[0], worker)
    seen = session.get_one(Step, claim.step_id)
    seen.lease_expires_at = seen.queued_at
    session.flush()
    assert flow.reap(session, seen) is not None
    fail(session, retry=False)
    session.expire_all()
    flow.resume(session, search.id)
    succeed(session, take(session, queued(session, search)[0], worker))
    flow.cancel(session, search.id)
    read = tallies.read(session)
    attempts = {labels: series.count for labels, series in read[STEP_SECONDS].items() if series.count}
    assert attempts == {("teacher", "failed"): 2, ("teacher", "lost"): 1, ("teacher", "succeeded"): 1}
    failures = {labels: series.count for labels, series in read[STEP_FAILURES].items()}
    assert failures == {("teacher", "engine_crashed"): 2, ("teacher", "worker_lost"): 1}
    assert read[STEP_RETRIES][("teacher",)].count == 2
    ended = {labels: series.count for labels, series in read[JOB_SECONDS].items() if series.count}
    assert ended == {("search", "failed"): 1, ("search", "cancelled"): 1}
    assert read[JOB_SECONDS][JobKind.SEARCH, JobState.SUCCEEDED].count == 0, "it is there before anything happens"


def test_messages_are_counted_by_what_came_of_them(session: Session) -> None:
    webhook = new_webhook(session)
    for outcome in (Outcome(0.5, 200), Outcome(15.5, None, None, "no answer"), Outcome(0.1, 410, None, "gone")):
        deliveries.put(session, webhook, notices.of_test(session, webhook.id))
        (taken,) = deliveries.take(session, limit=1, lease_seconds=60)
        deliveries.settle(session, taken, outcome, Patience([3600.0], 9))
    series = tallies.read(session)[WEBHOOK_SECONDS]
    assert {outcome: one.count for (outcome,), one in series.items()} == {"delivered": 1, "retried": 1, "failed": 1}
    assert series[("delivered",)].buckets == {0.5: 1}, "a bucket has what is as long as its bound"
    assert series[("retried",)].buckets == {math.inf: 1}
    assert series[("retried",)].total == 15.5


def test_a_job_that_is_deleted_stays_counted_and_what_is_rolled_back_is_not(sessions: Sessions) -> None:
    with transaction(sessions) as session:
        search = flow.cancel(session, new_search(session).id)
    with transaction(sessions) as session:
        jobs.delete(session, search.id)
    with sessions() as session:
        flow.cancel(session, new_search(session).id)
        session.rollback()
        assert tallies.read(session)[JOB_SECONDS][JobKind.SEARCH, JobState.CANCELLED].count == 1


def test_folding_changes_nothing_that_is_read(sessions: Sessions) -> None:
    """By several at once, while others count: nothing is counted twice, or not at all."""

    def count() -> None:
        for seconds in range(25):
            with transaction(sessions) as session:
                tallies.observe(session, STEP_SECONDS, Kind.RATE, "succeeded", seconds=seconds)

    def fold() -> None:
        for _ in range(15):
            with transaction(sessions) as session:
                tallies.fold(session)

    threads = [Thread(target=work) for work in (count, fold, count, fold)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with transaction(sessions) as session:
        before = dict(tallies.read(session)[STEP_SECONDS])
        tallies.fold(session)
        assert dict(tallies.read(session)[STEP_SECONDS]) == before
        assert session.scalar(select(func.count()).select_from(Tally)) == 4
    series = before["rate", "succeeded"]
    assert (series.count, series.total) == (50, 600.0)
    assert series.buckets == {1.0: 4, 5.0: 8, 15.0: 20, 60.0: 18}


def test_a_code_is_one_of_few() -> None:
    for code in (OutOfMemory.code, ENGINE_CRASHED, ENGINE_KILLED, WORKER_ERROR, "worker_lost", "bad_input"):
        assert tallies.code_of({"code": code}) == code
    for odd in ("invented", None, 7, "x" * 1000):
        assert tallies.code_of({"code": odd}) == tallies.OTHER_CODE
