"""The train step: how a network begins."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from dna_engine import pipeline
from dna_engine.errors import Interrupted, InvalidSpec
from dna_engine.events import Log, Metric
from dna_engine.images.info import DIGITS
from dna_engine.plans import Phase, plan_of
from dna_engine.plans.results import Trained
from dna_engine.runtime.context import Context
from dna_engine.space.architecture import Architecture
from dna_engine.space.cost import architecture_cost
from dna_engine.spec import ResolvedSpec, TrainingSpec, resolve_training
from dna_engine.training.described import build_any, read
from dna_engine.training.splits import load_splits
from dna_engine.training.train import evaluate
from tests.dna_engine.runs import TINY_SPACE, context, tiny_spec

RETRAIN = {"epochs": 1, "batch_size": 128, "start": "inherited", "references": ["lcnet_100"]}
BEFORE = (Phase.TEACHER, Phase.DISTILL, Phase.RATE, Phase.SELECT)


@pytest.fixture(scope="module")
def selected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A search up to its selection."""
    run = tmp_path_factory.mktemp("run")
    spec = inheriting()
    where, _ = context(run)
    for phase in BEFORE:
        for step in plan_of(spec).steps(phase):
            pipeline.run_step(spec, step, where)
    return run


def inheriting(**fields: Any) -> ResolvedSpec:
    space = TINY_SPACE | {"first_layer": "nominal"}
    return tiny_spec(
        **{
            "training": {"epochs": 3},
            "teacher": {"epochs": 2},
            "space": space,
            "select": {"finalists": 0},
            "retrain": RETRAIN,
        }
        | fields
    )


def train(spec: ResolvedSpec, where: Context, network: str = "winner") -> Trained:
    (step,) = (step for step in plan_of(spec).steps(Phase.TRAIN) if step.network == network)
    return Trained.model_validate(pipeline.run_step(spec, step, where).values)


def test_a_network_that_inherits_is_ahead_of_one_from_scratch(selected: Path) -> None:
    where, recorder = context(selected)
    inherited = train(inheriting(), where)
    assert [log for log in recorder.of(Log) if log.level == "warning" and "inherits" in log.message] == []
    scratch = train(inheriting(retrain=RETRAIN | {"start": "scratch"}), where)
    assert inherited.test_loss < scratch.test_loss
    assert inherited.test_accuracy > scratch.test_accuracy


def test_what_was_found_is_trained_alone_from_its_blocks_on_other_images(selected: Path, tmp_path: Path) -> None:
    """At another size, by the files that a worker lays down in a folder of its own."""
    search = inheriting(retrain={"control": False})
    described = Architecture.from_json(json.loads((selected / "winner/architecture.json").read_text()))
    fields = {"dataset": "digits", "architecture": "a", "epochs": 1, "batch_size": 128, "input_size": 24}
    found = {}
    for start in ("scratch", "inherited"):
        spec = resolve_training(TrainingSpec.model_validate(fields | {"start": start}), described, DIGITS, search)
        (step,) = plan_of(spec).steps(Phase.TRAIN)
        where, recorder = context(tmp_path / start)
        for name in step.inputs(spec):
            (where.run / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(selected / name, where.run / name)
        found[start] = Trained.model_validate(pipeline.run_step(spec, step, where).values)
        assert not [log for log in recorder.of(Log) if "inherits" in log.message]
    assert {start: trained.start for start, trained in found.items()} == {start: start for start in found}
    assert found["inherited"].test_loss < found["scratch"].test_loss


def test_learning_from_the_teacher_too_is_said_and_survives_an_interruption(selected: Path) -> None:
    spec, (where, _) = inheriting(retrain=RETRAIN | {"distill": {"weight": 0.5, "temperature": 2}}), context(selected)
    found = train(spec, where)
    assert (found.recipe["teacher_weight"], found.recipe["temperature"], found.start) == (0.5, 2.0, "inherited")
    whole = load_file(selected / "winner/weights.safetensors")
    train(inheriting(), where)
    without = load_file(selected / "winner/weights.safetensors")
    assert not all(whole[name].equal(without[name]) for name in whole)
    looks = iter(range(100))
    with pytest.raises(Interrupted):
        train(spec, context(selected, stop=lambda: next(looks) >= 3)[0])
    train(spec, where)
    again = load_file(selected / "winner/weights.safetensors")
    assert all(whole[name].equal(again[name]) for name in whole)


def test_it_needs_the_cells_and_the_control_begins_alike() -> None:
    spec = inheriting()
    cells = {f"cells/{cell}.safetensors" for cell in spec.parsed_space.cells}
    for step in plan_of(spec).steps(Phase.TRAIN)[:2]:
        assert cells < set(step.inputs(spec))
    scratch = tiny_spec(retrain={"start": "scratch", "distill": {"weight": 0}})
    assert plan_of(scratch).steps(Phase.TRAIN)[0].inputs(scratch) == ["winner/architecture.json"]


def test_an_interruption_changes_no_bit(selected: Path) -> None:
    spec, (where, _) = inheriting(), context(selected)
    train(spec, where)
    whole = load_file(selected / "winner/weights.safetensors")
    looks = iter(range(100))
    stopped, _ = context(selected, stop=lambda: next(looks) >= 3)
    with pytest.raises(Interrupted):
        train(spec, stopped)
    train(spec, where)
    again = load_file(selected / "winner/weights.safetensors")
    assert all(whole[name].equal(again[name]) for name in whole)


def test_cells_of_the_teachers_width_have_nothing_to_inherit() -> None:
    with pytest.raises(InvalidSpec, match="nothing can be inherited") as caught:
        inheriting(training={"width": "teacher"})
    assert caught.value.param == "retrain.start"


def test_a_standard_network_is_trained_from_scratch_at_the_winners_cost(selected: Path) -> None:
    where, recorder = context(selected)
    found = train(inheriting(), where, "lcnet_100")
    winner = Architecture.from_json(json.loads((selected / "winner/architecture.json").read_text()))
    described = json.loads((selected / "lcnet_100/architecture.json").read_text())
    assert (described["model"], described["num_classes"], described["input_size"]) == ("lcnet_100", 10, 16)
    assert described["preprocessing"]["classes"] == DIGITS.class_names
    assert found.start == "scratch"
    assert found.counted.flops == pytest.approx(architecture_cost(winner).flops, rel=0.5)
    assert {metric.series for metric in recorder.of(Metric)} == {
        f"train/lcnet_100/{name}" for name in ("loss", "accuracy", "best")
    }
    weights = load_file(selected / "lcnet_100/weights.safetensors")
    assert weights["classifier.weight"].shape[0] == 10
    model = build_any(read(described), dropout=0.0, drop_path=0.0)
    model.load_state_dict(weights)
    reached = evaluate(model, load_splits(inheriting(), where.device).test, where.device)
    assert reached.accuracy == found.test_accuracy
