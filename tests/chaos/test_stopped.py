"""A node is stopped, not killed, until its lease runs out, and another works on in the same data folder."""

from __future__ import annotations

import psutil

from dna_engine.plans import Kind
from dna_engine.runtime import checkpoint
from store import flow
from store.session import transaction
from store.settings import Settings
from store.states import JobState
from store.tables import Worker
from tests.chaos.conftest import Book
from tests.e2e.service import alive, machine, wait_for


def node_of(book: Book, lease_owner: object) -> psutil.Process:
    with transaction(book.sessions) as session:
        return psutil.Process(session.get_one(Worker, lease_owner).pid)


def test_its_engine_is_gone_before_another_begins(book: Book, impatient: Settings) -> None:
    search_id = book.add(teacher={"epochs": 500})
    with machine(impatient, queues="gpu"), machine(impatient, queues="gpu"):
        wait_for(book.reached(search_id, Kind.TEACHER, 3))
        first = book.step(search_id, Kind.TEACHER)
        assert first is not None
        node = node_of(book, first.lease_owner)
        [engine] = node.children()
        node.suspend()
        try:
            wait_for(lambda: (step := book.step(search_id, Kind.TEACHER)) is not None and step.fence == 2)
            assert not alive(engine)
            wait_for(book.reached(search_id, Kind.TEACHER, first.done + 2))
        finally:
            node.resume()
        # It finds its lease lost and takes nothing from the other; it is ready for another step.
        wait_for(lambda: any(alive(child) for child in node.children()))
        taken = book.step(search_id, Kind.TEACHER)
        assert taken is not None
        wait_for(book.reached(search_id, Kind.TEACHER, taken.done + 2))
        assert (taken.fence, taken.attempt) == (2, 2)
        assert node_of(book, taken.lease_owner) != node
        with transaction(book.sessions) as session:
            flow.cancel(session, search_id)
        wait_for(lambda: book.search(search_id).state == JobState.CANCELLED)
    state = checkpoint.load(impatient.data_dir / "runs" / str(search_id) / "checkpoints/teacher.safetensors")
    assert state is not None
