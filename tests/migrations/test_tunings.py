"""Back before there were tunings, and forward again: nothing is left of them, and Optuna's tables are made anew."""

from __future__ import annotations

from sqlalchemy import inspect, text
from sqlalchemy.orm import Session

from store import tunings
from store.migrate import downgrade, upgrade
from store.session import make_engine
from store.studies import Studies
from tests.store.builders import new_tuning, new_worker, queued, take


def test_tunings_go_and_can_be_made_again(empty_database_url: str) -> None:
    upgrade(empty_database_url)
    engine, studies = make_engine(empty_database_url), Studies(empty_database_url)
    for _ in range(2):
        with Session(engine) as session:
            tuning = new_tuning(session, trials=1)
            tuning_id, claim = tuning.id, take(session, queued(session, tuning)[0], new_worker(session))
            session.commit()
            tunings.ask(session, studies, claim)
            session.commit()
        assert studies.of() == [tuning_id]
        studies.close()
        downgrade(empty_database_url, "0009")
        with engine.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM jobs WHERE kind = 'tuning'")).scalar() == 0
        assert "optuna" not in inspect(engine).get_schema_names()
        upgrade(empty_database_url)
    engine.dispose()
