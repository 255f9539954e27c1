"""What webhooks are told: the types of messages and what each holds. A message is written in the transaction of what it tells of.

The form is that of Standard Webhooks: ``type``, ``timestamp``, ``data``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from dna_engine.plans import Phase
from store.session import clock
from store.states import DatasetState, EventType, JobKind, JobState
from store.tables import CheckJob, Dataset, Event, Job


class Change(StrEnum):
    """What may become of a job.

    RESUMED: it waits again after it had failed or was cancelled.
    PHASE: it has entered another phase.
    """

    CREATED = "created"
    RUNNING = "running"
    PHASE = "phase"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    RESUMED = "resumed"


#: Kinds of jobs that people know as such, and where each is read.
PATHS: Mapping[JobKind, str] = {
    JobKind.SEARCH: "/searches/{id}",
    JobKind.TRAINING: "/trainings/{id}",
    JobKind.TUNING: "/tunings/{id}",
    JobKind.TIMING: "/architectures/{architecture}/latency",
}

JOB_TYPES = tuple(f"{kind}.{change}" for kind in PATHS for change in Change)
DATASET_TYPES = ("dataset.ready", "dataset.rejected")
TEST_TYPE: Literal["webhook.test"] = "webhook.test"
#: All that a webhook can ask for.
TYPES = (*JOB_TYPES, *DATASET_TYPES)


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True)


class Reason(_Told):
    """Why a job failed or a dataset was rejected."""

    code: str = Field(description="Stable name of the reason.")
    message: str = Field(description="The reason in words, with what to do.")
    param: str | None = Field(default=None, description="Field of the spec that it is about, where there is one.")
    step: str | None = Field(default=None, description="Key of the step that failed.")


class JobData(_Told):
    """The job as it was at that moment."""

    id: UUID = Field(description="Of the job.")
    kind: JobKind = Field(description="What it is.")
    name: str = Field(description="As its spec calls it.")
    state: JobState = Field(description="State that it is in.")
    phase: Phase = Field(description="Phase that it is in.")
    progress: float = Field(description="Of the whole job, 0 to 1.")
    project: str = Field(description="Name of the project that it is of.")
    labels: dict[str, str] = Field(description="Those of its spec.")
    dataset: str = Field(description="Name of the dataset that it works on.")
    error: Reason | None = Field(description="Why it failed; null unless it has.")
    created_at: datetime = Field(description="When it was asked for.")
    started_at: datetime | None = Field(description="When its first step was begun.")
    finished_at: datetime | None = Field(description="When it ended; null until it has.")
    path: str = Field(
        description="Path of the API where it is read.", examples=["/searches/0199d3f0-5a34-7c1e-b6a8-0d6f6f3f7a10"]
    )


class DatasetData(_Told):
    """The dataset that was checked."""

    id: UUID = Field(description="Of the dataset.")
    name: str = Field(description="Name of the dataset.")
    version: int = Field(description="Of the datasets of that name.")
    project: str = Field(description="Name of the project that it is of.")
    state: DatasetState = Field(description="Whether it can be used.")
    error: Reason | None = Field(description="Why it cannot be used; null where it can.")
    path: str = Field(description="Path of the API where it is read.")


class WebhookTestData(_Told):
    """What a test says."""

    webhook_id: UUID = Field(description="The webhook that is tried.")
    message: str = Field(description="A sentence for people.")


class JobMessage(_Told):
    """Something became of a job."""

    type: str = Field(
        json_schema_extra={"enum": list(JOB_TYPES)}, description="Kind of the job, and what became of it."
    )
    timestamp: datetime = Field(description="When it happened.")
    data: JobData = Field(description="The job as it was then.")


class DatasetMessage(_Told):
    """A dataset was checked."""

    type: Literal["dataset.ready", "dataset.rejected"] = Field(description="Whether it can be used.")
    timestamp: datetime = Field(description="When that was known.")
    data: DatasetData = Field(description="The dataset as it was then.")


class WebhookTestMessage(_Told):
    """Somebody tries the webhook."""

    type: Literal["webhook.test"] = Field(default=TEST_TYPE, description="That it is a test.")
    timestamp: datetime = Field(description="When it was asked for.")
    data: WebhookTestData = Field(description="What there is to say.")


Message = JobMessage | DatasetMessage | WebhookTestMessage


def of_job(session: Session, job: Job) -> Message | None:
    """What there is to tell of a job that is about to get a state event; None where that says nothing new.

    Only what is told of a dataset's check is about the dataset: what came of it.
    """
    if isinstance(job, CheckJob):
        return _of_check(session, job)
    change = _change(session, job)
    if change is None:
        return None
    return JobMessage(type=f"{job.kind}.{change}", timestamp=clock(session), data=_job(job))


def _of_check(session: Session, job: CheckJob) -> DatasetMessage | None:
    if job.state not in (JobState.SUCCEEDED, JobState.FAILED):
        return None
    dataset = session.get_one(Dataset, job.id)
    ready = job.state == JobState.SUCCEEDED and dataset.state == DatasetState.READY
    error = None if ready else Reason.model_validate(job.error or dataset.error)
    told = {name: getattr(dataset, name) for name in ("id", "name", "version", "project")}
    data = DatasetData(
        **told,
        state=DatasetState.READY if ready else DatasetState.REJECTED,
        error=error,
        path=f"/datasets/{dataset.id}",
    )
    return DatasetMessage(type="dataset.ready" if ready else "dataset.rejected", timestamp=clock(session), data=data)


def of_test(session: Session, webhook_id: UUID) -> WebhookTestMessage:
    """What a webhook is told when somebody tries it."""
    told = WebhookTestData(
        webhook_id=webhook_id, message="This is a test. What happens to your jobs is told like this."
    )
    return WebhookTestMessage(timestamp=clock(session), data=told)


def _change(session: Session, job: Job) -> Change | None:
    """What has become of the job since its last state event."""
    query = (
        select(Event.data)
        .where(Event.job_id == job.id, Event.type == EventType.STATE)
        .order_by(Event.seq.desc())
        .limit(1)
    )
    before = session.scalar(query)
    if before is None:
        return Change.CREATED
    if before["state"] != job.state:
        return Change.RESUMED if job.state == JobState.QUEUED else Change(job.state.value)
    return Change.PHASE if before["phase"] != job.phase else None


def _job(job: Job) -> JobData:
    path = PATHS[job.kind].format(id=job.id, architecture=job.resolved.get("architecture_id"))
    told = {name: getattr(job, name) for name in JobData.model_fields if name != "path"}
    return JobData.model_validate({**told, "path": path})


def matches(patterns: Iterable[str], kind_and_change: str) -> bool:
    """Whether a type is one of those meant: ``search.failed``, all of a kind ``search.*``, of every kind ``*.failed``, or ``*``."""
    kind, _, change = kind_and_change.partition(".")
    return any(pattern in ("*", kind_and_change, f"{kind}.*", f"*.{change}") for pattern in patterns)
