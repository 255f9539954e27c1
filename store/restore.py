"""A service from a backup, in an empty place: another database, and a store of files that has those of the backup or room for them.

What ran when the backup was taken goes on here from its last checkpoint. Nobody of the old world has a say in it: leases are ended, and
fences are raised beyond those that were given out there since.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from sqlalchemy import Engine, delete, func, select, text, update
from sqlalchemy.orm import Session

from store import dumps, flow, outbox
from store.backup import copy
from store.backup_place import Backup, Place
from store.blobs import BlobStore
from store.errors import StoreError
from store.migrate import head
from store.session import Sessions, make_sessions, transaction
from store.states import DeliveryState, StepState
from store.tables import Delivery, JobChange, OutboxMessage, Step, Webhook, Worker

#: More claims than the old world makes of one step between the backup and its end.
FENCES = 1_000_000

#: Why a webhook is disabled.
REASON = "The service was restored from a backup, with its webhooks disabled. Enable them where this is the service that people use."


def restore(engine: Engine, url: str, blobs: BlobStore, place: Place, name: str | None, *, webhooks: bool) -> Backup:
    """Puts a backup back: its files first, so that no row ever names one that is not there.

    Args:
        name: of the backup; None is the newest.
        webhooks: whether messages go on to be sent; False disables all webhooks, for a copy beside the service.

    Raises:
        StoreError: the database is not empty, files are missing, or the backup is of another version.
    """
    backup = place.find(name)
    if backup.revision != head():
        raise StoreError(
            f"The backup {backup.name} is of version {backup.version} (schema {backup.revision}), and this is another (schema {head()}). "
            "Restore it by that version, then upgrade."
        )
    with engine.connect() as connection:
        _refuse_what_is_not_empty(connection.scalar(_TABLES))
    _, missing = copy([file for file in place.files(backup) if file.location not in backup.missing], place.blobs, blobs)
    if missing:
        raise StoreError(f"{len(missing)} files of the backup are damaged or gone, such as {missing[0]}.")
    with tempfile.TemporaryDirectory(prefix="dna-restore-") as folder, engine.connect() as connection:
        dump = Path(folder) / "database.dump"
        place.fetch_dump(backup, dump)
        dumps.load(connection, url, dump)
    _open(make_sessions(engine), backup, webhooks=webhooks)
    return backup


_TABLES = text(
    "SELECT count(*) FROM pg_tables WHERE schemaname NOT LIKE 'pg\\_%' AND schemaname <> 'information_schema'"
)


def _refuse_what_is_not_empty(tables: int | None) -> None:
    if tables:
        raise StoreError(
            f"The database of DNA_DATABASE_URL has {tables} tables. Restore into an empty one: CREATE DATABASE makes it."
        )


def _open(sessions: Sessions, backup: Backup, *, webhooks: bool) -> None:
    """Makes the rows those of this world, and says of which schema they are: before that neither API nor worker takes them."""
    with transaction(sessions) as session:
        _forget_the_old_world(session)
        _take_steps_back(session, backup)
        if not webhooks:
            session.execute(
                update(Webhook).where(Webhook.enabled).values(enabled=False, disabled_reason=REASON),
            )
        session.execute(text(f"INSERT INTO {dumps.VERSION_TABLE} VALUES (:revision)"), {"revision": backup.revision})


def _forget_the_old_world(session: Session) -> None:
    """Its workers, the messages to its Redis, the numbers of its transactions."""
    session.execute(
        update(Worker).values(stopped_at=func.now(), current_step_id=None).where(Worker.stopped_at.is_(None))
    )
    session.execute(delete(OutboxMessage))
    session.execute(delete(JobChange))
    session.execute(
        update(Delivery)
        .where(Delivery.state == DeliveryState.PENDING)
        .values(fence=Delivery.fence + FENCES, lease_expires_at=None)
        .execution_options(synchronize_session=False)
    )


def _take_steps_back(session: Session, backup: Backup) -> None:
    """Those who follow a job read why it has gone back."""
    reason = f"the service was restored from its backup {backup.name}, and what was done since is done again"
    running = select(Step).where(Step.state == StepState.RUNNING).order_by(Step.job_id, Step.id)
    for step in session.scalars(running).all():
        flow.take_back(session, step.id, reason)
    session.execute(delete(OutboxMessage))  # Each step that waits is announced below, once.
    query = select(Step).where(Step.state == StepState.QUEUED).order_by(Step.id)
    for step in session.scalars(query):
        outbox.wake(session, step)
    session.flush()
    fences = update(Step).values(fence=Step.fence + FENCES)
    session.execute(fences.execution_options(synchronize_session=False))
