"""What goes out of the routes of tunings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from api.jobs.expected import Basis
from api.jobs.schemas import Failure, JobDetail, JobStep, JobSummary, shown
from dna_engine.advice import advice_on_training
from dna_engine.space.architecture import Architecture
from dna_engine.space.cost import architecture_cost
from dna_engine.spec import ResolvedTuning
from dna_engine.spec.parts import OF_TUNING
from dna_engine.spec.tunable import Value
from store import jobs
from store.states import StepState
from store.tables import Step, Tuning
from store.tunings import TrialRow
from store.waiting import Wait

#: State of a trial: of its step until that is done, then what came of it.
TrialState = Literal["queued", "running", "complete", "pruned", "diverged", "failed", "cancelled"]


class Best(BaseModel):
    """The best trial that is complete so far."""

    trial: int = Field(description="Its number.")
    value: float = Field(description="Accuracy on the held-out images, 0 to 1.")
    params: dict[str, Value] = Field(description="The fields of the recipe that were its own.")


class TuningSummary(JobSummary):
    """A tuning as it is listed."""

    architecture_id: UUID | None = Field(description="The network; null when its search was deleted since.")
    trials: int = Field(description="How many there are to be.")
    counts: dict[TrialState, int] = Field(description="How many are in which state.")
    best: Best | None = Field(description="Null before a trial is complete.")

    @classmethod
    def listed(cls, tuning: Tuning, counts: Mapping[str, int], wait: Wait) -> TuningSummary:
        own = {"trials": sum(counts.values()), "counts": dict(counts)} | vars(wait)
        fields = {name: getattr(tuning, name) for name in cls.model_fields if name not in own}
        return cls.model_validate(fields | own)


class TuningDetail(TuningSummary, JobDetail):
    """A tuning with its resolved spec. `recipe` is what a training is given to be trained by what has been found."""

    recipe: str = Field(description="For the `recipe` of `POST /trainings`, once a trial is complete.")
    spec: ResolvedTuning = Field(description="As it was written, with nothing left open.")
    warnings: list[str] = Field(description="What makes its accuracies say little or holds it up.")
    flops: int = Field(description="Multiply-adds of the network at batch 1, by formula.")
    params: int = Field(description="Trainable parameters, by formula.")
    steps: list[JobStep] = Field(
        description="The first fifty that are not done. `GET /tunings/{id}/trials` has all trials."
    )

    @classmethod
    def of(cls, tuning: Tuning, counts: Mapping[str, int], steps: Sequence[Step], wait: Wait) -> TuningDetail:
        spec = ResolvedTuning.model_validate(tuning.resolved)
        costs = architecture_cost(Architecture.from_json(spec.architecture))
        return cls(
            **TuningSummary.listed(tuning, counts, wait).model_dump(),
            written=jobs.written_now(tuning),
            last_event=tuning.event_seq,
            recipe=f"{OF_TUNING}{tuning.id}",
            spec=shown(spec),
            warnings=advice_on_training(spec),
            flops=costs.flops,
            params=costs.params,
            steps=[JobStep.of(step) for step in steps],
        )


class Trial(BaseModel):
    """A trial: what it tried, and what came of it."""

    number: int = Field(description="From 1, in the order in which they are taken.")
    state: TrialState = Field(description="Queued, running, or what came of it.")
    params: dict[str, Value] | None = Field(
        description="Fields of the recipe that are its own; null until it is taken."
    )
    value: float | None = Field(
        description="Accuracy on the held-out images after its last epoch, 0 to 1; of one that diverged 0."
    )
    log_loss: float | None = Field(description="Mean cross entropy (nats) on them, of one that is complete.")
    epochs: int = Field(description="After so many it was complete, or ended early.")
    curve: list[Annotated[list[float], Field(min_length=2, max_length=2)]] = Field(
        description="Points `[epoch, accuracy]`, on the held-out images."
    )
    progress: float = Field(description="0 to 1.")
    attempt: int = Field(description="How often it was begun; 0 before the first time.")
    device: str | None = Field(description="It runs or ran on, such as `cuda:0`; null before it was begun.")
    engine_seconds: float = Field(description="Time the engine ran for it, over all attempts.")
    error: Failure | None = Field(description="Why it failed or diverged; null otherwise.")
    started_at: datetime | None = Field(description="When its last attempt began; null before.")
    finished_at: datetime | None = Field(description="When it ended; null before.")

    @classmethod
    def of(cls, row: TrialRow) -> Trial:
        step, found, planned = row.step, row.found, row.step.planned.trial
        assert planned is not None
        error = found.error if found and found.error else step.error
        same = ("progress", "attempt", "device", "engine_seconds", "started_at", "finished_at")
        return cls(
            number=planned.number,
            state=found.state if found else _before_its_end(step.state),
            params=planned.params,
            value=found and found.value,
            log_loss=found and found.log_loss,
            epochs=found.epochs if found else 0,
            curve=[[x, y] for x, y in row.curve],
            error=Failure.model_validate(error) if error else None,
            **{name: getattr(step, name) for name in same},
        )


def _before_its_end(state: StepState) -> TrialState:
    match state:
        case StepState.QUEUED:
            return "queued"
        case StepState.RUNNING:
            return "running"
        case StepState.CANCELLED:
            return "cancelled"
        case StepState.FAILED | StepState.SUCCEEDED:
            return "failed"


class Importance(BaseModel):
    """How much each field of the recipe mattered; shares that sum to 1, the most important first. Empty while too few trials tell."""

    importance: dict[str, float] = Field(description="By field of the recipe, 0 to 1.")
    trials: int = Field(description="Complete trials that it rests on.")


class TuningEstimate(BaseModel):
    """What a tuning would be. Nothing of it is stored."""

    trials: int = Field(description="How many there are to be.")
    images: int = Field(description="Held out to decide by.")
    flops: int = Field(description="Multiply-adds of the network at batch 1, by formula.")
    params: int = Field(description="Trainable parameters, by formula.")
    device: str = Field(description="Kind of device the seconds are meant for.")
    trial_seconds: float = Field(description="Of one trial that is not ended early.")
    device_seconds: float = Field(description="Of all of them, where none is; several workers share them.")
    basis: Basis = Field(
        description="measured: from finished trials on devices of this kind; default: a figure of one CPU machine."
    )
    workers: int = Field(description="Live ones that take trials.")
    warnings: list[str] = Field(description="What would make its accuracies say little.")
    spec: ResolvedTuning = Field(description="As it was written, with nothing left open.")
