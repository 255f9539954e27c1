"""Who sees what: a session of one project finds its own, whatever and however it asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, delete, func, insert, literal, select, union_all, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased, selectinload

from dna_engine.images.info import DIGITS
from store import datasets, events, files, keys, searches, series, waiting, workers
from store.actors import EVERY_PROJECT, NOBODY, Actor, UnrestrictedStatement
from store.columns import Base
from store.embedded import Servers
from store.errors import NotFound
from store.events import NewEvent
from store.filters import Filter
from store.order import At
from store.owned import DEFAULT_PROJECT, EVERYBODYS
from store.session import make_engine, make_sessions, transaction
from store.states import EventType
from store.tables import Architecture, Artifact, Event, Job, Metric, Project, Search, Step, Training
from tests.conftest import new_database
from tests.store.builders import new_search, new_training


@pytest.fixture(scope="module")
def engine(servers: Servers, migrated: str) -> Iterator[Engine]:
    """On a database of this file, in which :func:`foreign` alone is committed."""
    with new_database(servers.database_url, template=migrated) as url:
        engine = make_engine(url)
        yield engine
        engine.dispose()


@pytest.fixture(scope="module")
def actors(engine: Engine) -> tuple[Actor, Actor]:
    """Keys of two projects."""
    with transaction(make_sessions(engine)) as session:
        made = [keys.create(session, name)[0] for name in ("mine", "theirs")]
        return keys.caller_of(made[0]).actor, keys.caller_of(made[1]).actor


@pytest.fixture(scope="module")
def foreign(engine: Engine, actors: tuple[Actor, Actor]) -> UUID:
    """A search of the second one, with something of everything."""
    with transaction(make_sessions(engine, actors[1])) as session:
        search = new_search(session)
        session.add(_artifact(search.id))
    with transaction(make_sessions(engine)) as session:  # As a worker, which is of no project.
        events.add_points(session, search.id, [events.Point("loss", 1.0, 1.0)])
    return search.id


@pytest.fixture
def mine(engine: Engine, actors: tuple[Actor, Actor]) -> Iterator[Session]:
    with make_sessions(engine, actors[0])() as session:
        yield session


@pytest.fixture
def theirs(engine: Engine, actors: tuple[Actor, Actor]) -> Iterator[Session]:
    with make_sessions(engine, actors[1])() as session:
        yield session


QUERIES = {
    "get": lambda session, key: session.get(Job, key),
    "get of a kind": lambda session, key: session.get(Search, key),
    "get to hold": lambda session, key: session.get(Job, key, with_for_update={"read": True, "key_share": True}),
    "select": lambda session, key: session.scalar(select(Job).where(Job.id == key)),
    "of a kind": lambda session, key: session.scalar(select(Search).where(Search.id == key)),
    "a column": lambda session, key: session.scalar(select(Search.name, Job.id).where(Job.id == key)),
    "an alias": lambda session, key: session.scalar(select(aliased(Job)).limit(1)),
    "a count": lambda session, key: session.scalar(select(func.count()).select_from(Job)),
    "a subquery": lambda session, key: session.scalar(select(Project.id).where(Project.id.in_(select(Job.project_id).where(Job.id == key)))),
    "a derived table": lambda session, key: session.scalar(select(select(Job.id, Job.name).subquery().c.name)),
    "a common table": lambda session, key: session.scalar(select(select(Job.id).where(Job.id == key).cte().c.id)),
    "a union inside": lambda session, key: session.scalar(select(Project.id).where(Project.id.in_(union_all(select(Job.project_id).where(Job.id == key), select(Training.project_id).where(Training.job_id == key))))),
    "a union": lambda session, key: session.scalar(union_all(select(Job.id).where(Job.id == key), select(Job.id))),
    "exists": lambda session, key: session.scalar(select(Project.id).where(select(Job.id).where(Job.id == key).exists())),
    "a join": lambda session, key: session.scalar(select(Project.name).join(Job, Job.project_id == Project.id)),
    "an outer join": lambda session, key: session.scalar(select(Job.id).select_from(Project).outerjoin(Job, Job.project_id == Project.id).where(Job.id == key)),
    "steps": lambda session, key: session.scalar(select(Step).where(Step.job_id == key)),
    "events": lambda session, key: session.scalar(select(Event).where(Event.job_id == key)),
    "an event": lambda session, key: session.get(Event, (key, 1)),
    "points": lambda session, key: session.scalar(select(Metric.y).where(Metric.job_id == key)),
    "thinned": lambda session, key: series.thinned(session, key, points=10),
    "files": lambda session, key: session.scalar(select(Artifact).where(Artifact.job_id == key)),
    "loaded with": lambda session, key: session.scalar(select(Search).options(selectinload(Search.steps)).where(Search.id == key)),
    "an update": lambda session, key: session.scalar(update(Job).where(Job.id == key).values(name="mine").returning(Job.id)),
    "a delete": lambda session, key: session.scalar(delete(Job).where(Job.id == key).returning(Job.id)),
    "a delete of a part": lambda session, key: session.scalar(delete(Artifact).where(Artifact.job_id == key).returning(Artifact.id)),
    "a list": lambda session, key: searches.listing(session, Filter(), At()).items,
}  # fmt: skip


@pytest.mark.parametrize("ask", QUERIES.values(), ids=QUERIES)
def test_a_query_finds_the_projects_own_alone(
    ask: Callable[[Session, UUID], object], foreign: UUID, mine: Session, theirs: Session
) -> None:
    assert not ask(mine, foreign)
    assert ask(theirs, foreign)
    assert not ask(mine, foreign), "what the cache of statements has is of the actor that asked first"


def test_a_bare_table_is_refused_where_not_all_is_seen(foreign: UUID, mine: Session, engine: Engine) -> None:
    for name in ("jobs", "artifacts", "teachers"):
        table = Base.metadata.tables[name]
        with pytest.raises(UnrestrictedStatement, match=name):
            mine.execute(select(table.c.id))
        with pytest.raises(UnrestrictedStatement):
            mine.execute(delete(table))
    assert mine.scalar(select(Job.__table__.c.id), execution_options=EVERY_PROJECT) == foreign
    with make_sessions(engine)() as session:
        assert session.scalar(select(Job.__table__.c.id)) == foreign


@pytest.mark.parametrize("jobs", [Job, Job.__table__.c], ids=["mapped", "bare"])
def test_what_is_inserted_is_not_read_from_every_project(
    jobs: Any, foreign: UUID, mine: Session, theirs: Session
) -> None:
    read = insert(Base.metadata.tables["metrics"]).from_select(
        ["job_id", "series", "x", "y"], select(jobs.id, jobs.name, literal(0.0), literal(0.0))
    )
    for session in (mine, theirs):
        with pytest.raises(UnrestrictedStatement, match="jobs"):
            session.execute(read)
    job = theirs.get_one(Job, foreign)
    assert events.append(theirs, job, [NewEvent(EventType.LOG, {})]) == job.event_seq


def test_who_sees_all_and_nobody(foreign: UUID, engine: Engine, actors: tuple[Actor, Actor]) -> None:
    with make_sessions(engine, NOBODY)() as session:
        assert session.get(Job, foreign) is None
        with pytest.raises(IntegrityError):
            new_search(session)
    with make_sessions(engine, replace(actors[0], sees_all=True))() as session:
        assert session.get_one(Job, foreign).project_id == actors[1].project_id
        assert new_search(session).project_id == actors[0].project_id


def test_what_is_made_is_signed(mine: Session, session: Session, actors: tuple[Actor, Actor]) -> None:
    training = new_training(mine)
    made = (training, mine.get_one(Training, training.id), mine.scalars(select(Architecture)).one())
    assert {row.project_id for row in made} == {actors[0].project_id}
    assert (training.key_id, training.created_by) == (actors[0].key_id, "mine")
    unsigned = new_search(session)
    assert (unsigned.project_id, unsigned.key_id, unsigned.created_by) == (DEFAULT_PROJECT, None, None)


def test_names_are_a_projects_own(mine: Session, theirs: Session, engine: Engine, actors: tuple[Actor, Actor]) -> None:
    info = DIGITS.model_copy(update={"kind": "folder", "name": "birds"})
    datasets.ensure_builtin(mine)
    for session in (mine, theirs):
        assert datasets.create(session, info, fingerprint="f").version == 1
        assert datasets.create(session, info, fingerprint="f").version == 2
        assert [found.name for found in datasets.listing(session, datasets.Which(), At()).items][:2] == [
            "birds",
            "birds",
        ]
        session.flush()
    assert datasets.find(mine, "birds").project_id == actors[0].project_id
    assert datasets.find(mine, "digits").project_id == EVERYBODYS
    with make_sessions(engine, replace(actors[0], sees_all=True))() as admin, pytest.raises(NotFound):
        datasets.find(admin, "birds")  # Nothing of the above is committed, and nothing of another project is meant.


def test_files_are_kept_for_rows_of_any_project(foreign: UUID, mine: Session) -> None:
    assert files.named(mine, [str(foreign)]) == {str(foreign)}


def test_the_queue_is_one_for_all(foreign: UUID, mine: Session) -> None:
    waiting_here = waiting.look(mine, live_within=workers.SILENCE)
    assert [step.job_id for step in waiting_here.steps] == [foreign]


def _artifact(job_id: UUID) -> Artifact:
    return Artifact(
        job_id=job_id, name="a.json", media_type="application/json", size=1, sha256="", location=f"{job_id}"
    )
