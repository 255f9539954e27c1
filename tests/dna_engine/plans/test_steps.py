"""Steps: what each reads and leaves, where it runs, what it is told as."""

from __future__ import annotations

import pytest

from dna_engine.images.info import DIGITS
from dna_engine.plans import CPU_KINDS, Kind, Order, Phase, Step, files, plan_of
from dna_engine.plans.steps import device_queues, devices_offered
from dna_engine.spec import ResolvedJob, SearchSpec, resolve
from tests.dna_engine.runs import tiny_spec, tiny_training

JOBS = {
    "search": tiny_spec(),
    "search whose networks inherit and learn from the teacher": tiny_spec(
        retrain={"start": "inherited", "distill": {}}
    ),
    "search without a control": tiny_spec(retrain={"control": False}),
    "search by ratings alone": tiny_spec(select={"finalists": 0}),
    "search by latency": tiny_spec(budget={"latency_ms": 5.0}),
    "training": tiny_training(),
}
SEARCH = tiny_spec()


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_every_input_was_left_by_a_step_before_and_no_file_twice(job: ResolvedJob) -> None:
    there = {files.METRICS}  # Gathered from the events of all steps.
    for phase in plan_of(job).phases:
        left: set[str] = set()
        for step in plan_of(job).steps(phase):
            assert there.issuperset(step.inputs(job)), step.key
            assert (there | left).isdisjoint(step.outputs(job)), step.key
            left.update(step.outputs(job))
        there |= left


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_every_network_is_left_whole(job: ResolvedJob) -> None:
    there = {name for step in plan_of(job).all_steps() for name in step.outputs(job)}
    promised = (files.ARCHITECTURE, files.WEIGHTS, files.TRAINING, files.EXPORT, files.BUNDLE)
    assert there.issuperset(name for network in job.networks for name in files.of_network(network, *promised))


def test_selection_reads_the_latency_table_where_latency_is_limited() -> None:
    select = Step(key="select", kind=Kind.SELECT)
    assert files.LATENCY in select.inputs(JOBS["search by latency"])
    assert files.LATENCY not in select.inputs(JOBS["search"])
    finalist = Step(key="finalist-1", kind=Kind.FINALIST, network="finalist-1")
    assert files.LATENCY in finalist.inputs(JOBS["search by latency"])


def test_a_training_begins_with_nothing_but_its_spec() -> None:
    train, export = plan_of(JOBS["training"]).all_steps()
    assert train.inputs(JOBS["training"]) == []
    assert train.outputs(JOBS["training"])[0] == "network/architecture.json"
    assert set(export.inputs(JOBS["training"])) == set(train.outputs(JOBS["training"]))


def test_what_a_network_begins_with_and_learns_from_is_there_before_it_is_trained() -> None:
    teacher = {files.TEACHER, files.TEACHER_WEIGHTS}
    search = tiny_spec(retrain={"distill": {}})
    for step in plan_of(search).steps(Phase.TRAIN):
        assert teacher < set(step.inputs(search))
    inherits, learns = tiny_training(SEARCH, start="inherited"), tiny_training(SEARCH, distill={})
    # The cells of its own blocks alone.
    assert set(train_of(inherits).inputs(inherits)) == {f"cells/b{block}c1.safetensors" for block in (1, 2, 3)}
    assert set(train_of(learns).inputs(learns)) == teacher


@pytest.mark.parametrize(
    ("teacher", "taken"),
    [
        ({"model": "resnet18", "weights": "train"}, True),
        ({"model": "resnet18", "weights": "finetune"}, True),
        ({"model": "resnet18", "weights": "pretrained"}, False),  # Of other classes.
        ({"model": "convnext_atto", "weights": "train"}, True),  # Only its files tell that its head has a norm.
        ({"model": "tf_efficientnet_b0", "weights": "train"}, False),  # Its head has a convolution.
    ],
)
def test_a_network_that_inherits_has_the_teacher_whose_head_it_may_take(teacher: dict[str, str], taken: bool) -> None:
    photos = DIGITS.model_copy(update={"name": "photos", "image_size": 224})
    fields = {"dataset": "photos", "teacher": teacher, "retrain": {"start": "inherited", "distill": {"weight": 0}}}
    search = resolve(SearchSpec.model_validate(fields), photos)
    (train, _) = plan_of(search).steps(Phase.TRAIN)
    assert ({files.TEACHER, files.TEACHER_WEIGHTS} <= set(train.inputs(search))) is taken


def train_of(spec: ResolvedJob) -> Step:
    (step,) = plan_of(spec).steps(Phase.TRAIN)
    return step


def test_the_card_of_an_export_compares_so_it_reads_the_trainings_of_all() -> None:
    export = Step(key="export-winner", kind=Kind.EXPORT, network="winner")
    assert files.of_network("control", files.TRAINING)[0] in export.inputs(JOBS["search"])
    assert files.of_network("control", files.WEIGHTS)[0] not in export.inputs(JOBS["search"])


def test_checks_selection_export_and_pictures_need_no_device() -> None:
    for kind in Kind:
        assert Step(key="x", kind=kind).queue == ("cpu" if kind in CPU_KINDS else "gpu")
    assert {Kind.CHECK, Kind.SELECT, Kind.EXPORT, Kind.PICTURES} == CPU_KINDS


def test_checkpoints_are_named_by_the_step() -> None:
    step = Step(key="distill-2", kind=Kind.DISTILL, cells=["b1c1"])
    assert step.checkpoint == "checkpoints/distill-2.safetensors"
    assert step.checkpoint_before == "checkpoints/distill-2.before.safetensors"


def test_a_step_and_an_order_survive_json() -> None:
    step = Step(key="train-winner", kind=Kind.TRAIN, network="winner")
    order = Order(run="/runs/1", step=step)
    assert Order.model_validate_json(order.model_dump_json()) == order
    assert Step.model_validate_json(step.model_dump_json()) == step


def test_devices_are_for_training_alone_and_make_the_queue() -> None:
    for job in (tiny_spec(retrain={"devices": 2}), tiny_training(devices=2)):
        found = {step.kind: (step.devices, step.queue) for step in plan_of(job).all_steps()}
        assert found.pop(Kind.TRAIN) == (2, "gpu2")
        assert {devices for devices, _ in found.values()} == {1}
    assert device_queues(3) == ["gpu", "gpu2", "gpu3"]
    assert [devices_offered(queues) for queues in (["cpu"], ["gpu"], device_queues(16))] == [0, 1, 16]


def test_a_step_on_one_device_is_written_as_it_always_was() -> None:
    [step] = plan_of(tiny_training()).steps(Phase.TRAIN)
    assert "devices" not in step.model_dump(mode="json")
