"""Settings of the workers, beside those they share with the API. Each is described where it is defined."""

from __future__ import annotations

from pydantic import Field, PositiveFloat

from store.settings import Settings


class WorkerSettings(Settings):
    """What a worker needs to know; ``DNA_DEVICE`` sets ``device``, and so on."""

    device: str = Field(
        default="auto",
        pattern=r"^(auto|cpu|cuda(:\d+)?)$",
        description="auto: every GPU of the machine, or the CPU where there is none. cpu, cuda (every GPU), or one, cuda:1.",
    )
    beat_seconds: PositiveFloat = Field(default=5.0, description="How often a worker says that it lives.")
    report_seconds: PositiveFloat = Field(
        default=0.3, description="The engine's progress, metrics and log lines are written at most this often."
    )
    engine_idle_seconds: PositiveFloat = Field(
        default=60.0,
        description="An engine without a step for this long is replaced by a fresh one, which holds no memory of the device.",
    )
