"""How much a step has to compute, and how long that takes. Torch-free: the estimate before a search, the time left in it and the
spreading of cells over workers ask here, and nobody else models work.

Work is counted in giga-multiply-adds from the spec; that of cells that learn in as many as take as long. How fast a device does them depends on the
kind of step, so rates are by kind.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping
from functools import lru_cache, partial

from dna_engine.catalogue import MAX_REDUCTION, NATIVE_SIZE, Teacher, get_teacher
from dna_engine.plans import Kind, Step
from dna_engine.plans.steps import of_networks, of_search
from dna_engine.space import CellRef, Space
from dna_engine.space.architecture import Architecture
from dna_engine.space.cost import architecture_cost, block_sizes, cost_range, layer_at, layer_cost, map_elements
from dna_engine.space.layer import Layer
from dna_engine.spec import ResolvedAlone, ResolvedJob, ResolvedNetworks, ResolvedSpec
from dna_engine.standard import SCALED

#: Giga-multiply-adds per second where nothing was measured: about what one core of a server's CPU reached on the digits at 16 pixels, once
#: a step had begun; on photos at 64 mostly more (teacher 54, distill 35, rate 13, train 10). For checks, selection, latency and
#: pictures the work is 1, and this is per second.
DEFAULT_RATES: Mapping[Kind, float] = {
    Kind.CHECK: 0.1,
    Kind.TEACHER: 32.0,
    Kind.DISTILL: 32.0,
    Kind.LATENCY: 1.0,
    Kind.RATE: 14.0,
    Kind.TIME: 0.05,
    Kind.FINALIST: 7.5,
    Kind.SELECT: 2.0,
    Kind.TRAIN: 7.7,
    Kind.EXPORT: 8.5,
    Kind.PICTURES: 0.66,
    Kind.TRIAL: 7.7,
}

#: The same of a teacher whose answers a network learns from: it goes no way back, and its convolutions are dense, the network's depthwise.
ANSWERING_RATE = 46.0

#: Small convolutions, most of them depthwise, wait for memory: in a cell that learns, an element of a map, a parameter that is learned and a layer take as
#: long as so many multiply-adds of a dense convolution; the latter two once for a batch. Fitted to cells of four spaces at 16 to 224 pixels
#: (``python -m benchmarks.scheduling``), within a run their times differ from it by a fifth (standard deviation), and from multiply-adds alone by a third.
_OF_AN_ELEMENT, _OF_A_PARAMETER, _OF_A_LAYER = 250, 330, 50_000_000

#: What every step takes before it begins: the engine loads torch.
START_SECONDS = 4.0

#: A step of training costs its forward pass, and about twice that backwards.
_TRAINING = 3

_LOADING = 10.0
"""Giga-multiply-adds that loading a pretrained teacher counts for."""

_TRACING = 30.0
"""Giga-multiply-adds that writing an ONNX file counts for."""

#: Forms of a network that answer the test images when it is exported: as trained, its weights loaded anew, ONNX, ONNX in 8 bits.
_EXPORTED = 4
#: Test images that they answer, at most, and training images by whose ranges 8 bits are chosen.
EXPORT_IMAGES, CALIBRATION_IMAGES = 1024, 256


#: The same where an engine waits ready, as one does on every worker: it loads what the step needs beside torch.
BEGIN_SECONDS = 0.5


#: Beyond that, what several processes take until they have loaded it and found each other.
TEAM_SECONDS = 6.0


def seconds(step: Step, spec: ResolvedJob) -> float:
    """What a step takes on devices that nothing is known of yet, with an engine that is ready.

    Several share its work evenly; what they tell each other is taken to cost nothing beside it.
    """
    begin = BEGIN_SECONDS + (TEAM_SECONDS if step.devices > 1 else 0.0)
    return begin + work(step, spec) / DEFAULT_RATES[step.kind] / step.devices


def timing(spec: ResolvedJob) -> Callable[[Step], float]:
    """:func:`seconds` for the steps of one job. Those that work on the same, as the trials of a tuning do, are counted once."""
    known: dict[tuple[str, ...], float] = {}

    def of(step: Step) -> float:
        worked_on = (step.kind, step.network or "", *step.cells)
        if worked_on not in known:
            known[worked_on] = seconds(step, spec)
        return known[worked_on]

    return of


def work(step: Step, spec: ResolvedJob) -> float:
    """What a step has to compute, in giga-multiply-adds."""
    match step.kind:
        case Kind.TEACHER:
            return _teacher_training(of_search(spec))
        case Kind.DISTILL:
            return of_search(spec).training.epochs * _images(spec) * _image_pass(step, of_search(spec))
        case Kind.RATE:
            return of_search(spec).rating.images * _image_pass(step, of_search(spec))
        case Kind.FINALIST:
            search = of_search(spec)
            passes = _TRAINING * search.select.epochs * _images(spec) + search.rating.images
            return passes * _network_cost(step, search)
        case Kind.TRAIN | Kind.TRIAL:
            job = of_networks(spec)
            return _images(job) * (
                _passes(job) * _network_cost(step, job) + job.recipe_of_networks.epochs * _answers(job)
            )
        case Kind.EXPORT:
            answered = _EXPORTED * min(EXPORT_IMAGES, of_networks(spec).dataset.num_test) + CALIBRATION_IMAGES
            return _TRACING + answered * _network_cost(step, of_networks(spec))
        case _:
            return 1.0


def _images(spec: ResolvedJob) -> int:
    """To train with."""
    return of_networks(spec).dataset.num_train


def _passes(spec: ResolvedNetworks) -> int:
    """Through a network, of one image over all epochs; those in which its classifier alone is trained cost a forward pass."""
    epochs, head = spec.recipe_of_networks.epochs, spec.head_epochs if isinstance(spec, ResolvedAlone) else 0
    return _TRAINING * (epochs - head) + head


def _teacher_training(spec: ResolvedSpec) -> float:
    """Its epochs over the images; those in which its classifier alone is trained cost a forward pass."""
    teacher = spec.teacher
    passes = _TRAINING * (teacher.epochs - teacher.frozen_epochs) + teacher.frozen_epochs
    training = passes * spec.dataset.num_train * teacher_pass(spec)
    return {"train": training, "finetune": _LOADING + training}.get(teacher.weights, _LOADING)


def _image_pass(step: Step, spec: ResolvedSpec) -> float:
    """One image through the cells of a step, and through the teacher as deep as they need it."""
    cells = [CellRef.parse(cell) for cell in step.cells]
    own = math.fsum(cell_pass(step.kind, spec, cell) for cell in cells)
    return own + teacher_pass(spec, max(cell.block for cell in cells))


def cell_pass(kind: Kind, spec: ResolvedSpec, cell: CellRef) -> float:
    """Giga-multiply-adds of one image in a cell: of rating all its paths, or as many as take as long as a step of its distillation, which
    draws a path and waits for memory too."""
    if kind == Kind.DISTILL:
        # Fewer images than a batch are one.
        batch_size = min(spec.training.batch_size, spec.dataset.num_train)
        return _path_cost(spec.parsed_space, cell, spec.input_size, batch_size)
    return _tree_cost(spec.parsed_space, cell, spec.input_size)


@lru_cache(maxsize=4096)
def _path_cost(space: Space, ref: CellRef, input_size: int, batch_size: int) -> float:
    """A path of a cell that learns. Kept, as :func:`_range_of_flops`."""
    return math.fsum(_mean_layers(space, ref, input_size, partial(_learning, batch_size)))


def _learning(batch_size: int, layer: Layer) -> float:
    """Multiply-adds that take as long as one image in a layer that learns to follow the teacher."""
    if layer.op.skip:
        return 0.0
    cost = layer_cost(layer)
    step = _OF_A_PARAMETER * cost.params + _OF_A_LAYER
    return cost.flops + _OF_AN_ELEMENT * map_elements(layer) + step / batch_size


def _answers(spec: ResolvedNetworks) -> float:
    """One image through the whole teacher, where its answers are learned from: as many as a network's in training that take as long."""
    if spec.recipe_of_networks.distill is None:
        return 0.0
    assert isinstance(spec, ResolvedSpec | ResolvedAlone)
    return teacher_pass(spec) * DEFAULT_RATES[Kind.TRAIN] / ANSWERING_RATE


def teacher_pass(spec: ResolvedSpec | ResolvedAlone, block: int | None = None) -> float:
    """Giga-multiply-adds of one image through the teacher down to the end of a block (from 1), or through all of it.

    Counted at the native size. To the one at which it sees the images it is scaled, from cut to cut, by the positions of the maps there:
    within some percent of what is counted.
    """
    assert spec.teacher is not None
    last = "" if block is None else spec.teacher.boundaries[block - 1]
    return _model_pass(get_teacher(spec.teacher.model), spec.teacher.input_size or spec.input_size, last)


def _model_pass(teacher: Teacher, size: int, last: str = "") -> float:
    """The same of a model of the catalogue, down to the end of a module."""
    total, before = 0.0, 0
    for module, flops in teacher.flops.items():
        reduction = teacher.cuts.get(module) or MAX_REDUCTION
        scale = (math.ceil(size / reduction) / (NATIVE_SIZE / reduction)) ** 2
        total += (flops - before) * scale
        before = flops
        if module == last:
            break
    return total / 1e9


def _network_cost(step: Step, spec: ResolvedNetworks) -> float:
    """One image through a network. One that is yet to be found takes the flops it may, or middling ones where none are limited, and so does
    a standard one that is made as wide as it must be.
    """
    if described := spec.given.get(step.network or ""):
        return architecture_cost(Architecture.from_json(described)).flops / 1e9
    search = of_search(spec)
    if step.network in search.retrain.references and step.network not in SCALED:
        return _model_pass(get_teacher(step.network), spec.input_size)
    low, high = _range_of_flops(search.parsed_space, spec.input_size, spec.dataset.num_classes)
    return min(max(search.budget.flops or (low + high) // 2, low), high) / 1e9


@lru_cache(maxsize=64)
def _range_of_flops(space: Space, input_size: int, num_classes: int) -> tuple[int, int]:
    """Kept, as it takes milliseconds and is asked for every network of a search whenever one of its steps says how far it is."""
    return cost_range(space, input_size=input_size, num_classes=num_classes)["flops"]


def _mean_layers(space: Space, ref: CellRef, input_size: int, cost: Callable[[Layer], float]) -> list[float]:
    """Giga-multiply-adds of each layer of a cell for one image, over its ops on average.

    Args:
        cost: of a layer, in multiply-adds.
    """
    cell = space.cell(ref)
    in_size = block_sizes(space, input_size)[ref.block - 1]
    in_width = space.in_width(ref.block)
    means = []
    for index in range(cell.depth):
        layers = [
            layer_at(space, ref.block, cell, index, op, in_width=in_width, in_size=in_size)
            for op in space.layer_ops(index)
        ]
        means.append(statistics.fmean(map(cost, layers)) / 1e9)
    return means


@lru_cache(maxsize=4096)
def _tree_cost(space: Space, ref: CellRef, input_size: int) -> float:
    """Every path of a cell, where paths share what they begin with alike. Kept, as :func:`_range_of_flops`."""
    total, nodes = 0.0, 1
    for index, mean in enumerate(_mean_layers(space, ref, input_size, lambda layer: layer_cost(layer).flops)):
        nodes *= len(space.layer_ops(index))
        total += nodes * mean
    return total
