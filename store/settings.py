"""Settings of the service, read from ``DNA_...`` environment variables. Each is described where it is defined."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from pathlib import Path

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from dna_engine.spec.parts import Priority
from store.connection import TimeOuts
from store.errors import StoreError
from store.limits import LONGEST_WINDOW, Limits, Scope
from store.logs import LogFormat
from store.reach import Reach


class Settings(BaseSettings):
    """What the API, the workers and the commands share."""

    model_config = SettingsConfigDict(env_prefix="DNA_", extra="ignore")

    log_format: LogFormat | None = Field(
        default=None,
        description="console: lines for people. json: an object for each line. Not set: console at a terminal, json elsewhere; dna up takes "
        "console.",
    )
    database_url: str | None = Field(
        default=None,
        description="PostgreSQL, such as postgresql://user:password@host/dna. Not set: dna up starts one in the data folder.",
    )
    redis_url: str | None = Field(
        default=None,
        description="Redis, such as redis://:password@host:6379/0. Not set: dna up starts one in the data folder.",
    )
    data_dir: Path = Field(
        default=Path("dna-data"),
        description="Folder for datasets, run folders, artifacts and the embedded servers.",
    )
    artifacts_url: str | None = Field(
        default=None,
        description="Where artifacts are kept, as an fsspec URL such as s3://bucket/dna. Not set: artifacts/ in the data folder.",
    )
    datasets: Path | None = Field(
        default=None,
        description="Where workers unpack uploaded datasets, and timm's are kept. Not set: datasets/ in the data folder.",
    )
    database_start_seconds: NonNegativeFloat = Field(
        default=60.0,
        description="How long the API and the workers wait, when they start, for a PostgreSQL that is starting.",
    )
    database_connect_seconds: PositiveFloat = Field(
        default=5.0,
        description="How long PostgreSQL may take to let a connection in, or to say that one still lives. Whole seconds, 2 at least.",
    )
    database_statement_seconds: NonNegativeFloat = Field(
        default=30.0,
        description="How long one statement may take; 5 seconds later a server that is frozen is given up. 0: without end.",
    )
    database_lock_seconds: NonNegativeFloat = Field(
        default=10.0, description="How long a statement waits for a row that another transaction holds. 0: without end."
    )
    database_idle_seconds: NonNegativeFloat = Field(
        default=60.0,
        description="A transaction in which nothing happens for this long is ended, uploads excepted: its process may be stopped, "
        "and what it holds keeps others waiting. 0: never.",
    )
    database_pool_seconds: PositiveFloat = Field(
        default=10.0, description="How long to wait for a connection while all of a process are in use."
    )
    lease_seconds: PositiveFloat = Field(
        default=60.0, description="How long a step stays with a worker that no longer renews its lease."
    )
    lease_renew_seconds: PositiveFloat = Field(default=10.0, description="How often a worker renews its lease.")
    max_attempts: PositiveInt = Field(
        default=3, description="How often a step is started before its job fails; a resume starts the count again."
    )
    poll_seconds: PositiveFloat = Field(
        default=0.5, description="How often a supervisor looks for a cancel, and the outbox for messages to send."
    )
    reap_seconds: PositiveFloat = Field(
        default=5.0,
        description="How often expired leases are looked for; and, by one of the nodes for all, steps that are to make way and messages that were "
        "lost.",
    )
    rewake_seconds: PositiveFloat = Field(
        default=60.0, description="After this long unclaimed, a queued step is announced to the queue again."
    )
    worker_timeout_seconds: PositiveFloat = Field(
        default=30.0, description="A worker that was silent for this long does not count as live."
    )
    stop_grace_seconds: PositiveFloat = Field(
        default=4.0,
        description="Time the engine has to write a checkpoint when it is told to stop, before it is killed.",
    )
    idempotency_hours: PositiveFloat = Field(
        default=24.0, description="How long the answer to an Idempotency-Key is kept."
    )

    tidy_seconds: PositiveFloat = Field(
        default=3600.0,
        description="How often one of the workers looks for rows and stored files that have had their time.",
    )
    orphan_hours: PositiveFloat = Field(
        default=24.0,
        description="A stored file that no row names is deleted when it is older than this; longer than any upload takes.",
    )
    sent_hours: PositiveFloat = Field(
        default=1.0, description="How long messages are kept that were sent to the queue."
    )
    worker_days: PositiveFloat = Field(default=7.0, description="How long workers are kept that have left or are lost.")
    event_days: PositiveFloat = Field(
        default=90.0,
        description="How long after its end a job keeps its events, but for those that tell its states.",
    )
    metric_days: PositiveFloat = Field(
        default=365.0, description="How long after its end a job keeps the points of its series."
    )
    artifact_days: PositiveFloat | None = Field(
        default=None,
        description="How long after its end a job keeps the files that only its own work needed: checkpoints; of one that has succeeded also "
        "the supernets of its cells and its teacher. Not set: as long as the job. One labelled keep keeps all.",
    )
    job_days: PositiveFloat | None = Field(
        default=None,
        description="How long after its end a search, training, tuning or timing is kept; then it is deleted, as if somebody had. Not set: "
        "until somebody does. One labelled keep stays, and a search of whose networks others are made that stay.",
    )
    webhook_days: PositiveFloat = Field(
        default=30.0, description="How long messages to webhooks are kept, with how their last attempt went."
    )
    webhooks_allow_networks: str = Field(
        default="",
        description="Networks in CIDR notation, joined by spaces, whose addresses webhooks may lead to though they are not public, such as "
        "10.1.0.0/16 fd00::/8. Only there http:// and any port are taken as well.",
    )
    retry_seconds: PositiveFloat = Field(
        default=60.0,
        description="How long a step waits before another attempt when a disk was full or the stored files were away; four times as "
        "long the next time.",
    )

    key_running_jobs: PositiveInt | None = Field(
        default=None, description="Limits of a key that is made without its own: jobs that run at once."
    )
    key_queued_jobs: NonNegativeInt | None = Field(default=None, description="The same: jobs that wait in the queue.")
    key_device_hours: NonNegativeFloat | None = Field(
        default=None, description="The same: hours of devices over the last 30 days."
    )
    key_requests_per_second: float | None = Field(
        default=None, ge=1 / LONGEST_WINDOW, le=1e6, description="The same: requests."
    )
    key_stored_bytes: NonNegativeInt | None = Field(
        default=None, description="The same: bytes of datasets, teachers and uploads."
    )
    key_priority: Priority = Field(
        default=Priority.NORMAL,
        description="The same: the highest priority of its jobs, low, normal or high. One with the scope admin has no such limit.",
    )

    @model_validator(mode="after")
    def _renewed_in_time(self) -> Settings:
        if self.lease_seconds < 2 * self.lease_renew_seconds:
            raise ValueError("DNA_LEASE_SECONDS must be at least twice DNA_LEASE_RENEW_SECONDS")
        return self

    @field_validator("webhooks_allow_networks")
    @classmethod
    def _networks(cls, value: str) -> str:
        Reach(value.split())
        return value

    @property
    def reach(self) -> Reach:
        """Which addresses URLs of callers may lead to."""
        return Reach(self.webhooks_allow_networks.split())

    @property
    def database_timeouts(self) -> TimeOuts:
        """How long to wait for PostgreSQL."""
        return TimeOuts(
            connect=self.database_connect_seconds,
            statement=self.database_statement_seconds,
            lock=self.database_lock_seconds,
            idle=self.database_idle_seconds,
            pool=self.database_pool_seconds,
        )

    def key_limits(self, scopes: Collection[Scope]) -> Limits:
        """Of a key with these scopes that is made without its own. Who manages keys says which jobs go first, those of all teams."""
        usual = Limits(**{name: getattr(self, f"key_{name}") for name in Limits.model_fields})
        return usual.model_copy(update={"priority": None}) if Scope.ADMIN in scopes else usual

    @property
    def worker_timeout(self) -> timedelta:
        """Workers that were seen within this time are live."""
        return timedelta(seconds=self.worker_timeout_seconds)

    @property
    def database(self) -> str:
        """``database_url``, for what cannot do without.

        Raises:
            StoreError: it is not set.
        """
        if self.database_url is None:
            raise StoreError("Set DNA_DATABASE_URL, such as postgresql://user:password@host/dna.")
        return self.database_url

    @property
    def artifacts(self) -> str:
        """The URL of the artifacts, as given or inside the data folder."""
        return self.artifacts_url or (self.data_dir.resolve() / "artifacts").as_uri()

    @property
    def datasets_dir(self) -> Path:
        """Where datasets lie, as given or inside the data folder."""
        return self.datasets.resolve() if self.datasets else self.data_dir.resolve() / "datasets"


def wrong_settings(error: ValidationError) -> str:
    """The variables that are wrong, and why, a line each. What they hold is not repeated: it may be a password, and this is kept in logs."""
    prefix = Settings.model_config.get("env_prefix", "")
    lines = []
    for one in error.errors():
        reason = one["msg"].removeprefix("Value error, ")
        named = f"{prefix}{str(one['loc'][0]).upper()}: " if one["loc"] else ""
        lines.append(f"{named}{reason}.")
    return "\n".join(lines)
