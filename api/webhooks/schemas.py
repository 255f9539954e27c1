"""What goes in and out of the routes of webhooks."""

from __future__ import annotations

import difflib
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from dna_engine.fields import Written
from dna_engine.spec.parts import LabelKey, LabelValue
from store import notices
from store.states import DeliveryState


def _known(pattern: str) -> str:
    if not any(notices.matches([pattern], kind) for kind in notices.TYPES):
        near = difflib.get_close_matches(pattern, (*notices.TYPES, "*"), n=1)
        meant = f" Did you mean {near[0]}?" if near else ""
        raise ValueError(
            f"Nothing of that type is ever told.{meant} Types are such as search.succeeded, search.*, *.failed, *"
        )
    return pattern


_URL = Field(
    min_length=1,
    max_length=2000,
    description="Where messages are posted: https, to a public address or a network that the operator allows.",
    examples=["https://example.com/hooks/dna"],
)
_EVENTS = Field(
    min_length=1,
    max_length=64,
    description=f"Types of messages: a type, all of a kind (`search.*`), of all kinds (`*.failed`), or all (`*`). The types are: "
    f"{', '.join(notices.TYPES)}.",
    examples=[["*.succeeded", "*.failed", "dataset.*"]],
)
_LABELS = Field(
    max_length=32,
    description="Only jobs that have all of these labels. Datasets have none, so that nothing is told of them where labels are given.",
    examples=[{"team": "vision"}],
)
_DESCRIPTION = Field(max_length=500, description="What it is for, for people.")

Events = list[Annotated[str, Field(max_length=64), AfterValidator(_known)]]
Labels = dict[LabelKey, LabelValue]


class WebhookSpec(Written):
    """A URL, and what it is to be told."""

    url: Annotated[str, _URL]
    events: Annotated[Events, _EVENTS] = Field(default=["*"])
    labels: Annotated[Labels, _LABELS] = Field(default={})
    description: Annotated[str, _DESCRIPTION] = ""
    enabled: bool = Field(default=True, description="Whether it is told anything.")


class WebhookPatch(Written):
    """A merge patch (RFC 7396) of a webhook: what is left out stays, and null is what it would be were it left out of a new one."""

    url: Annotated[str | None, _URL] = None
    events: Annotated[Events | None, _EVENTS] = None
    labels: dict[LabelKey, LabelValue | None] | None = Field(
        default=None,
        max_length=64,
        description="Labels to set; null takes one away. Null in place of all takes all away.",
    )
    description: Annotated[str | None, _DESCRIPTION] = None
    enabled: bool | None = Field(
        default=None, description="Whether it is told anything. True forgets why the service has disabled it."
    )


class WebhookOut(BaseModel):
    """A URL that is told what happens. Its secret is not shown again."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID = Field(description="Of the webhook, UUIDv7.")
    url: str = Field(description="Where messages are posted.")
    events: list[str] = Field(description="Types of messages, as they were asked for.")
    labels: dict[str, str] = Field(description="Those that a job must have.")
    description: str = Field(description="What it is for.")
    enabled: bool = Field(description="Whether it is told anything.")
    disabled_reason: str | None = Field(description="Why the service has disabled it; null where it has not.")
    failures: int = Field(
        description="Messages that were given up since one was taken. One that is tried again by hand is none of them until it is given up again."
    )
    previous_until: datetime | None = Field(
        description="Until when the secret before this one signs as well; null where none was replaced."
    )
    created_at: datetime = Field(description="When it was made.")
    created_by: str | None = Field(
        default=None, description="Name of the key that asked for it; null where that was done without a key."
    )
    project: str | None = Field(
        default=None, description="Name of the project that it is of; null of what ships with the service."
    )


class WebhookWithSecret(WebhookOut):
    """The same with its secret, which is shown this once: when the webhook is made, and when the secret is replaced."""

    secret: str = Field(
        description="Verifies the signatures of messages, as a library of Standard Webhooks takes it.",
        examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )


class DeliveryOut(BaseModel):
    """A message to a webhook, and how its last attempt went."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID = Field(description="Of the message; `webhook-id` at every attempt.")
    event: str = Field(description="Type of the message.", examples=["search.succeeded"])
    state: DeliveryState = Field(description="What came of it so far.")
    attempt: int = Field(description="Attempts so far; after a retry by hand, since then.")
    attempted_at: datetime | None = Field(description="When the last one began; null before the first.")
    status_code: int | None = Field(description="Of the last answer; null where there was none.")
    seconds: float | None = Field(description="That the last attempt took.")
    answer: str | None = Field(description="How the last answer began.")
    error: str | None = Field(description="Why the last attempt failed; null where it has not.")
    next_at: datetime | None = Field(description="When it is sent next; null once it was taken or given up.")
    created_at: datetime = Field(description="When it was written.")


class DeliveryDetail(DeliveryOut):
    """The same with the message itself."""

    body: str = Field(description="The message, byte for byte as it is signed and sent.")
