"""A machine's worker as real processes on a real Redis: what it does with messages, and how it leaves."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import psutil
import pytest
import redis
from celery import Celery
from celery.exceptions import Reject
from sqlalchemy.event import listen
from structlog.contextvars import bound_contextvars

from store import flow, steps, workers
from store.columns import new_id
from store.logs import formatter
from store.outbox import RUN_STEP
from store.session import Sessions, make_engine, make_sessions, transaction
from store.states import StepState
from store.tables import Step, Worker
from tests.store.builders import new_search, new_training
from tests.worker.conftest import ACTOR, Bench
from worker.app import make_app
from worker.engines import Engines
from worker.node import Node
from worker.settings import WorkerSettings
from worker.slot import Slot

Wait = Callable[[Callable[[], bool]], None]

#: What may lie in a queue and is no message.
GARBAGE = (
    b"",
    b"no JSON",
    b"\xff\xfe",
    b"[" * 5000,
    b"null",
    b"[]",
    b"{}",
    b'{"properties": {"delivery_tag": null}, "headers": 1}',
)


@pytest.fixture
def app(worker_settings: WorkerSettings) -> Iterator[Celery]:
    app = make_app(worker_settings)
    yield app
    app.close()


@contextmanager
def machine(settings: WorkerSettings, queues: str) -> Iterator[subprocess.Popen[bytes]]:
    given = settings.model_dump(exclude_none=True)
    environment = os.environ | {f"DNA_{name.upper()}": str(value) for name, value in given.items()}
    command = [sys.executable, "-m", "worker", "--queues", queues]
    process = subprocess.Popen(command, env=environment | {"DNA_DEVICE": "cpu"})
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def steps_of(slot: Slot, job_id: UUID) -> list[Step]:
    with transaction(slot.sessions) as session:
        return steps.of_job(session, job_id)


def live(sessions: Sessions) -> list[Worker]:
    with transaction(sessions) as session:
        return workers.live(session, within=timedelta(seconds=10))


def test_forged_messages_are_dropped_and_it_leaves_when_told(
    worker_settings: WorkerSettings, app: Celery, sessions: Sessions, redis_url: str, wait_for: Wait
) -> None:
    """A node takes its row, answers pings, survives what anybody might put into its queue, and leaves when told."""
    with machine(worker_settings, "cpu") as process:
        wait_for(lambda: len(app.control.ping(timeout=0.5, limit=1)) == 1)
        assert [worker.queues for worker in live(sessions)] == [["cpu"]]
        [node] = psutil.Process(process.pid).children()
        for kwargs in ({"step_id": str(new_id())}, {"step_id": "../../etc"}, {"step_id": {"a": 1}}, {}, {"other": "x"}):
            app.send_task(RUN_STEP, kwargs=kwargs, queue="cpu")
        app.send_task("os.system", args=["true"], queue="cpu")
        with redis.Redis.from_url(redis_url) as client:
            client.lpush("cpu", *GARBAGE)
            wait_for(lambda: client.llen("cpu") == 0 and client.hlen("unacked") == 0)
        wait_for(lambda: len(app.control.ping(timeout=1.0, limit=1)) == 1)
        assert psutil.Process(process.pid).children() == [node], "the same: it had not to be started again"
        process.send_signal(signal.SIGTERM)
        assert process.wait(60.0) == 0
    assert not node.is_running()
    assert live(sessions) == []


def test_a_wake_leads_to_the_oldest_search_and_none_is_forgotten(
    bench: Bench, app: Celery, slot: Slot, sessions: Sessions
) -> None:
    """Two searches of a step each, two messages; the one that comes first names the later search."""
    with transaction(sessions) as session:
        young = new_search(session)
        step = steps.of_job(session, young.id)[0]
    node = Node(slot, app, "node")
    node.run_step(step.id, step.queue)
    assert bench.step.state == StepState.SUCCEEDED
    node.run_step(bench.step.id, "gpu")
    assert [later.state for later in bench.job.steps[1:]] == [StepState.FAILED]  # The actor plays teachers only.
    with transaction(sessions) as session:
        assert steps.get(session, step.id).state == StepState.QUEUED
    node.run_step(bench.job.steps[1].id, "gpu")
    with transaction(sessions) as session:
        assert steps.get(session, step.id).state == StepState.SUCCEEDED


def test_lines_of_a_step_name_it_and_its_job(
    bench: Bench, app: Celery, slot: Slot, caplog: pytest.LogCaptureFixture
) -> None:
    """And the request that made the job: also those of other threads, and what the engine says on either of its outputs."""
    caplog.handler.setFormatter(formatter("json", process="gpu0"))
    with transaction(slot.sessions) as session, bound_contextvars(request_id="mine-7"):
        made = new_search(session, max_attempts=1)
        flow.cancel(session, bench.job_id)
    [step] = steps_of(slot, made.id)
    with caplog.at_level(logging.INFO, logger="dna"):
        with Engines([sys.executable, str(ACTOR), "talker"], {}) as slot.engines:
            Node(slot, app, "node").run_step(step.id, "gpu")
        logging.getLogger("dna.worker.node").info("after it")
    *lines, after = map(json.loads, caplog.text.splitlines())
    said = {
        line["event"]: line
        for line in lines
        if line["logger"] in ("dna.engine", "dna.worker.lease", "dna.worker.supervisor")
    }
    for event in ("a library prints this", "a warning", "to standard error", "teacher is done"):
        ids = said[event]["request_id"], said[event]["job_id"], said[event]["step_id"], said[event]["process"]
        assert ids == ("mine-7", str(made.id), str(step.id), "gpu0")
    assert said["a warning"]["level"] == "warning"
    assert (after["event"], after.get("job_id"), after.get("request_id")) == ("after it", None, None)


def test_a_node_of_several_queues_takes_from_the_one_that_wakes_it(
    bench: Bench, app: Celery, slot: Slot, sessions: Sessions
) -> None:
    """So no message is used up for a step of a queue that other nodes take too, and none of its own is left without one."""
    with transaction(sessions) as session:
        both = workers.register(
            session, hostname="here", pid=1, device="cpu", device_name="A", queues=["gpu", "gpu2"], versions={}
        )
        training = new_training(session, devices=2)
        [step] = steps.of_job(session, training.id)
    slot.worker = both
    node = Node(slot, app, "node")
    node.run_step(step.id, step.queue)
    assert bench.step.state == StepState.QUEUED, "the older one"
    with transaction(sessions) as session:
        assert steps.get(session, step.id).attempt == 1
    node.run_step(bench.step.id, "gpu")
    assert bench.step.state == StepState.SUCCEEDED
    node.run_step(new_id(), "gpu")


def test_a_message_that_says_it_is_of_another_queue_is_dropped(
    bench: Bench, app: Celery, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever forges one cannot have a node claim what it cannot run."""
    Node(bench.slot, app, "node").run_step(bench.step.id, "gpu2")
    assert "Dropped a message that says it is of the queue 'gpu2'" in caplog.text
    assert bench.step.state == StepState.QUEUED


def test_a_claim_asks_little_of_the_database(bench: Bench, app: Celery) -> None:
    """Beside its key's places, which are counted only where it has a limit of them: which step, its job, all that is written of the step, all of the
    job, and the number of the transaction."""
    node, expected = Node(bench.slot, app, "node"), bench.step.id
    asked: Counter[str] = Counter()
    listen(
        bench.slot.sessions.kw["bind"],
        "before_cursor_execute",
        lambda *told: asked.update(told[2].split(maxsplit=1)[:1]),
    )
    claim = node._claim("gpu")
    assert claim is not None
    assert asked == {"WITH": 3, "SELECT": 2}
    assert claim.step_id == expected


def test_a_message_that_comes_while_the_database_is_away_goes_back_to_the_queue(
    bench: Bench, app: Celery, slot: Slot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.node.PAUSE_SECONDS", 0.0)
    node, there, step_id = Node(slot, app, "node"), slot.sessions, bench.step.id
    slot.sessions = make_sessions(make_engine("postgresql://127.0.0.1:1/dna"))
    with pytest.raises(Reject) as given_back:
        node.run_step(step_id, "gpu")
    assert given_back.value.requeue
    slot.sessions = there
    # The answer to the claim was lost on the way: it is the same claim that goes on, not a second attempt after its lease.
    bench.claim()
    node.run_step(bench.step.id, "gpu")
    assert (bench.step.state, bench.step.attempt, bench.step.fence) == (StepState.SUCCEEDED, 1, 1)


def test_a_dead_node_is_replaced_and_none_outlives_its_machine(
    worker_settings: WorkerSettings, app: Celery, wait_for: Wait
) -> None:
    with machine(worker_settings, "cpu") as process:
        wait_for(lambda: len(app.control.ping(timeout=0.5, limit=1)) == 1)
        [before] = psutil.Process(process.pid).children()
        before.kill()
        wait_for(lambda: not before.is_running())
        wait_for(lambda: len(app.control.ping(timeout=0.5, limit=1)) == 1)
        [node] = psutil.Process(process.pid).children()
        assert node != before
        process.kill()
        wait_for(lambda: not node.is_running() or node.status() == psutil.STATUS_ZOMBIE)
