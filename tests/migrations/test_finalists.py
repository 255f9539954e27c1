"""Back before there were finalists: a search that was at them selects by its ratings alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from dna_engine.plans import Phase
from store import flow
from store.migrate import downgrade, upgrade
from store.session import make_engine
from store.states import JobState
from store.tables import Search
from tests.store.builders import finish_phase, new_search, new_worker, queued


@pytest.fixture
def engine(empty_database_url: str) -> Iterator[Engine]:
    upgrade(empty_database_url)
    engine = make_engine(empty_database_url)
    yield engine
    engine.dispose()


def at_finalists(session: Session) -> Search:
    search = new_search(session, select={"finalists": 2})
    for _ in (Phase.TEACHER, Phase.DISTILL, Phase.RATE):
        finish_phase(session, search, new_worker(session))
    assert search.phase == Phase.FINALISTS
    return search


def test_searches_at_their_finalists_go_on_to_the_end(engine: Engine, empty_database_url: str) -> None:
    with Session(engine) as session:
        running, stopped = at_finalists(session).id, at_finalists(session).id
        flow.cancel(session, stopped)
        session.commit()
    downgrade(empty_database_url, "0005")
    with engine.connect() as connection:
        phases = connection.execute(text("SELECT DISTINCT phase FROM jobs")).scalars().all()
        kinds = connection.execute(text("SELECT DISTINCT kind FROM steps")).scalars().all()
    assert phases == ["select"]
    assert "finalist" not in kinds
    upgrade(empty_database_url)
    with Session(engine) as session:
        search = session.get_one(Search, running)
        assert [step.key for step in queued(session, search)] == ["select"]
        for _ in (Phase.SELECT, Phase.TRAIN, Phase.EXPORT):
            finish_phase(session, search, new_worker(session))
        assert search.state == JobState.SUCCEEDED
        flow.resume(session, stopped)
        assert [step.key for step in queued(session, session.get_one(Search, stopped))] == ["select"]
