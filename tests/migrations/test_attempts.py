"""What was run before attempts were written down has its last attempt at each step; what was measured in another unit is forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from dna_engine.plans import Kind, Phase
from store import flow
from store.migrate import downgrade, upgrade
from store.session import make_engine
from store.states import AttemptOutcome
from store.tables import Attempt, Step
from tests.store.builders import finish_phase, new_search, new_worker, next_id


@pytest.fixture
def engine(empty_database_url: str) -> Iterator[Engine]:
    upgrade(empty_database_url)
    engine = make_engine(empty_database_url)
    yield engine
    engine.dispose()


def test_steps_tell_of_their_last_attempt(engine: Engine, empty_database_url: str) -> None:
    with Session(engine) as session:
        search, worker = new_search(session), new_worker(session)
        finish_phase(session, search, worker)
        step_id = next_id(session, "gpu", "cpu")
        assert step_id is not None
        claim = flow.claim(session, step_id, worker, lease_seconds=60)
        assert claim is not None
        search_id, worker_id = search.id, worker.id
        session.commit()
    engine.dispose()
    downgrade(empty_database_url, "0017")
    upgrade(empty_database_url)
    with Session(engine) as session:
        query = (
            select(Step.key, Attempt.outcome, Attempt.worker_id)
            .join(Step, Step.id == Attempt.step_id)
            .where(Attempt.job_id == search_id)
            .order_by(Attempt.id)
        )
        first, second = (tuple(row) for row in session.execute(query))  # What waits has none.
        assert first == ("teacher", AttemptOutcome.SUCCEEDED, None)
        assert second[1:] == (AttemptOutcome.RUNNING, worker_id)
        flow.stop(session, claim, engine_seconds=1.0)
        session.flush()
        [released] = session.scalars(select(Attempt).where(Attempt.step_id == claim.step_id))
        assert (released.outcome, released.engine_seconds) == (AttemptOutcome.RELEASED, 1.0)


@pytest.mark.parametrize("way", [upgrade, lambda url: downgrade(url, "0028")], ids=["there", "back"])
def test_how_fast_devices_distil_is_measured_anew(
    engine: Engine, empty_database_url: str, way: Callable[[str], None]
) -> None:
    if way is upgrade:
        downgrade(empty_database_url, "0028")
    with Session(engine) as session:
        search, worker = new_search(session), new_worker(session)
        for _ in (Phase.TEACHER, Phase.DISTILL, Phase.RATE):
            finish_phase(session, search, worker)
        session.execute(update(Attempt).values(work=5.0))
        session.commit()
    engine.dispose()
    way(empty_database_url)
    with Session(engine) as session:
        query = select(Step.kind, Attempt.work).join(Step, Step.id == Attempt.step_id)
        kept = dict(session.execute(query).all())
    assert kept == {Kind.TEACHER: 5.0, Kind.DISTILL: None, Kind.RATE: 5.0}
