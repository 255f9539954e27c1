"""What goes into and out of the routes of keys."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.patches import without_default
from dna_engine.fields import Written
from dna_engine.spec.parts import Text
from store.limits import Limits, Scope

_NAME = "Whose it is. What is made with it says so in `created_by`."
_LIMITS = "What it may use at most; a limit that is left out is that of the service's settings."


class KeyIn(Written):
    """A key that is to be made."""

    name: Annotated[Text, Field(min_length=1, description=_NAME)]
    scopes: list[Scope] = Field(
        default=[Scope.READ, Scope.RUN], min_length=1, description="What it may do; none includes another."
    )
    project: Annotated[Text, Field(min_length=1)] | None = Field(
        default=None,
        description="Name of the project whose things it sees and makes, which is made where there is none: "
        "then up to 100 letters, digits, dots, dashes and underscores. Null: a new one, called as the key.",
    )
    expires_at: AwareDatetime | None = Field(
        default=None, description="From then on it opens nothing. Null: it lasts until it is revoked."
    )
    limits: Limits = Field(default_factory=Limits, description=_LIMITS)


class KeyPatch(Written):
    """A merge patch (RFC 7396) of a key: what is left out stays. Its project is for good."""

    name: Annotated[Text, Field(min_length=1)] = Field(
        default="",
        description="What to call it from now on; what it has made so far keeps the name before in `created_by`.",
        json_schema_extra=without_default,
    )
    scopes: list[Scope] = Field(
        default=[],
        min_length=1,
        description="All that it may do from now on; none includes another. Where the highest priority of its jobs was the usual one, it is the "
        "usual one of such a key then: any with `admin`.",
        json_schema_extra=without_default,
    )
    expires_at: AwareDatetime | None = Field(
        default=None, description="From then on it opens nothing, also where it has expired. Null: it lasts."
    )
    limits: Limits = Field(
        default_factory=Limits, description="Limits to set; null takes one away, and one that is left out stays."
    )


class KeyOut(BaseModel):
    """A key, without the key itself."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID = Field(description="Of the key, UUIDv7.")
    name: str = Field(description=_NAME)
    project: str = Field(description="Name of the project whose things it sees and makes.")
    prefix: str = Field(description="How it begins, behind `dna_`.", examples=["0a1b2c3d"])
    scopes: list[Scope] = Field(description="What it may do; none includes another.")
    limits: Limits = Field(description="What it may use at most; null for no limit.")
    created_at: datetime = Field(description="When it was made.")
    expires_at: datetime | None = Field(description="From then on it opens nothing; null where it lasts.")
    last_used_at: datetime | None = Field(description="To the minute; null where it was not used yet.")
    revoked_at: datetime | None = Field(description="Since when it opens nothing; null where it was not revoked.")


class KeyWithSecret(KeyOut):
    """The same with the key itself, which is shown this once."""

    project_created: bool = Field(description="Whether its project was made with it; false where there was one.")
    key: str = Field(description="Goes behind `Authorization: Bearer`. Only its SHA-256 is kept.")


class KeyUse(BaseModel):
    """What a key uses of what its limits name."""

    model_config = ConfigDict(from_attributes=True)

    running_jobs: int = Field(description="Its jobs that run, checks of datasets and timings too.")
    queued_jobs: int = Field(description="Its jobs that wait in the queue, checks of datasets and timings too.")
    device_hours: float = Field(description="Hours of devices that its jobs took over the last 30 days.")
    stored_bytes: int = Field(description="Bytes of its datasets, teachers and uploads.")


class KeyDetail(KeyOut):
    """A key with what it uses."""

    used: KeyUse = Field(description="Just now.")


class MyKey(BaseModel):
    """Who calls. Without a key, on the machine of an embedded service, `id`, `name` and `used` are null, and everything may be done."""

    id: UUID | None = Field(description="Of the key, UUIDv7.")
    name: str | None = Field(description=_NAME)
    project: str = Field(description="Name of the project whose things the caller sees and makes.")
    scopes: list[Scope] = Field(description="What the caller may do.")
    limits: Limits = Field(description="What the caller may use at most; null for no limit.")
    expires_at: datetime | None = Field(description="From then on the key opens nothing; null where it lasts.")
    used: KeyUse | None = Field(description="Just now.")
    key_needed: bool = Field(
        description="Whether the service takes no request without a key; false on the machine of an embedded one."
    )
