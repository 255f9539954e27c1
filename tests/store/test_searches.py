"""Making, listing and deleting searches; what the database cannot hold."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from dna_engine.plans import Kind
from store import artifacts, events, flow, jobs, outbox, searches
from store.artifacts import StoredFile
from store.blobs import BlobStore
from store.errors import IllegalTransition, NotFound, UnstorableValue
from store.filters import Filter
from store.order import At
from store.states import EventType, JobState
from store.tables import Base, Search
from tests.store.builders import finish_phase, names_of, new_search, new_worker, queued, take, two_groups

UNSTORABLE = r"NUL|surrogate|finite"


def test_a_new_search_waits_with_its_first_step(session: Session) -> None:
    made = new_search(session, name="mine", labels={"team": "vision"}, seed=7)
    session.expire_all()
    search = searches.get(session, made.id)
    assert (search.name, search.state, search.phase, search.seed) == ("mine", JobState.QUEUED, Kind.TEACHER, 7)
    assert search.spec == {
        "dataset": "digits",
        "select": {"finalists": 0},
        "name": "mine",
        "labels": {"team": "vision"},
        "seed": 7,
    }
    assert search.resolved["dataset"]["num_classes"] == 10
    (step,) = search.steps
    assert (step.key, step.queue, step.attempt) == ("teacher", "gpu", 0)
    (message,) = outbox.take_pending(session)
    assert (message.task, message.queue, message.payload) == ("dna.run_step", "gpu", {"step_id": str(step.id)})
    (event,) = events.after(session, search.id, 0)
    assert (event.seq, event.type, event.data["state"]) == (1, EventType.STATE, "queued")
    assert search.created_at.utcoffset() is not None
    assert search.created_at.utcoffset().total_seconds() == 0  # type: ignore[union-attr]


def test_pages_are_stable_while_searches_are_added(session: Session) -> None:
    made = [new_search(session, name=str(number)) for number in range(5)]
    first = searches.listing(session, Filter(), At(limit=2))
    new_search(session, name="late")
    second = searches.listing(session, Filter(), At(after=first.next, limit=2))
    third = searches.listing(session, Filter(), At(after=second.next, limit=2))
    assert [item.id for page in (first, second, third) for item in page.items] == [row.id for row in reversed(made)]
    assert first.next is not None
    assert first.next.id == made[3].id
    assert third.next is None
    exact = searches.listing(session, Filter(), At(limit=6))
    assert (len(exact.items), exact.next) == (6, None)


def test_filters(session: Session) -> None:
    mine = new_search(session, labels={"team": "vision", "run": "1"})
    other = new_search(session, labels={"team": "audio"})
    flow.cancel(session, other.id)

    def found(where: Filter) -> list[Search]:
        ids = [item.id for item in searches.listing(session, where, At()).items]
        return sorted(searches.listed(session, ids), key=lambda row: ids.index(row.id))

    assert found(Filter(labels={"team": "vision"})) == [mine]
    assert found(Filter(labels={"team": "vision", "run": "2"})) == []
    assert found(Filter(states=[JobState.CANCELLED])) == [other]
    assert found(Filter(dataset="digits")) == [other, mine]
    assert found(Filter(dataset="cifar")) == []


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b"])
def test_text_that_postgresql_cannot_hold_is_refused_clearly(session: Session, text: str) -> None:
    search = new_search(session)
    with pytest.raises(UnstorableValue, match=UNSTORABLE):
        searches.listing(session, Filter(dataset=text), At())
    with pytest.raises(UnstorableValue, match=UNSTORABLE):
        searches.listing(session, Filter(labels={text: "x"}), At())
    with pytest.raises(UnstorableValue, match=UNSTORABLE):
        events.series(session, search.id, prefix=text)
    search.name = text
    with pytest.raises(UnstorableValue, match=UNSTORABLE):
        session.flush()


@pytest.mark.parametrize("data", [{"message": "\x00"}, {"deep": [{"\ud800": 1}]}, {"loss": float("nan")}])
def test_json_that_postgresql_cannot_hold_is_refused_clearly(session: Session, data: dict[str, object]) -> None:
    search = new_search(session)
    with pytest.raises(UnstorableValue, match=UNSTORABLE):
        events.append(session, search, [events.NewEvent(EventType.LOG, data)])


def test_unknown_ids(session: Session) -> None:
    missing = uuid4()
    for look in (searches.get, jobs.lock, jobs.delete, flow.cancel, flow.resume):
        with pytest.raises(NotFound, match=f"There is no (search|job) {missing}"):
            look(session, missing)


def test_only_a_finished_search_is_deleted_and_with_all_it_has(session: Session, tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path.as_uri())
    search, worker = new_search(session), new_worker(session)
    source = tmp_path / "file"
    source.write_bytes(b"weights")
    claim = take(session, queued(session, search)[0], worker)
    blob = blobs.write_file(source)
    flow.succeed(session, claim, {}, [StoredFile("teacher.safetensors", blob)], engine_seconds=0.0, group=two_groups)
    with pytest.raises(IllegalTransition, match="Cancel it"):
        jobs.delete(session, search.id)
    for _ in list(Kind)[1:]:
        finish_phase(session, search, worker)
    assert jobs.delete(session, search.id) == [blob.location]
    session.expire_all()
    for table in ("jobs", "searches", "steps", "events", "architectures", "trainings", "artifacts", "metrics"):
        assert session.execute(select(Base.metadata.tables[table])).all() == [], table


def test_files_belong_to_their_network_and_replace_each_other(session: Session, tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path.as_uri())
    search, worker = new_search(session), new_worker(session)
    source = tmp_path / "file"
    source.write_bytes(b"{}")

    def stored(name: str) -> StoredFile:
        return StoredFile(name, blobs.write_file(source))

    claim = take(session, queued(session, search)[0], worker)
    checkpoint = stored(claim.step.checkpoint)
    assert flow.save_checkpoint(session, claim, checkpoint) == []
    newer, newest = stored(claim.step.checkpoint), stored(claim.step.checkpoint)
    assert flow.save_checkpoint(session, claim, newer) == []  # The one before is kept, should the newer be damaged.
    assert flow.save_checkpoint(session, claim, newest) == [checkpoint.blob.location]
    gone = flow.succeed(session, claim, {}, [], engine_seconds=0.0, group=two_groups)
    assert set(gone) == {newer.blob.location, newest.blob.location}
    assert names_of(session, search.id) == set()
    for _ in (Kind.DISTILL, Kind.RATE):
        finish_phase(session, search, worker)
    claim = take(session, queued(session, search)[0], worker)
    files = [stored("selection.json"), stored("winner/architecture.json"), stored("control/architecture.json")]
    values = {"winner": _network(), "control": _network(), "networks": "2", "frontier": 2}
    flow.succeed(session, claim, values, files, engine_seconds=0.0, group=two_groups)
    (artifact,) = artifacts.named(session, search.id, ["winner/architecture.json"]).values()
    assert artifact.media_type == "application/json"
    assert b"".join(blobs.read(artifacts.blob(artifact))) == b"{}"
    found = artifacts.named(session, search.id, ["selection.json", "ratings.json"])
    assert list(found) == ["selection.json"]


def _network() -> dict[str, object]:
    return {"architecture": {}, "loss": 1.0, "flops": 1, "params": 1}
