"""A small search and what its steps would report, for tests of the store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from dna_engine.accuracy import Answers, judge
from dna_engine.by_class import Confusion
from dna_engine.images.info import DIGITS
from dna_engine.plans import Kind, Phase, plan_of
from dna_engine.space import CellRef
from dna_engine.space.architecture import Architecture as Network
from dna_engine.space.architecture import published
from dna_engine.spec import (
    ResolvedSpec,
    SearchSpec,
    TrainingSpec,
    TuningSpec,
    parse_job,
    resolve,
    resolve_training,
    resolve_tuning,
)
from store import architectures, flow, given, line, searches, steps, trainings, tunings, webhooks, workers
from store.claims import Claim
from store.migrate import is_current
from store.session import make_engine
from store.states import StepState
from store.tables import Architecture, Artifact, Job, Search, Step, Tuning, Webhook, Worker

#: What the engine would say of 99 right answers.
TEST = judge(
    Answers(images=[50, 50], right=[50, 49], given=[51, 49]), log_loss=0.1, calibration_error=0.025
).model_dump(mode="json")
BY_CLASS = Confusion(classes=["0", "1"], matrix=[[50, 0], [1, 49]]).by_class().model_dump(mode="json")


def new_search(session: Session, *, max_attempts: int = 3, **fields: Any) -> Search:
    """A search whose ratings alone decide, unless ``fields`` say otherwise."""
    spec = SearchSpec.model_validate({"dataset": "digits", "select": {"finalists": 0}, **fields})
    teacher = None if spec.teacher.source is None else given.find(session, spec.teacher.source)
    return searches.create(session, spec, resolve(spec, DIGITS, teacher), max_attempts=max_attempts)


def new_training(session: Session, *, max_attempts: int = 3, **fields: Any) -> Job:
    """A training alone of a network that was selected from the ratings of a search."""
    network = new_architecture(session)
    spec = TrainingSpec.model_validate({"architecture": str(network.id), "dataset": "digits", **fields})
    resolved = resolve_training(spec, Network.from_json(network.architecture), DIGITS)
    made = trainings.create(session, spec, resolved, network, max_attempts=max_attempts)
    return session.get_one(Job, made.job_id)


def new_tuning(
    session: Session, *, max_attempts: int = 3, network: Architecture | None = None, **fields: Any
) -> Tuning:
    """A tuning of three trials, of a network that was selected from the ratings of a search."""
    network = network or new_architecture(session)
    short = {"architecture": str(network.id), "dataset": "digits", "trials": 3, "epochs": 4}
    spec = TuningSpec.model_validate(short | fields)
    resolved = resolve_tuning(spec, Network.from_json(network.architecture), DIGITS)
    return tunings.create(session, spec, resolved, network, max_attempts=max_attempts)


def new_architecture(session: Session) -> Architecture:
    search = flow.cancel(session, new_search(session).id)  # It waits for nobody.
    described = published("dna-a", input_size=32).to_json()
    return architectures.select_network(session, search.id, described, loss=0.5, flops=1000, params=100)


def new_worker(session: Session, *, hostname: str = "here", queues: Sequence[str] = ("gpu", "cpu")) -> Worker:
    return workers.register(
        session, hostname=hostname, pid=1, device="cpu", device_name="A processor", queues=queues, versions={}
    )


def new_webhook(session: Session, url: str = "https://receiver.example/hook", **fields: Any) -> Webhook:
    """One that is told everything."""
    asked = {"description": "", "events": ["*"], "labels": {}, "enabled": True, "most": 100, **fields}
    return webhooks.create(session, url, **asked)


def two_groups(session: Session, kind: Kind, spec: ResolvedSpec) -> Sequence[Sequence[CellRef]]:
    cells = spec.parsed_space.cells
    return [cells[::2], cells[1::2]]


def phases(job: Job) -> tuple[Phase, ...]:
    """All that it goes through."""
    return plan_of(parse_job(job.resolved)).phases


def queued(session: Session, job: Job) -> list[Step]:
    return [step for step in steps.of_job(session, job.id) if step.state == StepState.QUEUED]


def names_of(session: Session, job_id: UUID) -> set[str]:
    """Names of the files that a job has."""
    return set(session.scalars(select(Artifact.name).where(Artifact.job_id == job_id)))


def next_id(session: Session, *queues: str) -> UUID | None:
    """The step that is next in the first of the queues in which there is one."""
    heads = (line.next_step(session, queue) for queue in queues)
    return next((head.id for head in heads if head is not None), None)


def take(session: Session, step: Step, worker: Worker) -> Claim:
    claim = flow.claim(session, step.id, worker, lease_seconds=60)
    assert claim is not None
    return claim


def network(loss: float) -> dict[str, Any]:
    return {"architecture": {"format": "test"}, "loss": loss, "flops": 1000, "params": 100}


def values_of(kind: Kind) -> dict[str, Any]:
    """What the engine would report for a step of that kind."""
    match kind:
        case Kind.SELECT:
            return {"winner": network(0.5), "control": network(0.9), "networks": "2", "frontier": 2}
        case Kind.TRAIN:
            costs = {"flops": 1000, "params": 100}
            about = {"recipe": {"epochs": 1}, "dataset": "digits", "seed": 0, "predicted": costs, "counted": costs}
            return {
                "test_accuracy": 0.99,
                "test_loss": 0.1,
                "test": TEST,
                "by_class": BY_CLASS,
                "seconds": 1.0,
                "images_per_second": 9.0,
                **about,
            }
        case Kind.TRIAL:
            return {"state": "complete", "value": 0.9, "epochs": 4, "log_loss": 0.3, "seconds": 1.0}
        case Kind.LATENCY:
            return {"layers": 3, "device": "A processor", "torch": "2.14.1"}
        case Kind.EXPORT:
            return exported(warning=None)
        case _:
            return {}


def exported(warning: str | None) -> dict[str, Any]:
    costs = {"flops": 1000, "params": 100}
    same = {"safetensors": 0.0} if warning else {"safetensors": 0.0, "onnx": 1e-6, "onnx-int8": 0.1}
    return {
        "images": 100,
        "spread": 1.0,
        "largest_difference": same,
        "relative_difference": same,
        "same_answers": dict.fromkeys(same, 1.0),
        "accuracy": {"torch": 0.99} | dict.fromkeys(same, 0.99),
        "warning": warning,
        "no_int8": warning and "it would be made of the ONNX file, and there is none.",
        "predicted": costs,
        "counted": costs,
        "test_accuracy": 0.99,
    }


def succeed(session: Session, claim: Claim) -> None:
    flow.succeed(session, claim, values_of(claim.step.kind), [], engine_seconds=1.0, group=two_groups)


def finish_phase(session: Session, job: Job, worker: Worker) -> None:
    for step in queued(session, job):
        succeed(session, take(session, step, worker))


def schema_is_current(url: str) -> bool:
    """Whether the database has the schema of this version."""
    engine = make_engine(url, pool_size=1)
    with engine.connect() as connection:
        current = is_current(connection)
    engine.dispose()
    return current
