"""Messages to the queue leave through here: written with what they are about, sent after the commit.

A message is sent at least once. Whoever gets one claims what is next in the line (``store.line``), so a second copy changes
nothing, and as many messages as steps leave no step waiting.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from store.tables import OutboxMessage, Step

#: Name of the task that claims and runs a step; its only argument is ``step_id``, of the step that was announced.
RUN_STEP = "dna.run_step"


def put(
    session: Session, *, task: str, queue: str, payload: dict[str, str], not_before: datetime | None = None
) -> None:
    """Adds a message; it can be sent once the transaction is committed and the time has come."""
    message = OutboxMessage(task=task, queue=queue, payload=payload)
    if not_before is not None:
        message.available_at = not_before
    session.add(message)


def wake(session: Session, step: Step) -> None:
    """Announces to the step's queue that the step can be claimed."""
    payload = {"step_id": str(step.id)}
    put(session, task=RUN_STEP, queue=step.queue, payload=payload, not_before=step.available_at)


def take_pending(session: Session, *, limit: int = 100) -> list[OutboxMessage]:
    """Unsent messages, oldest first, locked until the transaction ends; those another sender holds are left out."""
    query = (
        select(OutboxMessage)
        .where(OutboxMessage.sent_at.is_(None), OutboxMessage.available_at <= func.clock_timestamp())
        .order_by(OutboxMessage.available_at, OutboxMessage.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(session.scalars(query))


def mark_sent(session: Session, ids: Sequence[UUID]) -> None:
    """Call after the broker took them, in the transaction that took them from here."""
    session.execute(update(OutboxMessage).where(OutboxMessage.id.in_(ids)).values(sent_at=func.clock_timestamp()))
