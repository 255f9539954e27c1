"""What there was before projects is of the project default, and its keys may do everything."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from dna_engine.images.info import DIGITS
from store import datasets, keys
from store.errors import KeyEnded
from store.limits import Limits, Scope
from store.migrate import downgrade, upgrade
from store.owned import DEFAULT_PROJECT, EVERYBODYS
from store.session import make_engine
from store.tables import Architecture, Dataset, Job, Training
from tests.store.builders import new_training


def test_nothing_changes_for_those_who_upgrade(empty_database_url: str) -> None:
    upgrade(empty_database_url)
    engine = make_engine(empty_database_url)
    with Session(engine) as session:
        _, secret = keys.create(session, "laptop", scopes=tuple(Scope))
        new_training(session)
        datasets.ensure_builtin(session)
        datasets.create(session, DIGITS.model_copy(update={"kind": "folder", "name": "birds"}), fingerprint="f")
        session.commit()
    downgrade(empty_database_url, "0011")
    upgrade(empty_database_url)
    with Session(engine) as session:
        caller = keys.authenticate(session, secret)
        assert caller is not None
        assert (caller.scopes, caller.expires_at, caller.actor.limits) == (set(Scope), None, Limits())
        assert caller.actor.project_id == DEFAULT_PROJECT
        for table, count in ((Job, 2), (Training, 1), (Architecture, 1), (Dataset, 2)):
            rows = session.query(table).all()
            assert len(rows) == count
            owners = {row.project_id for row in rows} - {EVERYBODYS}
            assert owners == {DEFAULT_PROJECT}
        assert datasets.find(session, "digits").project_id == EVERYBODYS
        assert not any(job.key_id or job.created_by for job in session.query(Job))
    engine.dispose()


def test_who_goes_back_gives_no_key_more_than_it_had(empty_database_url: str) -> None:
    upgrade(empty_database_url)
    engine = make_engine(empty_database_url)
    ended, later = (datetime.now(UTC) + timedelta(days=days) for days in (-1, 1))
    with Session(engine) as session:
        made = {
            "all": keys.create(session, "all", scopes=tuple(Scope)),
            "usual": keys.create(session, "usual"),
            "ended": keys.create(session, "ended", scopes=tuple(Scope), expires_at=ended),
            "ending": keys.create(session, "ending", scopes=tuple(Scope), expires_at=later),
        }
        session.commit()
    downgrade(empty_database_url, "0011")
    with engine.connect() as connection:
        active = connection.scalars(text("SELECT name FROM api_keys WHERE revoked_at IS NULL")).all()
    assert active == ["all"]
    upgrade(empty_database_url)
    with Session(engine) as session:
        assert keys.authenticate(session, made["all"][1]) is not None
        for name in ("usual", "ended", "ending"):
            with pytest.raises(KeyEnded, match="revoked"):
                keys.authenticate(session, made[name][1])
    engine.dispose()
