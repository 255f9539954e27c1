"""Settings of the workers, beside those they share with the API. Each is described where it is defined."""

from __future__ import annotations

from pydantic import Field, PositiveFloat, PositiveInt

from dna_engine.spec.parts import MAX_DEVICES
from store.settings import Settings


class WorkerSettings(Settings):
    """What a worker needs to know; ``DNA_DEVICE`` sets ``device``, and so on."""

    device: str = Field(
        default="auto",
        pattern=r"^(auto|cpu|cuda(:\d+)?)$",
        description="auto: every GPU of the machine, or the CPU where there is none. cpu, cuda (every GPU), or one, cuda:1.",
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
    engine_idle_seconds: PositiveFloat = Field(
        default=60.0,
        description="An engine without a step for this long is replaced by a fresh one, which holds no memory of the device.",
    )
