"""What of a job may be changed once it is made: what it is called, the labels it is found by, and its priority."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field
from sqlalchemy.orm import Session

from api.errors import Invalid
from api.patches import merged, without_default
from dna_engine.fields import Written
from dna_engine.spec.parts import LabelKey, LabelValue, Priority, not_blank
from store import jobs

#: As many as a spec may have.
_MOST_LABELS = 32


class JobPatch(Written):
    """A merge patch (RFC 7396) of a job: what is left out stays."""

    name: Annotated[str, Field(min_length=1, max_length=200), AfterValidator(not_blank)] = Field(
        default="",
        description="What to call it from now on; `spec` keeps the name that it was made with.",
        json_schema_extra=without_default,
    )
    labels: dict[LabelKey, LabelValue | None] | None = Field(
        default=None,
        description="Labels to set; null takes one away. Null in place of all takes all away.",
        max_length=64,
    )
    priority: Priority = Field(
        default=Priority.NORMAL,
        strict=False,
        description="Jobs of a higher one go before those of a lower one; it holds for what waits, what runs is not begun anew. Of a finished job it "
        "cannot be changed.",
        json_schema_extra=without_default,
    )


def apply(session: Session, job_id: UUID, patch: JobPatch) -> None:
    """Changes the job; an event tells of it, where it changes anything.

    Raises:
        Invalid: it would have too many labels.
        PriorityTooHigh: the caller may not give it that.
        IllegalTransition: nor can it be changed, of a finished job.
    """
    job = jobs.lock(session, job_id)
    labels = merged(job.labels, patch.labels) if patch.labels is not None else {}
    labels = labels if "labels" in patch.model_fields_set else job.labels
    if len(labels) > _MOST_LABELS:
        message = f"A job has at most {_MOST_LABELS} labels; with these it would have {len(labels)}"
        raise Invalid(f"{message}.", errors=[{"pointer": "#/labels", "detail": message}])
    jobs.rename(session, job, name=patch.name or job.name, labels=labels)
    if "priority" in patch.model_fields_set:
        jobs.prioritise(session, job, patch.priority)
