"""Runs a step of any job by its kind, or all steps of a search in one folder without any service."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from dna_engine.disk import room_on
from dna_engine.errors import InvalidSpec, OutOfMemory
from dna_engine.events import Log, Metric, Reporter, Result, _Event
from dna_engine.jsonfile import read_object
from dna_engine.plans import Kind, Phase, Step, files, plan_of
from dna_engine.plans.results import Selected, TeacherFound, Trained, comparison
from dna_engine.runtime.context import Context
from dna_engine.spec import ResolvedJob, ResolvedSpec, parse_job


def run_step(spec: ResolvedJob, step: Step, context: Context) -> Result:
    """Runs one step in the run folder, where its inputs lie.

    Raises:
        EngineError: what the step raises; a device that ran out of memory is OutOfMemory, a disk without room DiskFull.
    """
    try:
        with room_on("the run folder", context.run):
            return _runner(step.kind)(spec, step, context)
    except torch.OutOfMemoryError as error:
        raise OutOfMemory(
            f"{context.device} has too little memory for this step ({error}). Ask for a smaller batch_size or input_size."
        ) from error


def _runner(kind: Kind) -> Callable[[Any, Step, Context], Result]:
    """The function of a kind of step, given a spec whose plan has such steps; a process that runs one step loads nothing else."""
    match kind:
        case Kind.TEACHER:
            from dna_engine.blockwise.teacher import run_step
        case Kind.DISTILL:
            from dna_engine.blockwise.distill import run_step
        case Kind.LATENCY:
            from dna_engine.training.latency import run_step
        case Kind.RATE:
            from dna_engine.blockwise.rate import run_step
        case Kind.FINALIST:
            from dna_engine.finalists import run_step
        case Kind.SELECT:
            from dna_engine.choose import run_step
        case Kind.TRAIN:
            from dna_engine.retrain import run_step
        case Kind.EXPORT:
            from dna_engine.export.export import run_step
        case Kind.PICTURES:
            from dna_engine.plots import run_step
    return run_step


def run(spec: ResolvedSpec, context: Context) -> dict[str, Any]:
    """A whole search in the run folder; what was finished there before is not done again.

    Returns:
        The summary that is also left as ``summary.json``, see :func:`summarize`.

    Raises:
        InvalidSpec: the folder holds another search.
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

    def has(self, step: Step, spec: ResolvedSpec) -> bool:
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
    (costs, loss, test accuracy and what it says as ``test``), the last two as ``comparison``, the ``finalists`` in their order,
    ``seconds`` by phase.
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
        **{
            name: network.model_dump(mode="json", include={"flops", "params", "loss"})
            | trained[name].model_dump(mode="json", include={"test_accuracy", "test_loss", "test"})
            for name, network in selected.chosen.items()
        },
        "finalists": [
            finalist.model_dump(mode="json", include={"name", "loss", "log_loss", "accuracy"})
            for finalist in selected.finalists
        ],
        "comparison": compared and compared.model_dump(mode="json"),
        "seconds": {phase: round(sum(journal.seconds(step) for step in plan.steps(phase)), 3) for phase in plan.phases},
    }


def _keep_spec(spec: ResolvedSpec, run: Path) -> None:
    """Lays the spec down, or checks that the folder is this search's."""
    path = run / files.SPEC
    if not path.exists():
        _write(path, spec.model_dump(mode="json"))
    elif parse_job(read_object(path, InvalidSpec)) != spec:
        raise InvalidSpec(f"{run} holds a search with another spec. Give an empty folder, or the same spec to go on.")


def _write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".tmp")
    beside.write_text(json.dumps(value, indent=1) + "\n")
    beside.replace(path)
