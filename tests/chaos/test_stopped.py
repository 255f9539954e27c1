"""A step leaves its node in the middle: the node is stopped, not killed, until its lease runs out; the search is cancelled; the machine leaves.

Two machines work in one data folder. What each of these leaves behind is where the next begins.
"""

from __future__ import annotations

from uuid import UUID

import psutil

from dna_engine.plans import Kind
from dna_engine.runtime import checkpoint
from store import flow
from store.outbox import RUN_STEP
from store.session import transaction
from store.settings import Settings
from store.states import JobState, StepState
from store.tables import Step, Worker
from tests.chaos.conftest import Book
from tests.e2e.service import Machine, alive, machine, wait_for
from worker.app import make_app


def node_of(book: Book, lease_owner: object) -> psutil.Process:
    with transaction(book.sessions) as session:
        return psutil.Process(session.get_one(Worker, lease_owner).pid)


def teacher(book: Book, search_id: UUID) -> Step:
    step = book.step(search_id, Kind.TEACHER)
    assert step is not None
    return step


def goes_on(book: Book, search_id: UUID) -> Step:
    """The step once it has done more than it had."""
    wait_for(book.reached(search_id, Kind.TEACHER, teacher(book, search_id).done + 2))
    return teacher(book, search_id)


def stop_its_node(book: Book, search_id: UUID) -> None:
    """Its engine is gone before another begins, and when it comes back it takes nothing from the other."""
    node = node_of(book, teacher(book, search_id).lease_owner)
    [engine] = node.children()
    node.suspend()
    try:
        wait_for(lambda: teacher(book, search_id).fence == 2)
        assert not alive(engine)
        goes_on(book, search_id)
    finally:
        node.resume()
    # It finds its lease lost; it is ready for another step.
    wait_for(lambda: any(alive(child) for child in node.children()))
    taken = goes_on(book, search_id)
    assert (taken.fence, taken.attempt) == (2, 2)
    assert node_of(book, taken.lease_owner) != node


def cancel(book: Book, settings: Settings, search_id: UUID, machines: list[Machine]) -> None:
    """It frees the device, and a message that comes twice does nothing."""
    engines = [engine for machine in machines for engine in machine.engines]
    with make_app(settings) as app:
        # The other node is free, so it takes these at once; it finds the step claimed.
        for _ in range(3):
            app.send_task(RUN_STEP, kwargs={"step_id": str(teacher(book, search_id).id)}, queue="gpu")
    with transaction(book.sessions) as session:
        flow.cancel(session, search_id)
    wait_for(lambda: book.search(search_id).state == JobState.CANCELLED)
    # Its engine is gone, and with it all it held; that of the other node waits on.
    assert [alive(engine) for engine in engines].count(False) == 1
    stopped = teacher(book, search_id)
    assert (stopped.state, stopped.attempt, stopped.fence) == (StepState.CANCELLED, 2, 2)
    state = checkpoint.load(settings.data_dir / "runs" / str(search_id) / "checkpoints/teacher.safetensors")
    assert state is not None


def resume(book: Book, search_id: UUID) -> None:
    """It goes on from its checkpoint."""
    with transaction(book.sessions) as session:
        flow.resume(session, search_id)
    resumed = goes_on(book, search_id)
    assert (resumed.state, resumed.fence) == (StepState.RUNNING, 3)


def test_a_step_that_leaves_its_node_goes_on_elsewhere(book: Book, impatient: Settings) -> None:
    search_id = book.add(teacher_epochs=500)
    with machine(impatient, queues="gpu") as one, machine(impatient, queues="gpu") as other:
        wait_for(book.reached(search_id, Kind.TEACHER, 3))
        wait_for(lambda: len(one.engines) == len(other.engines) == 1)
        stop_its_node(book, search_id)
        cancel(book, impatient, search_id, [one, other])
        resume(book, search_id)
    # The machines left in the middle: the step waits for another one, and was not counted as failed.
    left = teacher(book, search_id)
    assert (left.state, left.attempt) == (StepState.QUEUED, 0)
