"""Contexts and specs for runs of the engine that take seconds."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch

from dna_engine.events import Reporter, _Event
from dna_engine.images.info import DIGITS, DatasetInfo
from dna_engine.runtime.context import Context, never
from dna_engine.space import parse_space
from dna_engine.space.architecture import Architecture
from dna_engine.spec import (
    GivenTeacher,
    ResolvedSpec,
    ResolvedTraining,
    ResolvedTuning,
    SearchSpec,
    TrainingSpec,
    TuningSpec,
    resolve,
    resolve_training,
    resolve_tuning,
)

#: (2 + 4) x 4 x 2 = 48 networks at 16x16; two cells in the first block.
TINY_SPACE: dict[str, Any] = {
    "name": "tiny",
    "ops": ["mb3_3x3", {"name": "plain", "kernel": 3, "expansion": 1, "se_ratio": 0.0}],
    "blocks": [
        {"stride": 2, "cells": [{"depth": 1, "width": 16}, {"depth": 2, "width": 8}]},
        {"stride": 2, "cells": [{"depth": 2, "width": 24}]},
        {"stride": 2, "cells": [{"depth": 1, "width": 32}]},
    ],
    "stem_width": 8,
    "first_width": 8,
    "head_width": 32,
}

#: A network of it, made for the thousand classes of another set.
TINY_NETWORK = Architecture.from_choices(
    parse_space(TINY_SPACE), [(1, ["mb3_3x3"]), (1, ["mb3_3x3", "plain"]), (1, ["mb3_3x3"])], input_size=16
)


def tiny_spec(dataset: DatasetInfo = DIGITS, *, given: GivenTeacher | None = None, **fields: Any) -> ResolvedSpec:
    """A search, on the digits or other images, that is through in seconds and finds nothing remarkable."""
    short: dict[str, Any] = {
        "dataset": dataset.name,
        "space": TINY_SPACE,
        "teacher": {"epochs": 1},
        "training": {"epochs": 1},
        "select": {"finalists": 2, "epochs": 0.5},
        "retrain": {"epochs": 2, "batch_size": 128},
    }
    return resolve(SearchSpec.model_validate(short | fields), dataset, given)


def tiny_training(search: ResolvedSpec | None = None, dataset: DatasetInfo = DIGITS, **fields: Any) -> ResolvedTraining:
    """The training of a tiny network, of one epoch, that the search has found."""
    short: dict[str, Any] = {"dataset": dataset.name, "architecture": "tiny", "epochs": 1, "batch_size": 128}
    return resolve_training(TrainingSpec.model_validate(short | fields), TINY_NETWORK, dataset, search)


def tiny_tuning(**fields: Any) -> ResolvedTuning:
    """Two trials of the tiny network on the digits, of two epochs, whose learning rate is looked for."""
    search = {"learning_rate": [1e-3, 1e-1, "log"]}
    short = {"dataset": "digits", "architecture": "tiny", "epochs": 2, "batch_size": 128, "trials": 2, "search": search}
    return resolve_tuning(TuningSpec.model_validate(short | fields), TINY_NETWORK, DIGITS)


E = TypeVar("E", bound=_Event)


class Recorder(Reporter):
    """Keeps the events."""

    def __init__(self) -> None:
        super().__init__(io.StringIO())
        self.events: list[_Event] = []

    def emit(self, event: _Event) -> None:
        self.events.append(event)

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]


def context(run: Path, *, stop: Callable[[], bool] = never, device: str = "cpu") -> tuple[Context, Recorder]:
    recorder = Recorder()
    return Context(run, torch.device(device), recorder, stop), recorder
