"""Settings of the workers, beside those they share with the API. Each is described where it is defined."""

from __future__ import annotations

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, field_validator

from dna_engine.spec.parts import MAX_DEVICES
from store.deliveries import Patience
from store.settings import Settings

#: Of seconds between two attempts: a week.
_LONGEST_PAUSE = 604_800


class WorkerSettings(Settings):
    """What a worker needs to know; ``DNA_DEVICE`` sets ``device``, and so on."""

    device: str = Field(
        default="auto",
        pattern=r"^(auto|all|cpu|cuda|(cuda:)?\d+(,(cuda:)?\d+)*)$",
        description="auto or all: every GPU of the machine, or the CPU where there is none. cpu, cuda (every GPU, and there must be one), or some, "
        "cuda:1 or 0,1.",
    )
    devices_per_step: PositiveInt = Field(
        default=1,
        le=MAX_DEVICES,
        description="GPUs that a node has for its step: a training may ask for as many (devices), other steps use the first. On a machine "
        "without GPUs so many processes train together on its CPU.",
    )
    beat_seconds: PositiveFloat = Field(default=5.0, description="How often a worker says that it lives.")
    report_seconds: PositiveFloat = Field(
        default=0.3, description="The engine's progress, metrics and log lines are written at most this often."
    )
    webhooks_seconds: PositiveFloat = Field(
        default=15.0,
        description="How long a webhook has to answer, from the look-up of its name to the end of the answer.",
    )
    webhooks_at_once: PositiveInt = Field(
        default=32, description="Messages that a node sends to webhooks at once; of one webhook two."
    )
    webhooks_retry_seconds: str = Field(
        default="5 60 300 1800 7200 18000 28800 28800",
        description="Pauses between the attempts to send a message to a webhook, joined by spaces, each longer by up to a fifth by chance; "
        "behind the last it is given up. The longest is also for how long a `Retry-After` is heeded.",
    )
    webhooks_given_up: PositiveInt = Field(
        default=5,
        description="So many messages given up one after the other, and none taken between them, disable a webhook.",
    )
    hand_over_seconds: PositiveFloat = Field(
        default=30.0,
        description="Idle workers take cells of a running distillation or rating over where that ends it sooner by at least this long.",
    )
    preempt_seconds: NonNegativeFloat = Field(
        default=300.0,
        description="A step gives its worker up, after a checkpoint, for a job of a higher priority, or for a smaller one, that has waited for this "
        "long; not before it has run for as long. 0: never.",
    )
    engine_idle_seconds: PositiveFloat = Field(
        default=60.0,
        description="An engine without a step for this long is replaced by a fresh one, which holds no memory of the device.",
    )

    @field_validator("webhooks_retry_seconds")
    @classmethod
    def _pauses(cls, value: str) -> str:
        if any(not 0 <= float(pause) <= _LONGEST_PAUSE for pause in value.split()):
            raise ValueError(f"write pauses of 0 to {_LONGEST_PAUSE:,} seconds, joined by spaces")
        return value

    @property
    def webhooks_patience(self) -> Patience:
        """How long a receiver of messages is borne with."""
        return Patience([float(pause) for pause in self.webhooks_retry_seconds.split()], self.webhooks_given_up)
