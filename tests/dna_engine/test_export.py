"""Exports hold what they claim, and are not offered otherwise."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import load_file, save_file

from dna_engine import data, export
from dna_engine.architecture import Architecture
from dna_engine.card import LOAD_WITH_TIMM
from dna_engine.choose import preprocessing
from dna_engine.errors import ExportMismatch
from dna_engine.network import build
from dna_engine.space import parse_space
from dna_engine.steps import Kind, Step
from dna_engine.train import evaluate
from tests.dna_engine.runs import TINY_SPACE, context, tiny_spec

SPEC = tiny_spec()
STEP = Step(key="export-winner", kind=Kind.EXPORT, network="winner")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder with a network that was exported; its weights are random, its figures are true."""
    run = tmp_path_factory.mktemp("run")
    folder = run / "winner"
    folder.mkdir()
    network = Architecture.from_choices(
        parse_space(TINY_SPACE),
        [(2, ["mb3_3x3", "plain"]), (1, ["plain", "mb3_3x3"]), (1, ["mb3_3x3"])],
        input_size=16,
        num_classes=10,
    )
    torch.manual_seed(0)
    model = build(network)
    reached = evaluate(model, data.load_splits(SPEC, torch.device("cpu")).test, torch.device("cpu"))
    (folder / "architecture.json").write_text(json.dumps(network.to_json() | {"preprocessing": preprocessing(SPEC)}))
    save_file(model.state_dict(), folder / "weights.safetensors")
    training = {
        "test_accuracy": reached.accuracy,
        "test_loss": reached.loss,
        "recipe": {"epochs": 0},
        "dataset": "digits",
        "seed": 0,
    }
    (folder / "training.json").write_text(json.dumps(training))
    where, _ = context(run)
    export.run_step(SPEC, STEP, where)
    return run


def test_the_figures_say_that_all_forms_agree(run: Path) -> None:
    figures = json.loads((run / "winner/export.json").read_text())
    assert figures["images"] == 360
    assert 0 < figures["largest_difference"]["onnx"] <= 1e-4
    assert figures["largest_difference"]["safetensors"] == 0
    assert figures["predicted"] == figures["counted"]
    assert len(set(figures["accuracy"].values())) == 1
    assert figures["accuracy"]["onnx"] == figures["test_accuracy"]


def test_the_onnx_file_runs_at_any_batch(run: Path) -> None:
    session = onnxruntime.InferenceSession(run / "winner/model.onnx", providers=["CPUExecutionProvider"])
    images = np.random.default_rng(0).standard_normal((5, 3, 16, 16), dtype=np.float32)
    together = session.run(["logits"], {"images": images})[0]
    assert together.shape == (5, 10)
    alone = np.concatenate([session.run(["logits"], {"images": image[None]})[0] for image in images])
    assert np.abs(together - alone).max() < 1e-5


def test_the_bundle_is_all_one_needs(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(run / "winner/bundle.zip") as bundle:
        bundle.extractall(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "README.md",
        "architecture.json",
        "weights.safetensors",
        "model.onnx",
        "training.json",
        "export.json",
    }
    card = (tmp_path / "README.md").read_text()
    assert LOAD_WITH_TIMM in card
    assert "0, 1, 2, 3, 4, 5, 6, 7, 8, 9" in card
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(card.split("```python\n")[1].split("```")[0], names)
    images = data.load_splits(SPEC, torch.device("cpu")).test
    accuracy = evaluate(names["model"], images, torch.device("cpu")).accuracy
    assert accuracy == json.loads((tmp_path / "training.json").read_text())["test_accuracy"]


def test_the_loading_lines_are_ten_and_stand_in_the_guide() -> None:
    lines = LOAD_WITH_TIMM.strip().splitlines()
    assert len([line for line in lines if line]) <= 10
    guide = Path(__file__).parents[2] / "docs/engine.md"
    assert LOAD_WITH_TIMM in guide.read_text()


def test_a_file_that_computes_something_else_is_refused(run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "winner"
    folder.mkdir()
    for path in (run / "winner").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    model = build(Architecture.from_json(json.loads((folder / "architecture.json").read_text())))
    weights = load_file(folder / "weights.safetensors")
    weights["classifier.bias"] += 1e-3
    model.load_state_dict(weights)
    figures = export.compare(model.eval(), folder, *export.test_images(SPEC))
    assert figures["largest_difference"]["onnx"] == pytest.approx(1e-3, rel=0.01)
    with pytest.raises(ExportMismatch, match="onnx"):
        export.refuse_mismatch(figures)


@pytest.mark.parametrize("difference", [2e-4, float("nan")])
def test_what_is_refused(difference: float) -> None:
    cost = {"flops": 1, "params": 1}
    figures = {"largest_difference": {"onnx": difference}, "predicted": cost, "counted": cost}
    with pytest.raises(ExportMismatch):
        export.refuse_mismatch(figures)
    figures["largest_difference"] = {"onnx": 1e-5}
    export.refuse_mismatch(figures)
    with pytest.raises(ExportMismatch, match="predicted"):
        export.refuse_mismatch(figures | {"counted": {"flops": 2, "params": 1}})
