"""Exports a trained network, and offers nothing that does not compute what the network computes.

Always on the CPU in full precision: that is where a downloaded file has to hold.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn

from dna_engine import data
from dna_engine.architecture import Architecture
from dna_engine.card import write_card
from dna_engine.context import Context
from dna_engine.cost import architecture_cost
from dna_engine.errors import ExportMismatch
from dna_engine.events import Progress, Result
from dna_engine.network import build, count, load
from dna_engine.spec import ResolvedSpec
from dna_engine.steps import Step

#: Largest absolute difference of a logit that is accepted.
TOLERANCE = 1e-4
#: Test images on which the files are compared, at most.
IMAGES = 1024
BATCH = 128


def run_step(spec: ResolvedSpec, step: Step, context: Context) -> Result:
    """Exports the network in the folder ``step.network``.

    Writes ``model.onnx``; ``export.json`` with the largest differences, the accuracies on the images compared, flops and
    params as predicted and as counted; and ``bundle.zip`` of all that a user needs, with a model card.

    Raises:
        ExportMismatch: a file differs from the torch model by more than :data:`TOLERANCE`, or costs other than predicted.
    """
    assert step.network is not None
    folder = context.run / step.network
    described = json.loads((folder / "architecture.json").read_text())
    training = json.loads((folder / "training.json").read_text())
    architecture = Architecture.from_json(described)
    model = build(architecture)
    model.load_state_dict(load_file(folder / "weights.safetensors"))
    model.eval()
    images, labels = test_images(spec)
    context.reporter.emit(Progress(done=0, total=2, unit="files", parts=[step.network]))
    write_onnx(model, images[:2], folder / "model.onnx")
    context.reporter.emit(Progress(done=1, total=2, unit="files", parts=[step.network]))
    export = {
        **compare(model, folder, images, labels),
        "predicted": asdict(architecture_cost(architecture)),
        "counted": asdict(count(architecture)),
        "test_accuracy": training["test_accuracy"],
    }
    refuse_mismatch(export)
    (folder / "export.json").write_text(json.dumps(export, indent=1) + "\n")
    write_bundle(folder, write_card(step.network, described["preprocessing"], training, export))
    context.reporter.emit(Progress(done=2, total=2, unit="files", parts=[step.network]))
    return Result(artifacts=step.outputs(spec), values=export)


def test_images(spec: ResolvedSpec) -> tuple[Tensor, Tensor]:
    """The first :data:`IMAGES` test images (N, 3, S, S) and their labels."""
    batches = []
    found = 0
    for images, labels in data.load_splits(spec, torch.device("cpu")).test.ordered(BATCH):
        batches.append((images, labels))
        found += len(images)
        if found >= IMAGES:
            break
    return torch.cat([images for images, _ in batches])[:IMAGES], torch.cat([labels for _, labels in batches])[:IMAGES]


def write_onnx(model: nn.Module, example: Tensor, path: Path) -> None:
    """Input ``images`` and output ``logits``, both with a free batch."""
    program = torch.onnx.export(
        model,
        (example,),
        dynamo=True,
        input_names=["images"],
        output_names=["logits"],
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        verbose=False,
    )
    assert program is not None
    program.save(path)


def compare(model: nn.Module, folder: Path, images: Tensor, labels: Tensor) -> dict[str, Any]:
    """Largest absolute differences of logits from the torch model's, and accuracies, over real images."""
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    reloaded = load(folder)
    with torch.inference_mode():
        logits = {
            "torch": np.concatenate([model(batch).numpy() for batch in torch.split(images, BATCH)]),
            "onnx": np.concatenate(
                [session.run(None, {"images": batch.numpy()})[0] for batch in torch.split(images, BATCH)]
            ),
            "safetensors": np.concatenate([reloaded(batch).numpy() for batch in torch.split(images, BATCH)]),
        }
    return {
        "images": len(images),
        "largest_difference": {
            name: float(np.abs(values - logits["torch"]).max()) for name, values in logits.items() if name != "torch"
        },
        "accuracy": {name: _accuracy(values, labels) for name, values in logits.items()},
    }


def refuse_mismatch(export: dict[str, Any]) -> None:
    """Raises ExportMismatch where a difference is too large (or is no number), or where costs were mispredicted."""
    for name, difference in export["largest_difference"].items():
        if not difference <= TOLERANCE:
            raise ExportMismatch(
                f"The {name} file differs from the trained network by {difference:.2e} on test images; at most "
                f"{TOLERANCE:.0e} is accepted. Nothing of it is offered."
            )
    if export["predicted"] != export["counted"]:
        raise ExportMismatch(
            f"The network costs {export['counted']}, {export['predicted']} was predicted. Nothing of it is offered."
        )


def write_bundle(folder: Path, card: str) -> None:
    """One archive of the network's files and its card; the same files give the same bytes."""
    with zipfile.ZipFile(folder / "bundle.zip", "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr(zipfile.ZipInfo("README.md"), card)
        for name in ("architecture.json", "weights.safetensors", "model.onnx", "training.json", "export.json"):
            bundle.writestr(zipfile.ZipInfo(name), (folder / name).read_bytes(), zipfile.ZIP_DEFLATED)


def _accuracy(logits: NDArray[np.float32], labels: Tensor) -> float:
    return float((logits.argmax(1) == labels.numpy()).mean())
