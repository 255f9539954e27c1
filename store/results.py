"""What the results of steps say: of networks the winner, its control, their accuracies; of a dataset whether it can be used."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from dna_engine.accuracy import Accuracy
from dna_engine.plans import Kind
from dna_engine.plans.results import Checked, Chosen, ChosenReference, Selected, Trained, TrialTried
from dna_engine.space.architecture import Architecture as Described
from dna_engine.space.cost import architecture_cost
from store import accuracies, datasets
from store.actors import inherited
from store.columns import Json, new_id
from store.states import Role
from store.tables import Architecture, CheckJob, Job, Search, Step, Training, Tuning


def record(session: Session, job: Job, step: Step) -> None:
    """Takes what a finished step has found into the rows that it is about; its files are recorded before."""
    match step.kind:
        case Kind.CHECK:
            datasets.record_check(session, job.id, Checked.model_validate(step.values))
        case Kind.SELECT:
            assert isinstance(job, Search)
            _record_selection(session, job, Selected.model_validate(step.values))
        case Kind.TRIAL:
            assert isinstance(job, Tuning)
            _record_trial(job, step, TrialTried.model_validate(step.values))
        case Kind.TRAIN:
            _record_training(session, job, step, Trained.model_validate(step.values))


def give_up(session: Session, job: Job) -> None:
    """The job has failed: a dataset that was to be checked is none."""
    if isinstance(job, CheckJob) and job.error is not None:
        datasets.reject(session, job.id, job.error)


def plan_trainings(session: Session, job: Job, steps: Sequence[Step]) -> None:
    """A training for each of the steps that trains a network which the job has selected."""
    networks = {
        network.folder: network
        for network in session.scalars(select(Architecture).where(Architecture.search_id == job.id))
    }
    for step in steps:
        if step.kind == Kind.TRAIN and (network := networks.get(step.planned.network or "")):
            training = Training(id=new_id(), project_id=job.project_id, job_id=job.id, network=network.folder)
            training.architecture_id = network.id
            session.add(training)
            session.flush()
            step.training_id = training.id


def _record_selection(session: Session, search: Search, selected: Selected) -> None:
    networks = {name: _add(session, search, Role(name), network) for name, network in selected.chosen.items()}
    for name, reference in selected.references.items():
        _add(session, search, Role.REFERENCE, reference, name)
    search.best = _summary(networks["winner"])


def _add(
    session: Session, search: Search, role: Role, chosen: Chosen | ChosenReference, name: str | None = None
) -> Architecture:
    made = {"id": new_id(), "search_id": search.id, **inherited(search)}
    network = Architecture(**made, role=role, name=name, **chosen.model_dump())
    session.add(network)
    session.flush()
    return network


def _record_training(session: Session, job: Job, step: Step, trained: Trained) -> None:
    assert step.training_id is not None
    judged = accuracies.judged_by(session, job.id)  # Locked before the training, as by whoever deletes a network.
    training = session.get_one(Training, step.training_id)
    training.test_accuracy = trained.test_accuracy
    training.values = step.values
    session.flush()
    if training.architecture_id is None or training.architecture_id not in judged:
        return  # Deleted since.
    accuracies.settle(session, [training.architecture_id])
    network = session.get_one(Architecture, training.architecture_id)
    if isinstance(job, Search):
        _record_network(job, network, trained)
    elif network.counted_flops is None and _costs_the_same(job, network):
        network.counted_flops, network.counted_params = trained.counted.flops, trained.counted.params
    session.flush()


def _record_network(search: Search, network: Architecture, trained: Trained) -> None:
    """A network is as good as its own search has found it to be, whatever is made of it elsewhere."""
    network.counted_flops, network.counted_params = trained.counted.flops, trained.counted.params
    if network.role == Role.WINNER:
        search.best = _summary(network, trained.test)
    if network.role == Role.CONTROL:
        search.control_accuracy = trained.test_accuracy


def _costs_the_same(job: Job, network: Architecture) -> bool:
    """Whether a training has built the network as it is: with as many classes, for images of its size. Its counts are the network's then."""
    built = architecture_cost(Described.from_json(job.resolved["architecture"]))
    return (built.flops, built.params) == (network.flops, network.params)


def _record_trial(tuning: Tuning, step: Step, tried: TrialTried) -> None:
    """Of trials that are equally good the first counts, whichever ends first."""
    trial, best = step.planned.trial, tuning.best
    assert trial is not None
    if tried.state != "complete" or tried.value is None:
        return
    if best is None or (-tried.value, trial.number) < (-best["value"], best["trial"]):
        tuning.best = {"trial": trial.number, "value": tried.value, "params": trial.params or {}}


def _summary(network: Architecture, test: Accuracy | None = None) -> Json:
    return {
        "architecture_id": str(network.id),
        "loss": network.loss,
        "flops": network.flops,
        "params": network.params,
        "latency_ns": network.latency_ns,
        "test_accuracy": network.test_accuracy,
        "test": test and test.model_dump(mode="json"),
    }
