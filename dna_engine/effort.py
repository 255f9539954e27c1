"""How much a step has to compute, and how long that takes. Torch-free: the estimate before a search and the time left in it ask here.

Work is counted in giga-multiply-adds from the spec. How fast a device does them depends on the kind of step, so rates are by kind.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping

from dna_engine.catalogue import get_teacher
from dna_engine.plans.steps import Kind, Step
from dna_engine.space import CellRef, Space
from dna_engine.space.cost import block_sizes, cost_range, layer_at, layer_cost
from dna_engine.spec import ResolvedSpec

#: Giga-multiply-adds per second, counted as :func:`work` does, where nothing was measured: about what the defaults for the
#: built-in digits reach on one core of a server's CPU. For selection and export the work is 1, and this is per second.
DEFAULT_RATES: Mapping[Kind, float] = {
    Kind.TEACHER: 12.0,
    Kind.DISTILL: 12.0,
    Kind.RATE: 12.0,
    Kind.SELECT: 2.0,
    Kind.TRAIN: 8.0,
    Kind.EXPORT: 0.5,
}

#: What every step takes before it begins: the engine loads torch.
START_SECONDS = 4.0

#: A step of training costs its forward pass, and about twice that backwards.
_TRAINING = 3

_LOADING = 10.0
"""Giga-multiply-adds that loading a pretrained teacher counts for."""


#: The same where an engine waits ready, as one does on every worker: it loads what the step needs beside torch.
BEGIN_SECONDS = 0.5


def seconds(step: Step, spec: ResolvedSpec) -> float:
    """What a step takes on a device that nothing is known of yet, with an engine that is ready."""
    return BEGIN_SECONDS + work(step, spec) / DEFAULT_RATES[step.kind]


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
