"""Lists of a project are read by its own index, however much others have."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.orm import Session

from store import architecture_lists, searches, trainings
from store.actors import Actor
from store.architecture_lists import Which as Networks
from store.columns import Base
from store.embedded import Servers
from store.filters import Filter
from store.order import At
from store.session import make_engine, make_sessions, transaction
from store.tables import Job, Project
from store.trainings import Which as Trainings
from tests.conftest import new_database
from tests.store.builders import new_training

#: Of each of a hundred projects.
COPIES = 50

_IDS = ("id", "job_id", "search_id", "architecture_id", "training_id")
#: What lists do not look at.
_LARGE = ("spec", "resolved", "payload", "architecture")

LISTS: dict[str, Callable[[Session], object]] = {
    "jobs": lambda session: searches.listing(session, Filter(), At()),
    "trainings": lambda session: trainings.listing(session, Trainings(), At()),
    "architectures": lambda session: architecture_lists.listing(session, Networks(), At()),
}


@pytest.fixture(scope="module")
def crowded(servers: Servers, migrated: str) -> Iterator[tuple[Engine, Actor]]:
    """Ten thousand jobs in a hundred projects, and one of those."""
    with new_database(servers.database_url, template=migrated) as url:
        engine = make_engine(url)
        with transaction(make_sessions(engine)) as session:
            training = new_training(session)
            projects = [Project(name=f"project {number}") for number in range(100)]
            session.add_all(projects)
            session.flush()
            for table in ("jobs", "searches", "architectures", "trainings", "steps"):
                _copy(session, table)
            actor = Actor(projects[50].id)
            assert session.get(Job, training.id) is not None
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))
        yield engine, actor
        engine.dispose()


def _copy(session: Session, table: str) -> None:
    """Each row of a table, so many times for each project: alike but for its ids, which those that name it have too."""
    columns = list(Base.metadata.tables[table].columns.keys())
    made = {name: f"md5(t.{name}::text || p.id || n)::uuid" for name in _IDS} | {"project_id": "p.id"}
    made |= dict.fromkeys(_LARGE, "'{}'")
    same = [made.get(column, f"t.{column}") for column in columns]
    source = f"(SELECT * FROM {table}) t, (SELECT id FROM projects WHERE name LIKE 'project %') p, generate_series(1, {COPIES}) n"
    session.execute(text(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(same)} FROM {source}"))


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_read_by_the_index_of_its_project(crowded: tuple[Engine, Actor], name: str) -> None:
    engine, actor = crowded
    sent: list[tuple[str, object]] = []
    with transaction(make_sessions(engine, actor)) as session:
        connection = session.connection()
        event.listen(engine, "before_cursor_execute", lambda *said: sent.append((said[2], said[3])))
        LISTS[name](session)
        statement, parameters = sent[0]
        plan = "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters))
    assert f"Seq Scan on {name}" not in plan
    assert f"ix_{name}_project_id" in plan, plan
