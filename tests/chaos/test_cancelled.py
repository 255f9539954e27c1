"""A cancel frees the device, and a message that comes twice does nothing."""

from __future__ import annotations

from dna_engine.plans import Kind
from store import flow
from store.outbox import RUN_STEP
from store.session import transaction
from store.settings import Settings
from store.states import JobState, StepState
from tests.chaos.conftest import Book
from tests.e2e.service import alive, machine, wait_for
from worker.app import make_app


def test_a_cancelled_search_leaves_the_device_and_goes_on_from_its_checkpoint(book: Book, impatient: Settings) -> None:
    search_id = book.add(teacher={"epochs": 500})
    with machine(impatient) as worker, make_app(impatient) as app:
        wait_for(book.reached(search_id, Kind.TEACHER, 5))
        engines = worker.engines
        step = book.step(search_id, Kind.TEACHER)
        assert step is not None
        # The other node is free, so it takes these at once; it finds the step claimed.
        for _ in range(3):
            app.send_task(RUN_STEP, kwargs={"step_id": str(step.id)}, queue="cpu")
        with transaction(book.sessions) as session:
            flow.cancel(session, search_id)
        wait_for(lambda: book.search(search_id).state == JobState.CANCELLED)
        # Its engine is gone, and with it all it held; that of the other node waits on.
        assert [alive(engine) for engine in engines].count(False) == 1
        stopped = book.step(search_id, Kind.TEACHER)
        assert stopped is not None
        assert (stopped.state, stopped.attempt, stopped.fence) == (StepState.CANCELLED, 1, 1)
        with transaction(book.sessions) as session:
            flow.resume(session, search_id)
        wait_for(book.reached(search_id, Kind.TEACHER, stopped.done + 1))
        resumed = book.step(search_id, Kind.TEACHER)
        assert resumed is not None
        assert (resumed.state, resumed.fence) == (StepState.RUNNING, 2)
    # The machine left in the middle: the step waits for another one, and was not counted as failed.
    left = book.step(search_id, Kind.TEACHER)
    assert left is not None
    assert (left.state, left.attempt) == (StepState.QUEUED, 0)
