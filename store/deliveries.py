"""Messages to webhooks: written with what they tell of, sent after the commit, tried again for about a day.

A message is sent at least once. Whoever sends it has claimed it by compare-and-set under a lease; one that was sent and whose sender died
before it could say so is sent again, under the same id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, false, func, or_, select, true, update
from sqlalchemy.orm import Session

from store import notices, tallies
from store.columns import new_id
from store.errors import IllegalTransition, NotFound
from store.notices import Message
from store.pages import Page, page
from store.session import clock
from store.states import DeliveryState
from store.tables import Delivery, Job, Webhook

#: Messages that one webhook is sent at once: one that is slow keeps so many places and no more.
AT_ONCE = 2

#: The same of all webhooks of a project.
AT_ONCE_OF_PROJECT = 8


_LISTENING = (
    select(Webhook)
    .where(Webhook.enabled, Webhook.project_id == bindparam("project_id"))
    .order_by(Webhook.id)
    .with_for_update(read=True, key_share=True)
)


def tell(session: Session, job: Job) -> None:
    """Writes messages of what is about to be told of a job, to those of its project who want to know. Call before its event is appended."""
    # Held, so that none is deleted before its message is written, which would end what is told of.
    with session.no_autoflush:  # What has changed of the job is written once, with its event.
        listening = list(session.scalars(_LISTENING, {"project_id": job.project_id}))
    message = notices.of_job(session, job) if listening else None
    if message is None:
        return
    for webhook in listening:
        if notices.matches(webhook.events, message.type) and webhook.labels.items() <= (job.labels or {}).items():
            put(session, webhook, message)


def put(session: Session, webhook: Webhook, message: Message) -> Delivery:
    """A message that is sent as soon as the transaction is committed."""
    of = {"project_id": webhook.project_id, "webhook_id": webhook.id}
    delivery = Delivery(id=new_id(), **of, event=message.type, body=message.model_dump_json())
    session.add(delivery)
    session.flush()
    return delivery


@dataclass(frozen=True)
class Taken:
    """A message to be sent now: what to sign, by which secrets, and the fence under which to say what came of it."""

    id: UUID
    webhook_id: UUID
    fence: int
    attempt: int
    url: str
    body: str
    secrets: Sequence[str]


def take(session: Session, *, limit: int, lease_seconds: float) -> list[Taken]:
    """Claims messages that are due, oldest first, few of each webhook and of each project. Those that others send are left out."""
    now = clock(session)
    claimed = session.execute(
        update(Delivery)
        .where(Delivery.id.in_(_due(now, limit)), _free(now))
        .values(
            attempt=Delivery.attempt + 1,
            fence=Delivery.fence + 1,
            lease_expires_at=now + timedelta(seconds=lease_seconds),
            attempted_at=now,
        )
        .returning(Delivery.id, Delivery.fence, Delivery.attempt, Delivery.webhook_id, Delivery.body)
        .execution_options(synchronize_session=False)
    ).all()
    if not claimed:
        return []
    ids = {found.webhook_id for found in claimed}
    webhooks = {webhook.id: webhook for webhook in session.scalars(select(Webhook).where(Webhook.id.in_(ids)))}
    return [
        Taken(found.id, webhook.id, found.fence, found.attempt, webhook.url, found.body, _secrets(webhook, now))
        for found in claimed
        if (webhook := webhooks.get(found.webhook_id))
    ]


def _due(now: datetime, limit: int) -> Select[UUID]:
    """Of each webhook, and of each project, the messages that are due, as many as are sent at once, and of those the ones that nobody
    sends just now: what is being sent was due before."""
    first = (
        select(Delivery.id, Delivery.next_at, Delivery.lease_expires_at)
        .where(Delivery.webhook_id == Webhook.id, Delivery.state == DeliveryState.PENDING, Delivery.next_at <= now)
        .order_by(Delivery.next_at, Delivery.id)
        .limit(AT_ONCE)
        .lateral("first")
    )
    sent = func.coalesce(first.c.lease_expires_at > now, false())
    place = func.row_number().over(partition_by=Webhook.project_id, order_by=(sent.desc(), first.c.next_at, first.c.id))
    some = (
        select(first.c.id, first.c.next_at, sent.label("sent"), place.label("place"))
        .select_from(Webhook)
        .join(first, true())
        .where(Webhook.enabled)
        .subquery("some")
    )
    free = select(some.c.id).where(~some.c.sent, some.c.place <= AT_ONCE_OF_PROJECT)
    return free.order_by(some.c.next_at).limit(limit)


def _free(now: datetime) -> ColumnElement[bool]:
    """It is due and nobody sends it."""
    lease = Delivery.lease_expires_at
    return (Delivery.state == DeliveryState.PENDING) & (Delivery.next_at <= now) & or_(lease.is_(None), lease <= now)


def _secrets(webhook: Webhook, now: datetime) -> list[str]:
    """Those that sign at that time: while one is replaced both do."""
    if webhook.previous_secret and webhook.previous_until and webhook.previous_until > now:
        return [webhook.secret, webhook.previous_secret]
    return [webhook.secret]


@dataclass(frozen=True)
class Outcome:
    """What came of an attempt. ``error`` is None where the receiver has taken the message.

    Attributes:
        retry_after: seconds before which the receiver does not want this message again, where it said so.
    """

    seconds: float
    status_code: int | None = None
    answer: str | None = None
    error: str | None = None
    retry_after: float | None = None


@dataclass(frozen=True)
class Patience:
    """How long a receiver is borne with.

    Attributes:
        pauses: seconds between an attempt and the next; behind the last a message is given up.
        given_up: messages given up one after the other, none taken between them, that disable a webhook.
    """

    pauses: Sequence[float]
    given_up: int

    def pause(self, attempt: int, asked: float | None) -> float:
        """Seconds behind that attempt: as planned, or for as long as the receiver asked, though not beyond the longest that is planned."""
        return max(self.pauses[attempt - 1], min(asked or 0.0, max(self.pauses)))


def settle(session: Session, taken: Taken, outcome: Outcome, patience: Patience, *, longer: float = 0.0) -> None:
    """Writes what came of an attempt. Nothing is written where another sender has claimed the message since, or it is gone.

    Args:
        longer: the share by which the pause before the next attempt is longer than planned, so that not all come back at once.
    """
    # The webhook first, as who deletes it has it: what is to be sent to it goes after it.
    held = select(Webhook).where(Webhook.id == taken.webhook_id).with_for_update(key_share=True)
    webhook = session.scalar(held.execution_options(populate_existing=True))
    query = select(Delivery).where(Delivery.id == taken.id, Delivery.fence == taken.fence).with_for_update()
    delivery = session.scalar(query.execution_options(populate_existing=True))
    if webhook is None or delivery is None:
        return
    delivery.status_code, delivery.seconds = outcome.status_code, outcome.seconds
    delivery.answer, delivery.error = outcome.answer, outcome.error
    delivery.lease_expires_at = delivery.next_at = None
    if outcome.error is None:
        delivery.state, webhook.failures = DeliveryState.DELIVERED, 0
    elif outcome.status_code == HTTPStatus.GONE:
        delivery.state = DeliveryState.FAILED
        _disable(webhook, "The receiver answered 410 Gone: it wants no more messages.")
    elif taken.attempt <= len(patience.pauses):
        pause = patience.pause(taken.attempt, outcome.retry_after) * (1 + longer)
        delivery.next_at = clock(session) + timedelta(seconds=pause)
    else:
        delivery.state = DeliveryState.FAILED
        _given_up(webhook, delivery, patience)
    session.flush()
    told = "retried" if delivery.state == DeliveryState.PENDING else delivery.state
    tallies.observe(session, tallies.WEBHOOK_SECONDS, told, seconds=outcome.seconds)


def _given_up(webhook: Webhook, delivery: Delivery, patience: Patience) -> None:
    webhook.failures += 1
    if webhook.failures >= patience.given_up:
        _disable(
            webhook,
            f"{webhook.failures} messages were given up one after the other, each after {delivery.attempt} attempts. "
            f"The last time: {delivery.error}",
        )


def _disable(webhook: Webhook, reason: str) -> None:
    """What waits for it stays, and is sent if it is enabled again in time."""
    if webhook.enabled:
        webhook.enabled, webhook.disabled_reason = False, reason


def get(session: Session, webhook_id: UUID, delivery_id: UUID) -> Delivery:
    """A message to that webhook.

    Raises:
        NotFound: there is none of that id.
    """
    query = select(Delivery).where(Delivery.id == delivery_id, Delivery.webhook_id == webhook_id)
    delivery = session.scalar(query)
    if delivery is None:
        raise NotFound("delivery", delivery_id)
    return delivery


def retry(session: Session, webhook: Webhook, delivery_id: UUID) -> Delivery:
    """The message is sent again at once, also one that was taken, and has all its attempts anew. It is given up no more: one that
    ends so again counts once.

    Args:
        webhook: held, see :func:`store.webhooks.get`.

    Raises:
        NotFound: there is none of that id.
        IllegalTransition: the webhook is disabled, or the message is being sent.
    """
    must_be_enabled(webhook)
    delivery = get(session, webhook.id, delivery_id)
    session.refresh(delivery, with_for_update=True)
    now = clock(session)
    if delivery.lease_expires_at and delivery.lease_expires_at > now:
        raise IllegalTransition("The message is being sent just now. See what comes of it, and ask again then.")
    if delivery.state == DeliveryState.FAILED:
        webhook.failures = max(webhook.failures - 1, 0)
    delivery.state, delivery.attempt, delivery.next_at = DeliveryState.PENDING, 0, now
    delivery.fence += 1  # A sender whose lease has run out writes nothing more.
    session.flush()
    return delivery


def must_be_enabled(webhook: Webhook) -> None:
    """Raises:
    IllegalTransition: nothing is sent to it.
    """
    if not webhook.enabled:
        raise IllegalTransition(
            f'The webhook is disabled, and is sent nothing. Enable it first: PATCH /webhooks/{webhook.id} with {{"enabled": true}}.'
        )


def listing(
    session: Session,
    webhook_id: UUID,
    *,
    state: DeliveryState | None = None,
    after: UUID | None = None,
    limit: int = 20,
) -> Page[Delivery]:
    """A page of the messages to a webhook, newest first."""
    query = select(Delivery).where(Delivery.webhook_id == webhook_id)
    if state is not None:
        query = query.where(Delivery.state == state)
    return page(session, query, Delivery.id, after=after, limit=limit)
