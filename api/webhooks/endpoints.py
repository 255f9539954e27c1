"""Routes of webhooks: create, list, read, change, delete, try, a new secret; and the log of what they were sent."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Response

from api.auth import authenticate
from api.body import JsonRoute
from api.deps import ResourcesDep, SessionDep
from api.filters import OfProject
from api.openapi import problems
from api.pagination import Page, RowPaging, encode
from api.patches import MERGE_PATCH
from api.webhooks import changes
from api.webhooks.schemas import DeliveryDetail, DeliveryOut, WebhookOut, WebhookWithSecret
from api.webhooks.targets import PatchDep, SpecDep
from store import deliveries, notices, webhooks
from store.states import DeliveryState
from store.tables import Delivery

WebhookId = Annotated[UUID, Path(description="Of the webhook.")]
DeliveryId = Annotated[UUID, Path(description="Of the message.")]

router = APIRouter(
    prefix="/webhooks",
    tags=["webhooks"],
    route_class=JsonRoute,
    dependencies=[Depends(authenticate)],
    responses=problems(401, 403, 422, 503),
)


@router.post("", status_code=201, response_model=WebhookWithSecret, responses=problems(400, 409, 413))
def create_webhook(
    spec: SpecDep, session: SessionDep, resources: ResourcesDep, response: Response
) -> WebhookWithSecret:
    """Have a URL told what happens to jobs and datasets, by signed messages as Standard Webhooks has them.

    The `secret` that verifies them is shown in this answer alone, so that it takes no `Idempotency-Key`, whose answers are kept.
    `webhooks` of this document has the messages.
    """
    made = webhooks.create(session, **spec.model_dump(), most=resources.settings.webhooks_most)
    response.headers["Location"] = f"/webhooks/{made.id}"
    return WebhookWithSecret.model_validate(made)


@router.get("", response_model=Page[WebhookOut])
def list_webhooks(session: SessionDep, paging: RowPaging, project: OfProject = None) -> Page[WebhookOut]:
    """Webhooks, newest first."""
    found = webhooks.listing(session, project=project, after=paging.after, limit=paging.limit)
    items = [WebhookOut.model_validate(webhook) for webhook in found.items]
    return Page(items=items, next=encode(str(found.next)) if found.next else None)


@router.get("/{webhook_id}", response_model=WebhookOut, responses=problems(404))
def get_webhook(webhook_id: WebhookId, session: SessionDep) -> WebhookOut:
    """A webhook: what it is told, and whether the service has disabled it and why."""
    return WebhookOut.model_validate(webhooks.get(session, webhook_id))


@router.patch(
    "/{webhook_id}",
    response_model=WebhookOut,
    responses=problems(400, 404, 413, 415),
    dependencies=[MERGE_PATCH],
)
def update_webhook(webhook_id: WebhookId, patch: PatchDep, session: SessionDep) -> WebhookOut:
    """Change a webhook, by a JSON merge patch (RFC 7396). Enabled again, it is sent what still waits for it; of what happened meanwhile it
    is told nothing.
    """
    webhook = webhooks.get(session, webhook_id, hold=True)
    changes.apply(webhook, patch)
    session.flush()
    return WebhookOut.model_validate(webhook)


@router.delete("/{webhook_id}", status_code=204, responses=problems(404))
def delete_webhook(webhook_id: WebhookId, session: SessionDep) -> None:
    """Delete a webhook with its log. What waits for it is not sent."""
    webhooks.delete(session, webhook_id)


@router.post("/{webhook_id}/test", status_code=202, response_model=DeliveryDetail, responses=problems(404, 409))
def test_webhook(webhook_id: WebhookId, session: SessionDep, response: Response) -> DeliveryDetail:
    """Send a message of type `webhook.test`. It goes the way of all others: read its delivery to see what came of it."""
    webhook = webhooks.get(session, webhook_id)
    deliveries.must_be_enabled(webhook)
    return _accepted(response, deliveries.put(session, webhook, notices.of_test(session, webhook.id)))


@router.post("/{webhook_id}/rotate", response_model=WebhookWithSecret, responses=problems(404))
def rotate_webhook_secret(webhook_id: WebhookId, session: SessionDep) -> WebhookWithSecret:
    """Replace the secret. For 24 hours messages are signed by both, so that the receiver can be changed meanwhile. The new one is shown in
    this answer alone, which takes no `Idempotency-Key`.
    """
    return WebhookWithSecret.model_validate(webhooks.rotate(session, webhooks.get(session, webhook_id, hold=True)))


@router.get("/{webhook_id}/deliveries", response_model=Page[DeliveryOut], responses=problems(404))
def list_deliveries(
    webhook_id: WebhookId,
    session: SessionDep,
    paging: RowPaging,
    state: Annotated[DeliveryState | None, Query(description="Only messages in that state.")] = None,
) -> Page[DeliveryOut]:
    """What a webhook was sent, newest first, and how the last attempt of each message went."""
    webhook = webhooks.get(session, webhook_id)
    found = deliveries.listing(session, webhook.id, state=state, after=paging.after, limit=paging.limit)
    items = [DeliveryOut.model_validate(delivery) for delivery in found.items]
    return Page(items=items, next=encode(str(found.next)) if found.next else None)


@router.get("/{webhook_id}/deliveries/{delivery_id}", response_model=DeliveryDetail, responses=problems(404))
def get_delivery(webhook_id: WebhookId, delivery_id: DeliveryId, session: SessionDep) -> DeliveryDetail:
    """A message to a webhook, as it was sent."""
    return DeliveryDetail.model_validate(deliveries.get(session, webhook_id, delivery_id))


@router.post(
    "/{webhook_id}/deliveries/{delivery_id}/retry",
    status_code=202,
    response_model=DeliveryDetail,
    responses=problems(404, 409),
)
def retry_delivery(
    webhook_id: WebhookId, delivery_id: DeliveryId, session: SessionDep, response: Response
) -> DeliveryDetail:
    """Send a message again at once, under the same id and with all its attempts anew: one that was given up, or one that was taken and is
    wanted again. One that is being sent at this moment is a 409.
    """
    webhook = webhooks.get(session, webhook_id, hold=True)
    return _accepted(response, deliveries.retry(session, webhook, delivery_id))


def _accepted(response: Response, delivery: Delivery) -> DeliveryDetail:
    """The message, and where to read what comes of it."""
    response.headers["Location"] = f"/webhooks/{delivery.webhook_id}/deliveries/{delivery.id}"
    return DeliveryDetail.model_validate(delivery)
