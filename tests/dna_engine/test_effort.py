"""What a step has to compute, and how long that takes."""

from __future__ import annotations

import pytest

from dna_engine.blockwise.models import build
from dna_engine.effort import (
    ANSWERING_RATE,
    BEGIN_SECONDS,
    DEFAULT_RATES,
    TEAM_SECONDS,
    cell_pass,
    seconds,
    teacher_pass,
    work,
)
from dna_engine.images.info import DIGITS
from dna_engine.plans import Kind, Phase, plan_of
from dna_engine.space import CellRef
from dna_engine.space.architecture import Architecture
from dna_engine.space.cost import architecture_cost, block_sizes, layer_at, layer_cost
from dna_engine.spec import DistillSpec, ResolvedJob, ResolvedSpec, SearchSpec, TeacherSpec, resolve
from dna_engine.training.network import count_model
from tests.dna_engine.runs import tiny_spec, tiny_training


def test_work_does_not_depend_on_how_cells_are_grouped() -> None:
    spec = resolve(SearchSpec(dataset="digits"), DIGITS)
    cells = spec.parsed_space.cells
    whole = plan_of(spec).steps(Phase.RATE)
    parts = plan_of(spec).steps(Phase.RATE, lambda *_: [cells[:3], cells[3:]])
    teacher = sum(work(step, spec) for step in parts) - sum(work(step, spec) for step in whole)
    assert 0 < teacher < 0.1 * work(whole[0], spec)


def test_there_is_a_default_for_every_kind() -> None:
    assert set(DEFAULT_RATES) == set(Kind)


@pytest.mark.parametrize(
    "job", [tiny_spec(budget={"latency_ms": 5.0}), tiny_training()], ids=["search by latency", "training"]
)
def test_every_step_takes_its_beginning_and_its_work(job: ResolvedJob) -> None:
    for step in plan_of(job).all_steps():
        assert work(step, job) > 0
        assert seconds(step, job) == BEGIN_SECONDS + work(step, job) / DEFAULT_RATES[step.kind]


def test_a_cell_that_learns_waits_for_memory_too() -> None:
    """Where its maps are large and its multiply-adds few it takes longer for them, and its parameters are written once for a batch."""
    teacher = TeacherSpec(model="efficientnet_b0", weights="train")
    spec = resolve(SearchSpec(dataset=DIGITS.name, space="dna-mbconv", input_size=64, teacher=teacher), DIGITS)
    first, last = CellRef(1, 1), CellRef(5, 1)
    by = {ref: _flops(spec, ref) for ref in (first, last)}
    takes = {ref: cell_pass(Kind.DISTILL, spec, ref) for ref in by}
    assert takes[first] / by[first] > 2 * takes[last] / by[last]
    small, large = (spec.model_copy(update={"training": DistillSpec(batch_size=size)}) for size in (8, 512))
    share = [cell_pass(Kind.DISTILL, small, ref) / cell_pass(Kind.DISTILL, large, ref) for ref in by]
    assert 1 < share[0] < share[1]


def test_fewer_images_than_a_batch_are_one() -> None:
    """What a cell takes once for a batch it takes once for all of them."""
    spec = resolve(SearchSpec(dataset=DIGITS.name), DIGITS)
    all_at_once, larger = (
        spec.model_copy(update={"training": spec.training.model_copy(update={"batch_size": size})})
        for size in (DIGITS.num_train, 65_536)
    )
    cell = spec.parsed_space.cells[0]
    assert cell_pass(Kind.DISTILL, larger, cell) == cell_pass(Kind.DISTILL, all_at_once, cell)


def _flops(spec: ResolvedSpec, ref: CellRef) -> float:
    """Of a path with the first op everywhere."""
    space, cell = spec.parsed_space, spec.parsed_space.cell(ref)
    width, size = space.in_width(ref.block), block_sizes(space, spec.input_size)[ref.block - 1]
    ops = [space.layer_ops(index)[0] for index in range(cell.depth)]
    layers = [layer_at(space, ref.block, cell, n, op, in_width=width, in_size=size) for n, op in enumerate(ops)]
    return sum(layer_cost(layer).flops for layer in layers) / 1e9


def test_devices_share_the_time_of_a_training_and_not_its_work() -> None:
    alone, shared = tiny_training(), tiny_training(devices=4)
    [one], [four] = (plan_of(spec).steps(Phase.TRAIN) for spec in (alone, shared))
    assert (four.devices, four.queue) == (4, "gpu4")
    assert work(four, shared) == work(one, alone)
    found = work(one, alone) / DEFAULT_RATES[Kind.TRAIN]
    assert seconds(four, shared) == BEGIN_SECONDS + TEAM_SECONDS + found / 4


def test_a_network_that_is_known_is_trained_at_its_own_cost() -> None:
    spec = tiny_training(epochs=3)
    (train,) = plan_of(spec).steps(Phase.TRAIN)
    one_image = architecture_cost(Architecture.from_json(spec.architecture)).flops / 1e9
    assert work(train, spec) == pytest.approx(3 * 3 * DIGITS.num_train * one_image)


def test_a_teacher_that_is_asked_takes_a_pass_for_each_image() -> None:
    """Its multiply-adds take less time than those of what learns from it."""
    search = tiny_spec()
    for asked, plain in (
        (tiny_training(search, epochs=3, distill={}), tiny_training(search, epochs=3)),
        (tiny_spec(retrain={"epochs": 3}), tiny_spec(retrain={"epochs": 3, "distill": {"weight": 0}})),
    ):
        (with_teacher, *_), (alone, *_) = (plan_of(job).steps(Phase.TRAIN) for job in (asked, plain))
        passes = 3 * DIGITS.num_train * teacher_pass(search)
        more = seconds(with_teacher, asked) - seconds(alone, plain)
        assert more == pytest.approx(passes / ANSWERING_RATE)
    assert ANSWERING_RATE / DEFAULT_RATES[Kind.TRAIN] > 2


def test_loading_a_teacher_is_no_training() -> None:
    spec = resolve(SearchSpec.model_validate({"dataset": "digits", "teacher": {"weights": "pretrained"}}), DIGITS)
    (step,) = plan_of(spec).steps(Phase.TEACHER)
    assert seconds(step, spec) < 5


def test_a_teacher_that_is_trained_further_goes_back_through_all_of_it_in_some_epochs() -> None:
    def teacher_work(weights: str) -> float:
        spec = tiny_spec(teacher={"weights": weights, "epochs": 10})
        (step,) = plan_of(spec).steps(Phase.TEACHER)
        return work(step, spec)

    training = teacher_work("train")
    further = teacher_work("finetune") - teacher_work("pretrained")
    assert further / training == pytest.approx((2 + 8 * 3) / (10 * 3))


def test_a_teacher_is_counted_at_the_size_at_which_it_sees_the_images() -> None:
    own, of_the_search = tiny_spec(teacher={"input_size": 64}), tiny_spec(input_size=64)
    assert teacher_pass(own) == teacher_pass(of_the_search) > 4 * teacher_pass(tiny_spec())


@pytest.mark.parametrize("name", ["resnet18", "tf_efficientnet_b0", "convnext_atto"])
@pytest.mark.parametrize("size", [64, 224])
def test_a_pass_through_the_teacher_is_what_torch_counts(name: str, size: int) -> None:
    fields = {"dataset": "photos", "input_size": size, "teacher": {"model": name, "weights": "train"}}
    info = DIGITS.model_copy(update={"name": "photos", "image_size": 224})
    spec = resolve(SearchSpec.model_validate(fields), info)
    counted = count_model(build(name), size).flops
    assert teacher_pass(spec) == pytest.approx(counted / 1e9, rel=0.001 if size == 224 else 0.07)
    depths = [teacher_pass(spec, block) for block in range(1, len(spec.teacher.boundaries) + 1)]
    assert 0 < depths[0] < depths[-1] < teacher_pass(spec)
    assert depths == sorted(depths)
