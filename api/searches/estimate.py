"""What a search would be and cost, without making it.

The work of a step is counted in giga-multiply-adds from its spec. Its seconds are those to start the engine, and its work at
the rate that finished steps of its kind reached on the same type of device, or at a default where there are none.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Literal

from sqlalchemy.orm import Session

from api.searches import service
from api.searches.schemas import Estimate, EstimatedStep, shown
from dna_engine.advice import advice
from dna_engine.cost import block_sizes, cost_range, layer_at, layer_cost
from dna_engine.errors import InfeasibleBudget
from dna_engine.space import CellRef, Space
from dna_engine.spec import Budget, ResolvedSpec, SearchSpec
from dna_engine.steps import Kind, Step, phase_steps
from dna_engine.teachers import get_teacher
from store import workers
from store.statistics import FinishedStep, finished_steps
from store.waiting import NO_WORKER

#: Giga-multiply-adds per second, counted as :func:`work` does, where nothing was measured: about what the defaults for the
#: built-in digits reach on two cores of a server's CPU. For selection and export the work is 1, and this is per second.
DEFAULT_RATES: Mapping[Kind, float] = {
    Kind.TEACHER: 10.0,
    Kind.DISTILL: 11.0,
    Kind.RATE: 20.0,
    Kind.SELECT: 1.0,
    Kind.TRAIN: 11.0,
    Kind.EXPORT: 0.16,
}

#: What every step takes before it begins: the engine loads torch.
START_SECONDS = 4.0

#: A step of training costs its forward pass, and about twice that backwards.
_TRAINING = 3

_LOADING = 10.0
"""Giga-multiply-adds that loading a pretrained teacher counts for."""


def estimate(session: Session, spec: SearchSpec, *, worker_timeout: timedelta) -> Estimate:
    """The search that ``spec`` describes; an infeasible budget is part of the answer here.

    Raises:
        EngineError: the spec names something that does not exist or does not fit together.
    """
    resolved, infeasible = _resolve(session, spec)
    space = resolved.parsed_space
    live = workers.live(session, within=worker_timeout)
    device = "cuda" if any(worker.device.startswith("cuda") for worker in live) else "cpu"
    steps = [_estimated(session, step, resolved, device) for kind in Kind for step in _planned(kind, resolved)]
    return Estimate(
        candidates=str(space.networks),
        paths=sum(space.paths_per_block),
        feasible_range=cost_range(space, input_size=resolved.input_size, num_classes=resolved.dataset.num_classes),
        feasible=infeasible is None,
        reason=infeasible.message if infeasible else None,
        binding=infeasible.binding if infeasible else [],
        nearest=infeasible.nearest if infeasible else [],
        warnings=[*advice(resolved), *([] if live else [NO_WORKER])],
        steps=steps,
        device=device,
        device_seconds=math.fsum(step.device_seconds for step in steps),
        spec=shown(resolved),
    )


def _resolve(session: Session, spec: SearchSpec) -> tuple[ResolvedSpec, InfeasibleBudget | None]:
    """The resolved spec, and why its budget has no network."""
    try:
        resolved = service.resolve_for(session, spec)
        service.check_budget(resolved)
    except InfeasibleBudget as error:
        unlimited = service.resolve_for(session, spec.model_copy(update={"budget": Budget()}))
        return unlimited.model_copy(update={"budget": spec.budget}), error
    return resolved, None


def _planned(kind: Kind, spec: ResolvedSpec) -> Sequence[Step]:
    return phase_steps(kind, spec, [spec.parsed_space.cells])


def _estimated(session: Session, step: Step, spec: ResolvedSpec, device: str) -> EstimatedStep:
    done = finished_steps(session, step.kind, device=device)
    rates = [_rate(past) for past in done]
    basis: Literal["measured", "default"] = "measured" if rates else "default"
    rate = statistics.median(rates) if rates else DEFAULT_RATES[step.kind]
    return EstimatedStep(
        kind=step.kind,
        cells=step.cells,
        networks=[step.network] if step.network else [],
        device_seconds=round(START_SECONDS + work(step, spec) / rate, 1),
        basis=basis,
    )


def _rate(past: FinishedStep) -> float:
    """The start is taken off, but never most of a step that was over quickly."""
    return work(past.step, past.spec) / max(past.engine_seconds - START_SECONDS, past.engine_seconds / 2)


def work(step: Step, spec: ResolvedSpec) -> float:
    """What a step has to compute, in giga-multiply-adds."""
    space, images = spec.parsed_space, spec.dataset.num_train
    cells = [CellRef.parse(cell) for cell in step.cells]
    match step.kind:
        case Kind.TEACHER if spec.teacher.weights == "train":
            return _TRAINING * (spec.teacher.epochs or 0) * images * _teacher_pass(spec)
        case Kind.TEACHER:
            return _LOADING
        case Kind.DISTILL:
            student = sum(_path_cost(space, cell, spec.input_size) for cell in cells)
            return (spec.training.epochs or 0) * images * (_TRAINING * student + _teacher_pass(spec))
        case Kind.RATE:
            candidates = sum(_tree_cost(space, cell, spec.input_size) for cell in cells)
            return (spec.rating.images or 0) * (candidates + _teacher_pass(spec))
        case Kind.TRAIN:
            return _TRAINING * (spec.retrain.epochs or 0) * images * _network_cost(spec)
        case _:
            return 1.0


def _teacher_pass(spec: ResolvedSpec) -> float:
    """One image through the teacher: every parameter is used once per position of a map 32 times smaller, at least."""
    return get_teacher(spec.teacher.model).params * math.ceil(spec.input_size / 32) ** 2 / 1e9


def _network_cost(spec: ResolvedSpec) -> float:
    """One image through the network to be found: it takes the flops it may, or middling ones where none are limited."""
    low, high = cost_range(spec.parsed_space, input_size=spec.input_size, num_classes=spec.dataset.num_classes)["flops"]
    return min(max(spec.budget.flops or (low + high) // 2, low), high) / 1e9


def _mean_layers(space: Space, ref: CellRef, input_size: int) -> list[float]:
    """Cost of each layer of a cell for one image, over its ops on average."""
    cell, block = space.cell(ref), space.blocks[ref.block - 1]
    in_size = block_sizes(space, input_size)[ref.block - 1]
    in_width = space.in_width(ref.block)
    means = []
    for index in range(cell.depth):
        layers = [
            layer_at(cell, index, op, in_width=in_width, stride=block.stride, in_size=in_size)
            for op in space.layer_ops(index)
        ]
        means.append(statistics.fmean(layer_cost(layer).flops for layer in layers) / 1e9)
    return means


def _path_cost(space: Space, ref: CellRef, input_size: int) -> float:
    return math.fsum(_mean_layers(space, ref, input_size))


def _tree_cost(space: Space, ref: CellRef, input_size: int) -> float:
    """Every path of a cell, where paths share what they begin with alike."""
    total, nodes = 0.0, 1
    for index, mean in enumerate(_mean_layers(space, ref, input_size)):
        nodes *= len(space.layer_ops(index))
        total += nodes * mean
    return total
