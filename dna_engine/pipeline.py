"""Runs a step of any job by its kind, or all steps of a search in one folder without any service."""

from __future__ import annotations

import json
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from dna_engine.disk import room_on
from dna_engine.errors import EngineError, InvalidSpec, OutOfMemory, StepFailed
from dna_engine.events import Log, Metric, Reporter, Result, _Event
from dna_engine.images.survey import check_unchanged
from dna_engine.jsonfile import read_object
from dna_engine.plans import Kind, Phase, Step, files, plan_of
from dna_engine.plans.results import (
    Chosen,
    ChosenReference,
    Selected,
    TeacherFound,
    Trained,
    beside_references,
    comparison,
)
from dna_engine.plans.steps import IMAGE_KINDS, of_networks
from dna_engine.runtime.context import Context
from dna_engine.runtime.launch import run_together
from dna_engine.runtime.passing import may_pass
from dna_engine.spec import ResolvedJob, ResolvedSpec, parse_job

#: The module whose ``run_step`` runs a kind of step.
_RUNNERS: Mapping[Kind, str] = {
    Kind.CHECK: "dna_engine.checking",
    Kind.TEACHER: "dna_engine.blockwise.teacher",
    Kind.DISTILL: "dna_engine.blockwise.distill",
    Kind.LATENCY: "dna_engine.training.latency",
    Kind.RATE: "dna_engine.blockwise.rate",
    Kind.TIME: "dna_engine.whole",
    Kind.FINALIST: "dna_engine.finalists",
    Kind.SELECT: "dna_engine.choose",
    Kind.TRAIN: "dna_engine.retrain",
    Kind.EXPORT: "dna_engine.export.export",
    Kind.PICTURES: "dna_engine.plots",
    Kind.TRIAL: "dna_engine.trial",
}


def run_step(spec: ResolvedJob, step: Step, context: Context) -> Result:
    """Runs one step in the run folder, where its inputs lie.

    Raises:
        DatasetChanged: the images are not those that the job began with.
        EngineError: what the step raises; a device that ran out of memory is OutOfMemory, a disk without room DiskFull, what nobody foresaw and
            would come again StepFailed. What the machine may have done, such as an error of CUDA, is raised as it is.
    """
    if step.kind in IMAGE_KINDS:
        check_unchanged(of_networks(spec).dataset)
    try:
        with room_on("the run folder", context.run):
            if step.devices > context.team.size:
                return run_together(step, context)
            return _runner(step.kind)(spec, step, context)
    except torch.OutOfMemoryError as error:
        raise OutOfMemory(
            f"{context.device} has too little memory for this step ({error}). Ask for a smaller batch_size or input_size."
        ) from error
    except EngineError:
        raise
    except Exception as error:
        if may_pass(error):
            raise
        traceback.print_exc()
        raise StepFailed(step.key, error) from error


def _runner(kind: Kind) -> Callable[[Any, Step, Context], Result]:
    """The function of a kind of step, given a spec whose plan has such steps; a process that runs one step loads nothing else."""
    runner: Callable[[Any, Step, Context], Result] = import_module(_RUNNERS[kind]).run_step
    return runner


def run(spec: ResolvedSpec, context: Context) -> dict[str, Any]:
    """A whole search in the run folder; what was finished there before is not done again.

    Returns:
        The summary that is also left as ``summary.json``, see :func:`summarize`.

    Raises:
        InvalidSpec: the folder holds another search.
        DatasetChanged: it holds one on images that are not the same any more.
        EngineError: what a step raises.
    """
    _keep_spec(spec, context.run)
    context = replace(context, reporter=Recorder(context.run / files.METRICS, context.reporter))
    journal = Journal(context.run / "journal.json")
    for step in plan_of(spec).all_steps():
        if journal.has(step, spec):
            context.reporter.emit(Log(message=f"{step.key}: done before"))
            continue
        context.reporter.emit(Log(message=f"{step.key}: started"))
        began = time.monotonic()
        result = run_step(spec, step, context)
        journal.add(step, result, time.monotonic() - began)
    summary = summarize(spec, journal)
    _write(context.run / "summary.json", summary)
    return summary


class Journal:
    """The finished steps of a run folder: seconds, files and the values of the result. A file that is always whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.entries: dict[str, dict[str, Any]] = json.loads(path.read_text()) if path.exists() else {}

    def has(self, step: Step, spec: ResolvedJob) -> bool:
        """Whether the step was finished and its files are still there, those beyond its promise included."""
        if step.key not in self.entries:
            return False
        names = {*step.outputs(spec), *self.entries[step.key].get("files", ())}
        return all((self._path.parent / name).exists() for name in names)

    def values(self, step: Step) -> dict[str, Any]:
        """What a finished step has found."""
        values: dict[str, Any] = self.entries[step.key]["values"]
        return values

    def seconds(self, step: Step) -> float:
        """What a finished step took."""
        return float(self.entries[step.key]["seconds"])

    def add(self, step: Step, result: Result, seconds: float) -> None:
        self.entries[step.key] = {
            "kind": step.kind,
            "seconds": round(seconds, 3),
            "files": result.artifacts,
            "values": result.values,
        }
        _write(self._path, self.entries)


class Recorder(Reporter):
    """Passes events on, and keeps the metrics among them in a file for the pictures of ``plots.py``."""

    def __init__(self, path: Path, reporter: Reporter) -> None:
        super().__init__()
        self._path, self._reporter = path, reporter

    def emit(self, event: _Event) -> None:
        if isinstance(event, Metric):
            with self._path.open("a") as file:
                file.write(event.model_dump_json() + "\n")
        self._reporter.emit(event)


def summarize(spec: ResolvedSpec, journal: Journal) -> dict[str, Any]:
    """What was counted, found and measured, and where the time went.

    ``networks`` (a decimal string), ``paths`` rated, points on the ``frontier``, ``teacher``, ``winner`` and ``control``
    (costs, loss, test accuracy and what it says as ``test``), the last two as ``comparison``, the ``references`` by name with the same and
    what the winner is ``beside`` them, the ``finalists`` in their order, the networks that were ``timed`` whole, ``seconds`` by phase.
    """
    plan = plan_of(spec)
    values = {step.kind: journal.values(step) for step in plan.all_steps()}
    teacher = TeacherFound.model_validate(values[Kind.TEACHER])
    selected = Selected.model_validate(values[Kind.SELECT])
    trained = {
        step.network: Trained.model_validate(journal.values(step)) for step in plan.steps(Phase.TRAIN) if step.network
    }
    compared = comparison(trained)
    return {
        "name": spec.name,
        "networks": selected.networks,
        "paths": sum(spec.parsed_space.paths_per_block),
        "frontier": selected.frontier,
        "budget": spec.budget.limits,
        "teacher": {
            "model": spec.teacher.model,
            "test_accuracy": teacher.accuracy,
            "test": teacher.test and teacher.test.model_dump(mode="json"),
        },
        **{name: _told(network, trained[name]) for name, network in selected.chosen.items()},
        "references": {name: _told(network, trained[name]) for name, network in selected.references.items()},
        "beside": [beside.model_dump(mode="json") for beside in beside_references(trained)],
        "finalists": [
            finalist.model_dump(mode="json", include={"name", "loss", "log_loss", "accuracy"})
            for finalist in selected.finalists
        ],
        "timed": values.get(Kind.TIME),
        "comparison": compared and compared.model_dump(mode="json"),
        "seconds": {phase: round(sum(journal.seconds(step) for step in plan.steps(phase)), 3) for phase in plan.phases},
    }


def _told(network: Chosen | ChosenReference, trained: Trained) -> dict[str, Any]:
    """What a network costs and what it has reached."""
    costs = network.model_dump(mode="json", include={"flops", "params", "loss"})
    return costs | trained.model_dump(mode="json", include={"test_accuracy", "test_loss", "test", "by_class"})


def _keep_spec(spec: ResolvedSpec, run: Path) -> None:
    """Lays the spec down, or checks that the folder is this search's."""
    path = run / files.SPEC
    if not path.exists():
        _write(path, spec.model_dump(mode="json"))
        return
    kept = parse_job(read_object(path, InvalidSpec))
    if isinstance(kept, ResolvedSpec):
        check_unchanged(kept.dataset)
    if kept != spec:
        raise InvalidSpec(f"{run} holds a search with another spec. Give an empty folder, or the same spec to go on.")


def _write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".tmp")
    beside.write_text(json.dumps(value, indent=1) + "\n")
    beside.replace(path)
