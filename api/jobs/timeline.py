"""Who ran which step from when to when: the rows of a Gantt chart by worker."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from api.pagination import Page, encode
from dna_engine.plans import Kind, Phase
from store import attempts
from store.states import AttemptOutcome
from store.tables import Attempt, Step

#: Of a worker, beside its id.
_NAMES = ("hostname", "device", "device_name")


class AttemptWorker(BaseModel):
    """The worker of an attempt, as it was then; it may be gone since."""

    id: UUID = Field(description="Of the worker, as of `GET /workers` while it lives.")
    hostname: str = Field(description="Of its machine.")
    device: str = Field(description="That the step ran on: `cpu`, `cuda:0`, `mps`.")
    device_name: str = Field(description="The same by its maker's name.")

    @classmethod
    def of(cls, attempt: Attempt) -> AttemptWorker:
        """Who ran an attempt, where that is known."""
        return cls.model_validate({"id": attempt.worker_id, **{name: getattr(attempt, name) for name in _NAMES}})


class AttemptOut(BaseModel):
    """An attempt at a step."""

    step: UUID = Field(description="Id of the step.")
    key: str = Field(description="Name of the step within the job, such as `distill-1`.")
    kind: Kind = Field(description="What the step does.")
    phase: Phase = Field(description="Of the job, to which the step belongs.")
    attempt: int = Field(
        description="Number of the attempt, from 1; one that was given back does not count, and after a resume they count anew."
    )
    worker: AttemptWorker | None = Field(description="Who ran it; null of what earlier versions have run.")
    started_at: datetime = Field(description="When it was taken.")
    finished_at: datetime | None = Field(
        description="When it ended, and where its worker was lost when that was noticed; null while it runs."
    )
    outcome: AttemptOutcome = Field(
        description="lost: nothing was heard of its worker any more; released: it was given back after a checkpoint, for the `reason`."
    )
    reason: str | None = Field(description="Why it was given back, as the end of a sentence; null of other outcomes.")
    engine_seconds: float = Field(description="Time the engine ran for it, as far as was told.")

    @classmethod
    def of(cls, attempt: Attempt, step: Step) -> AttemptOut:
        """The attempt as it is shown."""
        runs = attempt.outcome == AttemptOutcome.RUNNING
        return cls(
            step=step.id,
            key=step.key,
            kind=step.kind,
            phase=step.phase,
            attempt=attempt.attempt,
            worker=None if attempt.worker_id is None else AttemptWorker.of(attempt),
            started_at=attempt.started_at,
            finished_at=attempt.finished_at,
            outcome=attempt.outcome,
            reason=attempt.reason,
            engine_seconds=step.engine_seconds - attempt.engine_before if runs else attempt.engine_seconds,
        )


def page(session: Session, job_id: UUID, after: UUID | None, limit: int) -> Page[AttemptOut]:
    """A page of the attempts behind that one, the earliest first."""
    rows = attempts.of_job(session, job_id, after=after, limit=limit + 1)
    more = encode(str(rows[limit - 1][0].id)) if len(rows) > limit else None
    return Page(items=[AttemptOut.of(*row) for row in rows[:limit]], next=more)
