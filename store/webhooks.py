"""Rows of webhooks: who is told, of what, signed by which secret. What they are sent is in ``store.deliveries``."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store.actors import actor_of, own, signature
from store.columns import new_id
from store.errors import IllegalTransition, NotFound
from store.pages import Page, page
from store.projects import of_project
from store.session import clock
from store.tables import Webhook

#: For so long after a new secret was made the one before signs as well.
OVERLAP = timedelta(hours=24)

#: Of a secret; Standard Webhooks asks for 24 to 64.
_SECRET_BYTES = 32


def create(
    session: Session,
    url: str,
    *,
    description: str,
    events: Sequence[str],
    labels: Mapping[str, str],
    enabled: bool,
    most: int,
) -> Webhook:
    """A new webhook with its secret.

    Raises:
        IllegalTransition: the project has as many as there may be.
    """
    lock = func.hashtextextended(f"webhooks {actor_of(session).project_id}", 0)
    session.execute(select(func.pg_advisory_xact_lock(lock)))
    if session.scalars(select(func.count()).select_from(Webhook).where(own(session, Webhook))).one() >= most:
        raise IllegalTransition(f"There are {most} webhooks, and more are not kept. Delete one first.")
    webhook = Webhook(
        id=new_id(),
        url=url,
        description=description,
        events=list(events),
        labels=dict(labels),
        enabled=enabled,
        secret=_new_secret(),
        **signature(session),
    )
    session.add(webhook)
    session.flush()
    return webhook


def get(session: Session, webhook_id: UUID, *, hold: bool = False) -> Webhook:
    """The webhook of that id.

    Args:
        hold: nobody else changes it until the transaction ends.

    Raises:
        NotFound: there is none.
    """
    query = select(Webhook).where(Webhook.id == webhook_id)
    webhook = session.scalar(query.with_for_update(key_share=True) if hold else query)
    if webhook is None:
        raise NotFound("webhook", webhook_id)
    return webhook


def enable(webhook: Webhook, enabled: bool) -> None:
    """From now on it is told, or not. The count of failures begins anew, and the service's reason to disable it is forgotten."""
    webhook.enabled, webhook.disabled_reason, webhook.failures = enabled, None, 0


def rotate(session: Session, webhook: Webhook) -> Webhook:
    """A new secret. The one it replaces signs as well for :data:`OVERLAP`; one that was being replaced no more."""
    webhook.previous_secret, webhook.previous_until = webhook.secret, clock(session) + OVERLAP
    webhook.secret = _new_secret()
    session.flush()
    return webhook


def delete(session: Session, webhook_id: UUID) -> None:
    """The webhook goes, with what was to be sent to it.

    Raises:
        NotFound: there is none of that id.
    """
    session.delete(get(session, webhook_id))
    session.flush()


def listing(
    session: Session, *, project: str | None = None, after: UUID | None = None, limit: int = 20
) -> Page[Webhook]:
    """A page of webhooks, newest first; of a project, where its name is given."""
    query = select(Webhook) if project is None else select(Webhook).where(of_project(Webhook, project))
    return page(session, query, Webhook.id, after=after, limit=limit)


def _new_secret() -> str:
    return f"whsec_{base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()}"
