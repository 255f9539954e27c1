"""The messages that webhooks are sent, for the section `webhooks` of the OpenAPI document. Nothing is served here."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header

from store.notices import DatasetMessage, JobMessage, WebhookTestMessage

router = APIRouter()

MessageId = Annotated[
    str,
    Header(
        alias="webhook-id", description="The same at every attempt: a message that was seen before is to be ignored."
    ),
]
Sent = Annotated[
    str,
    Header(
        alias="webhook-timestamp",
        description="When this attempt was made, in seconds since 1970; refuse what is older than minutes.",
    ),
]
Signature = Annotated[
    str,
    Header(
        alias="webhook-signature",
        description="`v1,` and the HMAC-SHA256 of `id.timestamp.body` in base64; several, with spaces between them, while a secret is replaced.",
    ),
]


@router.post("job", status_code=204)
def job_changed(
    message: JobMessage, webhook_id: MessageId, webhook_timestamp: Sent, webhook_signature: Signature
) -> None:
    """A search, training, tuning or timing was created, runs, has entered a phase, has ended or waits again. Any answer of 2xx takes the message."""


@router.post("dataset", status_code=204)
def dataset_checked(
    message: DatasetMessage, webhook_id: MessageId, webhook_timestamp: Sent, webhook_signature: Signature
) -> None:
    """A dataset was checked and can be used, or cannot. Any answer of 2xx takes the message."""


@router.post("test", status_code=204)
def webhook_tested(
    message: WebhookTestMessage, webhook_id: MessageId, webhook_timestamp: Sent, webhook_signature: Signature
) -> None:
    """Somebody tries the webhook. Any answer of 2xx takes the message."""
