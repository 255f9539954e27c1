"""The training of one network: its steps in one folder, as a worker runs them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from dna_engine import pipeline
from dna_engine.errors import Interrupted
from dna_engine.events import Metric, Progress, Result
from dna_engine.plans import plan_of
from dna_engine.plans.results import FOUND, Exported, Trained
from dna_engine.runtime.context import never
from dna_engine.space.architecture import Architecture
from dna_engine.spec import parse_job
from dna_engine.training.network import count, load
from dna_engine.training.splits import load_splits
from dna_engine.training.train import evaluate
from tests.dna_engine.runs import Recorder, context, tiny_training

SPEC = tiny_training()
CPU = torch.device("cpu")
STEPS = plan_of(SPEC).all_steps()


def carry_out(run: Path, *, stop: Callable[[], bool] = never) -> tuple[list[Result], Recorder]:
    """All steps one after another, by the spec that lies in the folder."""
    (run / "spec.json").write_text(SPEC.model_dump_json())
    where, recorder = context(run, stop=stop)
    spec = parse_job(json.loads((run / "spec.json").read_text()))
    return [pipeline.run_step(spec, step, where) for step in plan_of(spec).all_steps()], recorder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("training")


@pytest.fixture(scope="module")
def finished(run: Path) -> tuple[list[Result], Recorder]:
    return carry_out(run)


def test_it_leaves_all_that_is_promised_and_an_onnx_file(run: Path, finished: tuple[list[Result], Recorder]) -> None:
    results, _ = finished
    for step, result in zip(STEPS, results, strict=True):
        assert set(result.artifacts) >= set(step.outputs(SPEC))
        assert all((run / name).stat().st_size > 0 for name in result.artifacts)
    assert "network/model.onnx" in results[-1].artifacts
    assert json.loads((run / "network/architecture.json").read_text()) == SPEC.architecture
    assert not list((run / "checkpoints").iterdir())


def test_its_results_are_what_such_steps_find(run: Path, finished: tuple[list[Result], Recorder]) -> None:
    trained, exported = (
        FOUND[step.kind].model_validate(result.values) for step, result in zip(STEPS, finished[0], strict=True)
    )
    assert isinstance(trained, Trained)
    assert isinstance(exported, Exported)
    assert trained == Trained.model_validate_json((run / "network/training.json").read_text())
    assert exported == Exported.model_validate_json((run / "network/export.json").read_text())
    assert trained.counted == trained.predicted == exported.counted
    assert trained.counted.flops == count(Architecture.from_json(SPEC.architecture)).flops


def test_it_trains_on_every_image(finished: tuple[list[Result], Recorder]) -> None:
    """In a search a tenth is held out to rate with."""
    last = [event for event in finished[1].of(Progress) if event.unit == "steps"][-1]
    assert last.done == last.total == SPEC.dataset.num_train // SPEC.batch_size
    assert {event.series for event in finished[1].of(Metric)} == {
        f"train/network/{name}" for name in ("loss", "accuracy", "best")
    }


def test_the_network_is_loaded_by_timm_alone(run: Path, finished: tuple[list[Result], Recorder]) -> None:
    found = evaluate(load(run / "network"), load_splits(SPEC, CPU).test, CPU)
    assert len(found.answers.images) == 10
    assert found.accuracy == finished[0][0].values["test_accuracy"]


def test_the_bundle_is_all_one_needs_and_its_card_knows_of_no_search(
    run: Path, finished: tuple[list[Result], Recorder], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(run / "network/bundle.zip") as bundle:
        bundle.extractall(tmp_path)
    card = (tmp_path / "README.md").read_text()
    assert "control" not in card
    assert f"| test accuracy | {finished[0][0].values['test_accuracy']:.2%} of 360 images" in card
    assert "epochs 1, batch_size 128" in card
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(card.split("```python\n")[-1].split("```")[0], names)
    assert names["model"](torch.zeros(1, 3, 16, 16)).shape == (1, 10)


def test_interrupted_it_ends_the_same(run: Path, finished: tuple[list[Result], Recorder], tmp_path: Path) -> None:
    for patience in (0, 3):
        asked = iter(range(1_000))
        with pytest.raises(Interrupted):
            carry_out(tmp_path, stop=lambda asked=asked, patience=patience: next(asked) >= patience)  # type: ignore[misc]
        assert (tmp_path / STEPS[0].checkpoint).exists()
    carry_out(tmp_path)
    for name in ("architecture.json", "weights.safetensors", "model.onnx"):
        assert (tmp_path / "network" / name).read_bytes() == (run / "network" / name).read_bytes(), name
