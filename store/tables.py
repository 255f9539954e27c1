"""The tables. What a row means is said at its class; what may happen to it is in the repository named like it."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    ForeignKey,
    Identity,
    Index,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    column,
    false,
    func,
    select,
    table,
    text,
)
from sqlalchemy.orm import Mapped, column_property, mapped_column, relationship

from dna_engine.plans import Kind, Phase
from dna_engine.plans import Step as PlannedStep
from dna_engine.plans.results import Trained
from dna_engine.spec import Priority
from store.columns import Base, Json, new_id
from store.owned import Made, OfJob, Owned, Shared
from store.states import (
    FINISHED,
    AttemptOutcome,
    DatasetState,
    DeliveryState,
    EventType,
    JobKind,
    JobState,
    Role,
    StepState,
)


class Project(Base):
    """Keys that share what they make. Two are always there: ``store.owned`` says which."""

    __tablename__ = "projects"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ApiKey(Base):
    """A key of the API. The key itself is shown once; what is kept is its SHA-256 and the prefix people know it by."""

    __tablename__ = "api_keys"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id"), index=True)
    name: Mapped[str]
    prefix: Mapped[str] = mapped_column(unique=True)
    sha256: Mapped[str]
    scopes: Mapped[list[str]]
    """``store.limits.Scope``."""
    limits: Mapped[Json] = mapped_column(default=dict)
    """``store.limits.Limits``, those that are set."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class DeviceUse(Base):
    """What jobs of a key took of devices on a day of UTC; see ``store.quotas``. It outlives the jobs."""

    __tablename__ = "device_use"

    key_id: Mapped[UUID] = mapped_column(ForeignKey("api_keys.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    seconds: Mapped[float]
    """Of one device: a second of two counts twice."""


class Share(Base):
    """What a key's jobs have taken of devices, or a project's without a key; see ``store.shares``. Nobody has taken anything before there is a row."""

    __tablename__ = "shares"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    """Of the key or project."""
    standing: Mapped[float]


class IdempotencyKey(Base):
    """The answer given to a request with an Idempotency-Key, byte for byte, kept for 24 hours."""

    __tablename__ = "idempotency_keys"

    owner: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_sha256: Mapped[str]
    status: Mapped[int]
    headers: Mapped[dict[str, str]]
    body: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)


class Dataset(Shared, Made, Base):
    """Images to search on and to train with; they never change. The job that checks them has the same id."""

    __tablename__ = "datasets"
    __table_args__ = (
        UniqueConstraint("project_id", "name", "version"),
        Index("ix_datasets_project_id_id", "project_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str]
    version: Mapped[int] = mapped_column(default=1)
    """From 1; never given twice to different images as long as anything remembers the first."""
    state: Mapped[DatasetState] = mapped_column(default=DatasetState.READY)
    info: Mapped[Json]
    """``dna_engine.images.info.DatasetInfo`` once it is ready; before, its ``kind`` alone."""
    report: Mapped[Json | None]
    """``dna_engine.images.check.report.Report``: what the check has found; None of what ships with the service or was never checked."""
    fingerprint: Mapped[str | None] = mapped_column(index=True)
    archive: Mapped[Json | None]
    """The tar of an upload's images. Where ``store.blobs`` keeps it: ``id``, ``location``, ``size`` and ``sha256``."""
    error: Mapped[Json | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Teacher(Owned, Made, Base):
    """Weights of a model of the catalogue that were sent. Searches that begin with them have rows of their own for the files."""

    __tablename__ = "teachers"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str]
    model: Mapped[str]
    """Of timm, with the tag that it was sent with."""
    num_classes: Mapped[int]
    mean: Mapped[list[float]]
    std: Mapped[list[float]]
    weights: Mapped[Json]
    """Where ``store.blobs`` keeps the safetensors file, as ``Dataset.archive``."""
    about: Mapped[Json]
    """The same of what ``teacher.json`` says of it."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Job(Owned, Made, Base):
    """What somebody asked for. Its row is the lock under which its steps and events change; see ``store.jobs.lock``."""

    __tablename__ = "jobs"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[JobKind]
    name: Mapped[str]
    state: Mapped[JobState] = mapped_column(default=JobState.QUEUED)
    phase: Mapped[Phase]
    progress: Mapped[float] = mapped_column(default=0.0)
    eta_seconds: Mapped[float | None]
    spec: Mapped[Json]
    """As the user wrote it."""
    resolved: Mapped[Json]
    """``dna_engine.spec.ResolvedJob`` of its kind."""
    labels: Mapped[dict[str, str]] = mapped_column(default=dict)
    priority: Mapped[Priority] = mapped_column(default=Priority.NORMAL, server_default=Priority.NORMAL)
    let_through: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether it goes before all of its priority, since it has waited for long and is small; see ``store.preemption``."""
    expected_seconds: Mapped[float | None]
    """All that its plan gives it on one device that nothing is known of; None of what versions before have made."""
    dataset: Mapped[str] = mapped_column(index=True)
    seed: Mapped[int]
    error: Mapped[Json | None]
    """``code``, ``message``, ``param`` and the ``step`` that failed."""
    cloned_from: Mapped[UUID | None] = mapped_column(ForeignKey("jobs.id", ondelete="SET NULL"))
    """The job whose spec it was made of; None when that was deleted since."""
    request_id: Mapped[str | None]
    """Of the request that made it; stands in every line that is logged of it."""
    traceparent: Mapped[str | None]
    """The span of that request, as W3C writes it, where it was traced; see ``store.tracing``."""
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    event_seq: Mapped[int] = mapped_column(default=0)
    """Number of the last event."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    steps: Mapped[list[Step]] = relationship(lazy="raise", order_by="Step.id", viewonly=True)

    @property
    def share_id(self) -> UUID:
        """Of whose share of the devices it takes: its key's, or its project's where it has none."""
        return self.key_id or self.project_id

    @property
    def rank(self) -> int:
        """Where it stands, 0 for the first: by priority; let through, half a step before others of the same."""
        return 2 * (Priority.HIGH.rank - self.priority.rank) + (not self.let_through)

    __mapper_args__ = {"polymorphic_on": "kind"}  # noqa: RUF012  The way to tell SQLAlchemy.


Index("ix_jobs_labels", Job.labels, postgresql_using="gin")
Index("ix_jobs_kind_state_id", Job.kind, Job.state, Job.id)
Index("ix_jobs_project_id_kind_id", Job.project_id, Job.kind, Job.id)
Index("ix_jobs_key_id_state", Job.key_id, Job.state)
Index("ix_jobs_kind_name_id", Job.kind, Job.name, Job.id)
Index("ix_jobs_kind_created_at_id", Job.kind, Job.created_at, Job.id)
Index("ix_jobs_kind_finished_at_id", Job.kind, Job.finished_at, Job.id)
Index(
    "ix_jobs_timed",
    Job.resolved["architecture_id"].astext,
    Job.id,
    postgresql_where=Job.kind == JobKind.TIMING,
)
Index("ix_jobs_cloned_from", Job.cloned_from, postgresql_where=Job.cloned_from.is_not(None))


class Search(Job):
    """A search. ``best`` is a summary of its winner, ``teacher`` the model of timm that it learns from."""

    __tablename__ = "searches"
    __mapper_args__ = {"polymorphic_identity": JobKind.SEARCH}  # noqa: RUF012

    id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    best: Mapped[Json | None]
    control_accuracy: Mapped[float | None]
    """Test accuracy of its control, once that is trained."""

    # Of the resolved spec, which is too much to read for a list. Whoever shows them asks for them: none is read row by row.
    teacher: Mapped[str] = column_property(Job.resolved["teacher"]["model"].astext, deferred=True, raiseload=True)
    budget: Mapped[Json] = column_property(Job.resolved["budget"], deferred=True, raiseload=True)


class TrainingJob(Job):
    """A training that somebody asked for by itself; its row in ``trainings`` has the same id."""

    __mapper_args__ = {"polymorphic_identity": JobKind.TRAINING}  # noqa: RUF012


class Tuning(Job):
    """A tuning. ``best`` is the trial that has come farthest so far: ``trial``, ``value``, ``params``; ``store.studies`` has Optuna's
    own account of it."""

    __tablename__ = "tunings"
    __mapper_args__ = {"polymorphic_identity": JobKind.TUNING}  # noqa: RUF012

    id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    architecture_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("architectures.id", ondelete="SET NULL"), index=True
    )
    """None when the network's search was deleted since; the spec describes it."""
    best: Mapped[Json | None]


class TimingJob(Job):
    """The timing of a network, whose id its spec has."""

    __mapper_args__ = {"polymorphic_identity": JobKind.TIMING}  # noqa: RUF012


class CheckJob(Job):
    """The check of the dataset that has the same id."""

    __mapper_args__ = {"polymorphic_identity": JobKind.CHECK}  # noqa: RUF012


class Step(OfJob, Base):
    """A unit of work of a job; the step that trains a network belongs to its training as well.

    Whoever claims it gets a new ``fence``; every later write names it, so a worker that lost its lease cannot write.
    """

    __tablename__ = "steps"
    __table_args__ = (
        UniqueConstraint("job_id", "key"),
        Index("ix_steps_state_lease_expires_at", "state", "lease_expires_at"),
        Index("ix_steps_state_training_id", "state", "training_id", postgresql_where=text("training_id IS NOT NULL")),
        Index(
            "ix_steps_line",
            "queue",
            "share_id",
            "rank",
            "job_id",
            "id",
            postgresql_where=text("state = 'queued'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    training_id: Mapped[UUID | None] = mapped_column(ForeignKey("trainings.id", ondelete="CASCADE"), unique=True)
    key: Mapped[str]
    kind: Mapped[Kind]
    phase: Mapped[Phase]
    """Of the job; the step can be claimed while the job is in it."""
    queue: Mapped[str]
    payload: Mapped[Json]
    """``dna_engine.plans.Step``."""
    share_id: Mapped[UUID]
    """``Job.share_id``: here, and ``rank`` too, for the index that claims go by."""
    rank: Mapped[int] = mapped_column(SmallInteger)
    """``Job.rank``, as it is now."""
    expected_seconds: Mapped[float | None]
    """That its plan gives it, as ``Job.expected_seconds``."""
    state: Mapped[StepState] = mapped_column(default=StepState.QUEUED)
    attempt: Mapped[int] = mapped_column(default=0)
    max_attempts: Mapped[int]
    fence: Mapped[int] = mapped_column(default=0)
    lease_owner: Mapped[UUID | None]
    """The worker that runs it."""
    lease_expires_at: Mapped[datetime | None]
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    unit: Mapped[str] = mapped_column(default="steps")
    eta_seconds: Mapped[float | None]
    parts: Mapped[list[str]] = mapped_column(default=list)
    values: Mapped[Json] = mapped_column(default=dict)
    """What it found: of ``dna_engine.plans.results.FOUND[kind]``, once it has succeeded."""
    error: Mapped[Json | None]
    engine_seconds: Mapped[float] = mapped_column(default=0.0)
    """Time the engine's processes ran for it, over all attempts; from zero again when what it made is made again."""
    device: Mapped[str | None]
    yield_reason: Mapped[str | None]
    """Why whoever runs it is asked to stop after a checkpoint and give it back; None while nobody asks. Of the last attempt."""
    yield_asked_at: Mapped[datetime | None]
    """When that was asked."""
    queued_at: Mapped[datetime] = mapped_column(server_default=func.now())
    available_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """Until then nobody claims it: what failed for want of room waits before it is tried again."""
    woken_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """When a wake was last put into the outbox for it."""
    started_at: Mapped[datetime | None]
    """When its last attempt began: neither waiting nor the time between two attempts counts as its own."""
    finished_at: Mapped[datetime | None]

    @property
    def progress(self) -> float:
        """0 to 1."""
        return self.done / self.total if self.total else 0.0

    @property
    def planned(self) -> PlannedStep:
        """What it is to do."""
        return PlannedStep.model_validate(self.payload)


class Attempt(OfJob, Base):
    """An attempt at a step, from its claim to the end of its lease; see ``store.attempts``. The worker is written down as it was: its own row
    does not last."""

    __tablename__ = "attempts"
    __table_args__ = (
        Index("ix_attempts_job_id_id", "job_id", "id"),
        Index("ix_attempts_measured", "id", postgresql_where=text("work IS NOT NULL")),
        UniqueConstraint("step_id", "fence"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    step_id: Mapped[UUID] = mapped_column(ForeignKey("steps.id", ondelete="CASCADE"))
    fence: Mapped[int]
    """Of the step, under which it was held."""
    attempt: Mapped[int]
    worker_id: Mapped[UUID | None]
    """Not a foreign key; None, as its names, of what versions before have run."""
    hostname: Mapped[str | None]
    device: Mapped[str | None]
    device_name: Mapped[str | None]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    outcome: Mapped[AttemptOutcome] = mapped_column(default=AttemptOutcome.RUNNING)
    reason: Mapped[str | None]
    """Why the step was given back, as a sentence's end."""
    engine_before: Mapped[float]
    """``Step.engine_seconds`` when it began."""
    engine_seconds: Mapped[float] = mapped_column(default=0.0)
    """Time the engine ran for it, once it has ended."""
    progress_before: Mapped[float] = mapped_column(default=0.0)
    """``Step.progress`` when it began."""
    work: Mapped[float | None]
    """Giga-multiply-adds that it did, where that tells how fast its device is; see ``store.speeds``."""


class Event(OfJob, Base):
    """Something that happened to a job. ``seq`` runs from 1 without a gap, in the order of the commits."""

    __tablename__ = "events"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    type: Mapped[EventType]
    data: Mapped[Json]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class JobChange(Owned, Base):
    """That something of a job has changed which people see of it, or that it is gone; see ``store.changes``. Kept for an hour."""

    __tablename__ = "job_changes"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    job_id: Mapped[UUID]
    """Not a foreign key: it outlives a job that is deleted."""
    kind: Mapped[JobKind]
    transaction: Mapped[int] = mapped_column(server_default=text("pg_current_xact_id()::text::bigint"), index=True)
    """Number of the transaction that wrote it."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Metric(OfJob, Base):
    """A point of a series, such as ``distill/b1c1/loss``. A repeated ``x`` (after a resume) replaces the point."""

    __tablename__ = "metrics"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    series: Mapped[str] = mapped_column(primary_key=True)
    x: Mapped[float] = mapped_column(primary_key=True)
    y: Mapped[float]


class MetricRun(OfJob, Base):
    """Points of a series that follow one another, from ``start`` to ``last``, and what they come to; see ``store.runs``."""

    __tablename__ = "metric_runs"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    series: Mapped[str] = mapped_column(primary_key=True)
    start: Mapped[float] = mapped_column(primary_key=True)
    """``x`` of its first point."""
    start_y: Mapped[float]
    last: Mapped[float]
    last_y: Mapped[float]
    low_x: Mapped[float]
    """Where it is lowest; of several such points the first."""
    low_y: Mapped[float]
    high_x: Mapped[float]
    high_y: Mapped[float]
    points: Mapped[int]


#: What is read of :class:`Job` with every network.
_JOBS = table("jobs", column("id", Uuid()), column("name", Text()))


class Architecture(Owned, Made, Base):
    """A network. ``architecture`` is ``dna_engine.space.architecture.Architecture.to_json``."""

    __tablename__ = "architectures"
    __table_args__ = (
        Index(
            "uq_architectures_search_id_role",
            "search_id",
            "role",
            unique=True,
            postgresql_where=text("role IN ('winner', 'control')"),
        ),
        UniqueConstraint("project_id", "sha256"),
        Index("ix_architectures_project_id_id", "project_id", "id"),
        Index("ix_architectures_flops_id", "flops", "id"),
        Index("ix_architectures_params_id", "params", "id"),
        Index("ix_architectures_test_accuracy_id", "test_accuracy", "id"),
        Index("ix_architectures_latency_ns_id", "latency_ns", "id"),
        Index("ix_architectures_loss_id", "loss", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    search_id: Mapped[UUID | None] = mapped_column(ForeignKey("searches.id", ondelete="CASCADE"), index=True)
    """None of one that was given."""
    role: Mapped[Role]
    name: Mapped[str | None]
    """Of a standard one the model; of others what people call them, None until they do."""
    architecture: Mapped[Json]
    sha256: Mapped[str | None]
    """Of the description of one that was given: the same again is the same row of its project."""
    loss: Mapped[float | None]
    """The rating: predicted loss, summed over the blocks."""
    flops: Mapped[int]
    """Multiply-adds at batch 1, by formula."""
    params: Mapped[int]
    latency_ns: Mapped[int | None]
    counted_flops: Mapped[int | None]
    """As counted on the network built with torch; equal to ``flops``."""
    counted_params: Mapped[int | None]
    test_accuracy: Mapped[float | None]
    """Of the training that it is judged by; see ``store.accuracies``."""
    test_dataset: Mapped[str | None]
    """Name of the dataset whose test images those are."""
    test_training_id: Mapped[UUID | None]
    """The training that it is judged by. No foreign key: trainings have one to networks, and whoever deletes one judges anew."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    search: Mapped[str | None] = column_property(
        select(_JOBS.c.name).where(_JOBS.c.id == search_id).correlate_except(_JOBS).scalar_subquery()
    )
    """What its search is called."""

    @property
    def folder(self) -> str:
        """Of it in the run folder of its search, where that trains it."""
        return self.name if self.role is Role.REFERENCE and self.name else self.role.value


class Training(Owned, Base):
    """The training of a network: one that was asked for by itself, whose job has the same id, or one of those of a search.

    It is as far as that job, or as the step of the search that trains the network; see ``store.trainings``.
    """

    __tablename__ = "trainings"
    __table_args__ = (
        Index("ix_trainings_project_id_id", "project_id", "id"),
        Index("ix_trainings_test_accuracy_id", "test_accuracy", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), index=True)
    architecture_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("architectures.id", ondelete="SET NULL"), index=True
    )
    """None when the network's search was deleted since; the spec of the job describes it."""
    network: Mapped[str]
    """Folder of the network in the run folder: ``winner``, ``control`` or a standard network's name of a search, ``network`` of a training
    alone.
    """
    test_accuracy: Mapped[float | None]
    values: Mapped[Json] = mapped_column(default=dict)
    """``dna_engine.plans.results.Trained``; empty before."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    job: Mapped[Job] = relationship(lazy="raise", viewonly=True)
    step: Mapped[Step] = relationship(lazy="raise", viewonly=True, uselist=False)
    architecture: Mapped[Architecture | None] = relationship(lazy="raise", viewonly=True)

    @property
    def alone(self) -> bool:
        """Whether it was asked for by itself."""
        return self.id == self.job_id

    @property
    def stands(self) -> Job | Step:
        """What says how far it is."""
        return self.job if self.alone else self.step

    @property
    def state(self) -> JobState:
        return JobState(self.stands.state)

    @property
    def progress(self) -> float:
        """0 to 1."""
        return self.job.progress if self.alone else self.step.progress

    @property
    def cancel_requested(self) -> bool:
        """Whether it was asked to stop and has not yet."""
        return self.job.cancel_requested and (self.alone or self.state not in FINISHED)

    @property
    def found(self) -> Trained | None:
        """What it came to; None before it has."""
        return Trained.model_validate(self.values) if self.values else None


class Artifact(OfJob, Base):
    """A stored file. ``name`` is its path in the run folder; ``location`` is for ``store.blobs`` alone."""

    __tablename__ = "artifacts"
    __table_args__ = (
        UniqueConstraint("job_id", "name"),
        Index("ix_artifacts_location", "location", postgresql_ops={"location": "text_pattern_ops"}),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    location: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Webhook(Owned, Made, Base):
    """A URL that is told what happens to jobs and datasets of its project, as Standard Webhooks has it."""

    __tablename__ = "webhooks"
    __table_args__ = (Index("ix_webhooks_project_id_id", "project_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    url: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    events: Mapped[list[str]]
    """Patterns of the types that it is told of, see ``store.notices.matches``."""
    labels: Mapped[dict[str, str]] = mapped_column(default=dict)
    """Those that a job must have."""
    secret: Mapped[str]
    """``whsec_`` and base64. It signs every message, so that it is kept as it is."""
    previous_secret: Mapped[str | None]
    """The one before, which signs as well until its time is over."""
    previous_until: Mapped[datetime | None]
    enabled: Mapped[bool] = mapped_column(default=True)
    disabled_reason: Mapped[str | None]
    """Why the service has disabled it; None where a person has."""
    failures: Mapped[int] = mapped_column(default=0)
    """Messages given up since one was taken; one that is tried again by hand is none of them until it is given up again."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Delivery(Owned, Base):
    """A message to a webhook, written in the transaction of what it tells of, and how its last attempt went.

    Whoever claims it gets a new ``fence``, as of a step: what became of an attempt is written by nobody else.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        Index("ix_deliveries_webhook_id_id", "webhook_id", "id"),
        Index("ix_deliveries_webhook_id_next_at", "webhook_id", "next_at", postgresql_where=text("state = 'pending'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    """The same at every attempt, as ``webhook-id``."""
    webhook_id: Mapped[UUID] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    event: Mapped[str]
    """Type of the message, such as ``search.succeeded``."""
    body: Mapped[str]
    """The message, byte for byte as it is signed and sent."""
    state: Mapped[DeliveryState] = mapped_column(default=DeliveryState.PENDING)
    attempt: Mapped[int] = mapped_column(default=0)
    """Attempts that were begun since it was written, or since somebody asked to have it sent again."""
    fence: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime | None] = mapped_column(server_default=func.now())
    """When it is sent next; None once it is settled."""
    lease_expires_at: Mapped[datetime | None]
    attempted_at: Mapped[datetime | None]
    status_code: Mapped[int | None]
    """Of the last answer; None where there was none."""
    seconds: Mapped[float | None]
    """That the last attempt took."""
    answer: Mapped[str | None]
    """How the last answer began."""
    error: Mapped[str | None]
    """Why the last attempt failed, as a sentence."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)


class LooseFile(Base):
    """A stored file that no row names: not yet, while it is written, or no more. It is deleted when its time has come.

    The row is committed before the file is written, and goes in the transaction that writes a row which names the file.
    """

    __tablename__ = "loose_files"

    location: Mapped[str] = mapped_column(primary_key=True)
    step_id: Mapped[UUID | None]
    """The step that writes it; as long as the step is held under ``fence``, the file's row may come. Not a foreign key: the
    file outlives a job that is deleted."""
    fence: Mapped[int | None]
    due_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """Before that it is left alone, whoever wrote it."""


class Worker(Base):
    """A worker process, as it last said. It is live while ``last_seen_at`` is recent and it has not stopped."""

    __tablename__ = "workers"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    hostname: Mapped[str]
    pid: Mapped[int]
    device: Mapped[str]
    """What the engine is started with: ``cpu`` or ``cuda:0``."""
    device_name: Mapped[str]
    queues: Mapped[list[str]]
    versions: Mapped[dict[str, str]]
    """Of the engine and what it runs on, by package name."""
    current_step_id: Mapped[UUID | None] = mapped_column(ForeignKey("steps.id", ondelete="SET NULL"))
    memory_bytes: Mapped[int | None]
    """Of its device; for the processor of the machine. None where nothing tells."""
    memory_used_bytes: Mapped[int | None]
    """As of its last beat, by whatever runs there."""
    utilization: Mapped[float | None]
    """0 to 1: how busy its device was before its last beat, by whatever runs there."""
    disk_bytes: Mapped[int | None]
    """Of the disk of its data folder."""
    disk_free_bytes: Mapped[int | None]
    redis_answers: Mapped[bool | None]
    """As of its last beat: what Redis does not answer is not woken. None of one that has not said yet, or is of an earlier version."""
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_seen_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)
    stopped_at: Mapped[datetime | None]


class OutboxMessage(Base):
    """A message to the queue, written with what it is about and sent after the commit. ``payload`` holds ids only."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_pending", "available_at", postgresql_where=text("sent_at IS NULL")),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    task: Mapped[str]
    queue: Mapped[str]
    payload: Mapped[dict[str, str]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    available_at: Mapped[datetime] = mapped_column(server_default=func.now())
    sent_at: Mapped[datetime | None]


class Round(Base):
    """When a duty that one node does for all was begun last, see ``store.rounds``."""

    __tablename__ = "rounds"

    duty: Mapped[str] = mapped_column(primary_key=True)
    begun_at: Mapped[datetime]


class Tally(Base):
    """How often something has happened and what that came to, see ``store.tallies``. It names nobody's things, and outlives them."""

    __tablename__ = "tallies"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    figure: Mapped[str]
    labels: Mapped[list[str]]
    bound: Mapped[float]
    """The bucket: at most that each; infinite for the last, and for what is only counted."""
    count: Mapped[int]
    total: Mapped[float]
    """Sum of what was observed."""
