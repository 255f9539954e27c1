"""What a step has to compute, and how long that takes."""

from __future__ import annotations

import pytest

from dna_engine.blockwise.teacher import build
from dna_engine.effort import BEGIN_SECONDS, DEFAULT_RATES, seconds, teacher_pass, work
from dna_engine.images.info import DIGITS
from dna_engine.plans.steps import Kind, phase_steps
from dna_engine.spec import SearchSpec, resolve
from dna_engine.training.network import count_model


def test_work_does_not_depend_on_how_cells_are_grouped() -> None:
    spec = resolve(SearchSpec(dataset="digits"), DIGITS)
    cells = spec.parsed_space.cells
    whole = phase_steps(Kind.RATE, spec, [cells])
    parts = phase_steps(Kind.RATE, spec, [cells[:3], cells[3:]])
    teacher = sum(work(step, spec) for step in parts) - sum(work(step, spec) for step in whole)
    assert 0 < teacher < 0.1 * work(whole[0], spec)


def test_there_is_a_default_for_every_kind() -> None:
    assert set(DEFAULT_RATES) == set(Kind)


@pytest.mark.parametrize("kind", list(Kind))
def test_every_step_takes_its_beginning_and_its_work(kind: Kind) -> None:
    spec = resolve(SearchSpec(dataset="digits"), DIGITS)
    step = phase_steps(kind, spec, [spec.parsed_space.cells])[0]
    assert seconds(step, spec) == BEGIN_SECONDS + work(step, spec) / DEFAULT_RATES[kind]


def test_loading_a_teacher_is_no_training() -> None:
    spec = resolve(SearchSpec.model_validate({"dataset": "digits", "teacher": {"weights": "pretrained"}}), DIGITS)
    (step,) = phase_steps(Kind.TEACHER, spec, [])
    assert seconds(step, spec) < 5


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
