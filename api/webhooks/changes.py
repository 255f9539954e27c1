"""What may be changed of a webhook: everything that it was made with, held to the same rules."""

from __future__ import annotations

from pydantic import ValidationError

from api.errors import invalid_fields
from api.patches import merged
from api.webhooks.schemas import WebhookPatch, WebhookSpec
from store import webhooks
from store.tables import Webhook


def apply(webhook: Webhook, patch: WebhookPatch) -> None:
    """The webhook with the patch over it.

    Raises:
        Invalid: it would be none that could be made.
    """
    sent = patch.model_dump(exclude_unset=True)
    current = {name: getattr(webhook, name) for name in WebhookSpec.model_fields}
    try:
        spec = WebhookSpec.model_validate(merged(current, sent))
    except ValidationError as error:
        details = [{**found, "loc": ("body", *found["loc"])} for found in error.errors(include_url=False)]
        raise invalid_fields(details, sent) from error
    webhook.url, webhook.events, webhook.labels = spec.url, spec.events, spec.labels
    webhook.description = spec.description
    if "enabled" in sent:
        webhooks.enable(webhook, spec.enabled)
