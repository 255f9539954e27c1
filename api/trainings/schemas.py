"""What goes out of the routes of trainings."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.architectures.files import Left
from api.architectures.schemas import File, Format
from api.jobs.expected import Basis
from api.jobs.schemas import Failure, JobDetail, JobStep, JobSummary, shown
from api.recipes.schemas import RecipeChoice
from dna_engine.accuracy import Accuracy
from dna_engine.advice import advice_on_training
from dna_engine.by_class import ByClass
from dna_engine.plans import Kind, Phase
from dna_engine.plans.results import Costs
from dna_engine.space.architecture import Architecture
from dna_engine.space.cost import Cost, architecture_cost
from dna_engine.spec import ResolvedTraining
from store import jobs
from store.states import Role
from store.tables import Step, Training
from store.waiting import Wait


class TrainedNetwork(BaseModel):
    """As much of a network as says which it is, in the list of its trainings."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID = Field(description="Of the network.")
    role: Role = Field(description="Why it is kept.")
    name: str | None = Field(description="What it is called; null of one without a name.")
    search: str | None = Field(description="What the search is called that found it; null where it is of none.")
    flops: int = Field(description="Multiply-adds at batch 1, by formula.")


class TrainingSummary(JobSummary):
    """The training of a network as it is listed: one made alone, or one of those of a search."""

    search_id: UUID | None = Field(description="The search that it is part of; null for one made alone.")
    architecture_id: UUID | None = Field(description="The network; null when its search was deleted since.")
    architecture: TrainedNetwork | None = Field(description="The same network, as it is called; null likewise.")
    network: str = Field(
        description="`winner`, `control` or the name of a standard network of a search, `network` of a training made alone."
    )
    epochs: int | None = Field(description="For how many it is trained; null where an early version did not say.")
    test_accuracy: float | None = Field(
        description="Share of the test images that it classifies correctly, 0 to 1; null until it is trained."
    )
    test: Accuracy | None = Field(description="What that accuracy says; known when it is trained.")

    @classmethod
    def listed(cls, training: Training, wait: Wait) -> TrainingSummary:
        job, stands, trained = training.job, training.stands, training.found
        return cls(
            id=training.id,
            search_id=None if training.alone else job.id,
            architecture_id=training.architecture_id,
            architecture=TrainedNetwork.model_validate(training.architecture) if training.architecture else None,
            name=job.name,
            network=training.network,
            state=training.state,
            phase=job.phase if training.alone else Phase.TRAIN,
            progress=training.progress,
            dataset=job.dataset,
            epochs=(job.resolved if training.alone else job.resolved.get("retrain", {})).get("epochs"),
            test_accuracy=training.test_accuracy,
            test=trained.test if trained else None,
            waiting_for=wait.waiting_for,
            queue_position=wait.queue_position,
            created_at=training.created_at,
            created_by=job.created_by,
            project=job.project,
            seed=job.seed,
            labels=job.labels,
            priority=job.priority,
            cloned_from=job.cloned_from if training.alone else None,
            cancel_requested=training.cancel_requested,
            eta_seconds=stands.eta_seconds,
            error=Failure.model_validate(stands.error) if stands.error else None,
            started_at=stands.started_at,
            finished_at=stands.finished_at,
        )


class TrainingDetail(TrainingSummary, JobDetail):
    """A training with its resolved spec, its steps and the files there are."""

    spec: ResolvedTraining | None = Field(description="Null for a training of a search, whose spec has it.")
    warnings: list[str] = Field(description="What makes its accuracy say little or holds it up.")
    flops: int | None = Field(
        description="Multiply-adds of the network at batch 1, by formula; of one of a search, once it is trained."
    )
    params: int | None = Field(description="Trainable parameters, likewise.")
    by_class: ByClass | None = Field(
        description="What was reached in each class, in short; known when it is trained, null of what early versions have trained. "
        "`GET /trainings/{id}/confusion` has all of it."
    )
    values: dict[str, Any] = Field(description="What the training found, as the engine reports it.")
    steps: list[JobStep] = Field(description="Those of this network.")
    files: list[File] = Field(description="What can be downloaded, once it is exported.")
    refused: dict[Format, str] = Field(description="Formats that its export has refused to offer, and why.")

    @classmethod
    def of(cls, training: Training, steps: list[Step], has: Left, wait: Wait) -> TrainingDetail:
        spec = ResolvedTraining.model_validate(training.job.resolved) if training.alone else None
        costs = _costs(training, spec)
        return cls(
            **TrainingSummary.listed(training, wait).model_dump(),
            written=jobs.written_now(training.job) if training.alone else None,
            last_event=training.job.event_seq,
            flops=costs and costs.flops,
            params=costs and costs.params,
            spec=shown(spec) if spec else None,
            warnings=advice_on_training(spec) if spec else [],
            by_class=training.found.by_class if training.found else None,
            values=training.values,
            steps=[JobStep.of(step) for step in steps if step.planned.network == training.network],
            files=has.files,
            refused=has.refused,
        )


class PlannedStep(BaseModel):
    """A step of the training, with what it is expected to cost."""

    kind: Kind = Field(description="What it does.")
    device_seconds: float = Field(description="On a device of the kind of `device`.")
    basis: Basis = Field(
        description="measured: from finished steps on devices of this kind; default: a figure of one CPU machine."
    )


class TrainingEstimate(BaseModel):
    """What a training would be. Nothing of it is stored."""

    flops: int = Field(description="Multiply-adds of the network at batch 1, by formula.")
    params: int = Field(description="Trainable parameters, by formula.")
    steps: list[PlannedStep] = Field(description="In the order in which they run.")
    device: str = Field(description="Kind of device the seconds are meant for.")
    device_seconds: float = Field(description="Summed over the steps.")
    warnings: list[str] = Field(description="What would make its accuracy say little or hold it up.")
    recipe: RecipeChoice = Field(description="By which it is trained, and why.")
    spec: ResolvedTraining = Field(description="As it was written, with nothing left open.")


def _costs(training: Training, spec: ResolvedTraining | None) -> Cost | Costs | None:
    if spec is not None:
        return architecture_cost(Architecture.from_json(spec.architecture))
    return training.found.predicted if training.found else None
