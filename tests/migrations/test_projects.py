"""What there was before projects is of the project default, and its keys may do everything."""

from __future__ import annotations

from sqlalchemy.orm import Session

from dna_engine.images.info import DIGITS
from store import datasets, keys
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
        _, secret = keys.create(session, "laptop")
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
