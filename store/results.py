"""What the results of steps say about networks: the winner, its control, their accuracies.

The shapes here are what the engine puts into the ``values`` of its result event for each kind of step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.orm import Session

from dna_engine.accuracy import Accuracy
from dna_engine.plans.steps import Kind
from store.columns import Json, new_id
from store.states import Role
from store.tables import Architecture, Search, Step, Training


class Found(BaseModel):
    """A network that was selected. ``loss`` is its rating; costs by formula."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    architecture: dict[str, Any]
    loss: float | None = None
    flops: int
    params: int
    latency_ns: int | None = None


class Selection(BaseModel):
    """``values`` of the select step."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    winner: Found
    control: Found | None = None


class Counted(BaseModel):
    """Costs counted on the network as built."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    flops: int
    params: int


class Trained(BaseModel):
    """``values`` of a train step."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    test_accuracy: float
    test: Accuracy | None = None
    counted: Counted


def record(session: Session, search: Search, step: Step) -> None:
    """Takes what a finished step's values say about networks into their rows and into the search's ``best``."""
    match step.kind:
        case Kind.SELECT:
            _record_selection(session, search, Selection.model_validate(step.values))
        case Kind.TRAIN:
            _record_training(session, search, step, Trained.model_validate(step.values))


def plan_trainings(session: Session, search: Search, steps: Sequence[Step]) -> None:
    """A training for each train step, of the network that the step names."""
    networks = {
        network.role.value: network
        for network in session.scalars(select(Architecture).where(Architecture.search_id == search.id))
    }
    for step in steps:
        network = step.payload["network"]
        training = Training(
            id=new_id(),
            architecture_id=networks[network].id,
            dataset=search.dataset,
            network=network,
            spec=search.resolved,
        )
        session.add(training)
        session.flush()
        step.training_id = training.id


def _record_selection(session: Session, search: Search, selection: Selection) -> None:
    winner = _add(session, search, Role.WINNER, selection.winner)
    search.best = _summary(winner)
    if selection.control is not None:
        _add(session, search, Role.CONTROL, selection.control)


def _add(session: Session, search: Search, role: Role, found: Found) -> Architecture:
    network = Architecture(
        id=new_id(),
        search_id=search.id,
        role=role,
        architecture=found.architecture,
        loss=found.loss,
        flops=found.flops,
        params=found.params,
        latency_ns=found.latency_ns,
    )
    session.add(network)
    session.flush()
    return network


def _record_training(session: Session, search: Search, step: Step, trained: Trained) -> None:
    assert step.training_id is not None
    training = session.get_one(Training, step.training_id)
    training.test_accuracy = trained.test_accuracy
    training.values = step.values
    network = session.get_one(Architecture, training.architecture_id)
    network.test_accuracy = trained.test_accuracy
    network.counted_flops, network.counted_params = trained.counted.flops, trained.counted.params
    if network.role == Role.WINNER:
        search.best = _summary(network, trained.test)
    session.flush()


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
