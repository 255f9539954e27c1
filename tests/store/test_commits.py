"""A COMMIT whose answer is lost: what was committed is known as committed, what was not as not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import OperationalError

from store import workers
from store.session import Sessions, make_engine, make_sessions, transaction
from store.tables import Worker
from tests.lossy import Loss, LossyProxy, lossy_proxy
from tests.store.builders import new_worker


@pytest.fixture
def proxy(database_url: str) -> Iterator[LossyProxy]:
    with lossy_proxy(database_url) as proxy:
        yield proxy


@pytest.fixture
def engine(proxy: LossyProxy) -> Iterator[Engine]:
    engine = make_engine(proxy.url)
    yield engine
    engine.dispose()


def count(sessions: Sessions) -> int:
    with transaction(sessions) as session:
        return session.scalars(select(func.count()).select_from(Worker)).one()


def test_what_the_server_has_committed_is_committed(engine: Engine, proxy: LossyProxy) -> None:
    sessions = make_sessions(engine)
    proxy.lose(Loss.ANSWER)
    with transaction(sessions) as session:
        worker = new_worker(session)
    assert (proxy.lost, count(sessions)) == (1, 1)
    # What was made is as readable as after any commit, and later writes find the row.
    assert worker.hostname == "here"
    with transaction(sessions) as session:
        workers.leave(session, worker.id)


@pytest.mark.parametrize("loss", [Loss.REQUEST, Loss.BOTH])
def test_what_never_reached_the_server_is_an_error_and_holds_no_locks(
    engine: Engine, proxy: LossyProxy, loss: Loss
) -> None:
    sessions = make_sessions(engine)
    with transaction(sessions) as session:
        worker = new_worker(session)
    proxy.lose(loss)
    with pytest.raises(OperationalError), transaction(sessions) as session:
        workers.leave(session, worker.id)
    with transaction(sessions) as session:
        row = session.get(Worker, worker.id, with_for_update={"nowait": True})
        assert row is not None
        assert row.stopped_at is None


def test_it_is_an_error_when_nobody_can_be_asked(
    engine: Engine, proxy: LossyProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.commits.ASK_SECONDS", 0.1)
    sessions = make_sessions(engine)

    def write_and_break_off() -> None:
        with transaction(sessions) as session:
            new_worker(session)
            session.flush()
            proxy.close()

    with pytest.raises(OperationalError):
        write_and_break_off()
