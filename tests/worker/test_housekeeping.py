"""One worker tidies up for all."""

from __future__ import annotations

import io
from datetime import timedelta

from sqlalchemy import func, select, update

from store import workers
from store.session import clock, transaction
from store.tables import OutboxMessage
from tests.store.builders import new_worker
from tests.worker.conftest import Bench
from worker.housekeeping import keep_house


def test_the_oldest_that_is_live_does(bench: Bench) -> None:
    slot = bench.slot
    slot.settings = slot.settings.model_copy(update={"orphan_hours": -1.0})
    orphan = slot.blobs.write(io.BytesIO(b"of nobody"))
    with transaction(slot.sessions) as session:
        session.execute(update(OutboxMessage).values(sent_at=clock(session) - timedelta(days=1)))
        first, slot.worker = slot.worker, new_worker(session, hostname="another")
    keep_house(slot)
    assert slot.blobs.exists(orphan.location)
    with transaction(slot.sessions) as session:
        workers.leave(session, first.id)
    keep_house(slot)
    assert not slot.blobs.exists(orphan.location)
    with transaction(slot.sessions) as session:
        assert session.scalar(select(func.count()).select_from(OutboxMessage)) == 0
