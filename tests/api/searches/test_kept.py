"""An answer that is kept is the one that would be made: over the whole life of a search, whoever changes what."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from api.jobs import waits
from api.pagination import Page
from api.searches import service
from api.searches.schemas import SearchSummary
from dna_engine.plans import Phase
from store.blobs import BlobStore
from store.session import Sessions, transaction
from store.tables import Architecture, Job, Search, Step, Training
from tests.api.builders import finish_phase
from tests.store.builders import new_worker

LIVE = timedelta(seconds=30)


def test_an_answer_follows_every_change(
    client: TestClient, sessions: Sessions, blobs: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for good_for in ("GOOD_SECONDS", "LAST_SECONDS"):  # What it waits for may be a second old.
        monkeypatch.setattr(waits, good_for, 0.0)
    search = UUID(client.post("/searches", json={"dataset": "digits", "retrain": {"devices": 2}}).json()["id"])
    bodies: list[bytes] = []

    def look() -> None:
        bodies.append(client.get(f"/searches/{search}").content)
        assert bodies[-1] == client.get(f"/searches/{search}").content
        with transaction(sessions) as session:
            detail = service.detail(session, search, LIVE)
        assert bodies[-1] == detail.model_dump_json().encode()
        listed = Page[SearchSummary](items=[SearchSummary.model_validate(detail.model_dump())], next=None)
        assert client.get("/searches").content == listed.model_dump_json().encode()

    look()
    with transaction(sessions) as session:
        session.execute(update(Step).where(Step.job_id == search).values(done=3, total=9))
    look()
    with transaction(sessions) as session:
        worker = new_worker(session, queues=["gpu", "gpu2", "cpu"])
    for phase in (Phase.TEACHER, Phase.DISTILL, Phase.RATE, Phase.FINALISTS, Phase.SELECT):
        finish_phase(sessions, blobs, search, phase, worker)
        look()
    client.post(f"/searches/{search}/select", json={"top_k": 2})
    look()
    for phase in (Phase.TRAIN, Phase.EXPORT):
        finish_phase(sessions, blobs, search, phase, worker)
        look()
    for change in (
        update(Job).where(Job.id == search).values(labels={"a": "b"}),
        update(Search.__table__).where(Search.__table__.c.id == search).values(best=None),
        update(Search.__table__).where(Search.__table__.c.id == search).values(control_accuracy=0.5),
        update(Training).where(Training.job_id == search).values(values={}),
        update(Architecture).where(Architecture.search_id == search).values(name="one"),
    ):
        with transaction(sessions) as session:
            session.execute(change)
        look()
    assert len(set(bodies)) == len(bodies)
    with transaction(sessions) as session:
        session.delete(session.get_one(Job, search))
    assert client.get(f"/searches/{search}").status_code == 404
