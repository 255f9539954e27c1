"""Exports a trained network, and offers nothing that does not answer as the network answers.

Always on the CPU in full precision: that is where a downloaded file has to hold.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from inspect import getsource
from pathlib import Path
from textwrap import shorten
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn

from dna_engine.errors import ExportMismatch, InvalidSpec
from dna_engine.events import Log, Progress, Result
from dna_engine.export.card import write_card
from dna_engine.images.pictures import prepare
from dna_engine.jsonfile import read_object
from dna_engine.plans import Step, files
from dna_engine.plans.results import Costs, Exported, Trained
from dna_engine.runtime.context import Context
from dna_engine.runtime.cores import threads
from dna_engine.space.architecture import Architecture
from dna_engine.space.cost import architecture_cost, work_per_operation
from dna_engine.spec import ResolvedNetworks, ResolvedSpec
from dna_engine.training.network import build, count, load
from dna_engine.training.splits import load_splits

#: Largest difference of a logit that is accepted, in standard deviations of the network's own logits over the images. Between
#: float32 and float64, or torch and onnxruntime, networks differ by 1e-6 to 1e-5 of it, those whose training ran wild included;
#: with weights cut to half precision by 3e-4 to 9e-3, with another epsilon in the batch norms by 4e-3 to 1e-1.
TOLERANCE = 1e-3
#: Share of the images, at least, to which the answer must be the same: the accuracy that is claimed holds up to a hundredth.
#: A logit within the tolerance changes only what was as good as undecided.
SAME_ANSWERS = 0.99
#: Test images on which the files are compared, at most.
IMAGES = 1024
BATCH = 128

Logits = NDArray[np.float32]


def run_step(spec: ResolvedNetworks, step: Step, context: Context) -> Result:
    """Exports the network in the folder ``step.network``.

    Writes ``model.onnx`` where that can be done: a network that ONNX does not express as it was trained is none the worse,
    so the reason is logged as a warning and the job goes on. ``export.json`` holds how far each file's answers are from
    the trained network's (:class:`Difference`), the accuracies on the images compared, flops and params as predicted and as
    counted, and as ``warning`` why there is no ONNX file. ``bundle.zip`` has all that a user needs, with a model card.

    Raises:
        ExportMismatch: the weights, loaded by timm alone, do not answer as the trained network does.
    """
    assert step.network is not None
    folder = context.run / step.network
    described = json.loads((folder / files.ARCHITECTURE).read_text())
    trainings = {name: _training(context.run / name) for name in spec.networks}
    architecture = Architecture.from_json(described)
    model = build(architecture)
    model.load_state_dict(load_file(folder / files.WEIGHTS))
    model.eval()
    images, labels = test_images(spec)
    context.reporter.emit(Progress(done=0, total=2, unit="files", parts=[step.network]))
    with threads(work_per_operation(architecture, BATCH)):
        logits = {"torch": answer(model, images), "safetensors": answer(load(folder), images)}
    refuse_mismatch(Difference.between(logits["torch"], logits["safetensors"]))
    onnx, warning = try_onnx(model, images, logits["torch"], folder / files.ONNX)
    if onnx is not None:
        logits["onnx"] = onnx
    if warning is not None:
        context.reporter.emit(Log(level="warning", message=f"There is no ONNX file of {step.network}: {warning}"))
    context.reporter.emit(Progress(done=1, total=2, unit="files", parts=[step.network]))
    found = Exported(
        **figures(logits, labels),
        warning=warning,
        predicted=Costs(**vars(architecture_cost(architecture))),
        counted=Costs(**vars(count(architecture))),
        test_accuracy=trainings[step.network].test_accuracy,
    )
    (folder / files.EXPORT).write_text(json.dumps(found.model_dump(mode="json"), indent=1) + "\n")
    teacher = read_object(context.run / files.TEACHER, InvalidSpec) if isinstance(spec, ResolvedSpec) else None
    title = _title(spec, step.network)
    write_bundle(folder, write_card(title, step.network, described["preprocessing"], trainings, found, teacher))
    context.reporter.emit(Progress(done=2, total=2, unit="files", parts=[step.network]))
    offered = [] if warning else files.of_network(step.network, files.ONNX)
    return found.result([*step.outputs(spec), *offered])


def _title(spec: ResolvedNetworks, network: str) -> str:
    """A network that was given has the name of its job, one of several says which it is."""
    title = spec.name if network in spec.given else f"{network} for {spec.dataset.name}"
    return " ".join("".join(letter if letter.isprintable() else " " for letter in title).split())


def _training(folder: Path) -> Trained:
    return Trained.model_validate_json((folder / files.TRAINING).read_text())


def test_images(spec: ResolvedNetworks) -> tuple[Tensor, Tensor]:
    """The first :data:`IMAGES` test images (N, 3, S, S) and their labels."""
    held = []
    found = 0
    for images, labels in load_splits(spec, torch.device("cpu")).test.ordered(BATCH):
        held.append((images, labels))
        found += len(images)
        if found >= IMAGES:
            break
    return torch.cat([images for images, _ in held])[:IMAGES], torch.cat([labels for _, labels in held])[:IMAGES]


def write_onnx(model: nn.Module, example: Tensor, path: Path) -> None:
    """Input ``images`` and output ``logits``, both with a free batch."""
    with threads(0.0):  # Tracing is Python; a second thread would only take a core from what trains meanwhile.
        program = _traced(model, example)
    assert program is not None
    program.save(path)


def _traced(model: nn.Module, example: Tensor) -> torch.onnx.ONNXProgram | None:
    return torch.onnx.export(
        model,
        (example,),
        dynamo=True,
        input_names=["images"],
        output_names=["logits"],
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        verbose=False,
    )


def try_onnx(model: nn.Module, images: Tensor, expected: Logits, path: Path) -> tuple[Logits | None, str | None]:
    """Writes the ONNX file and runs it on ``images``: its logits if it ran, and why it is not to be offered, if it is not.

    A file that is not to be offered is removed again.
    """
    found = None
    try:
        write_onnx(model, images[:2], path)
        found = run_onnx(path, images)
        reason = Difference.between(expected, found).reason
    except Exception as error:  # Of the exporter and the runtime, whose errors have no common kind.
        reason = f"{type(error).__name__}: {shorten(str(error), 300)}"
    if reason is not None:
        path.unlink(missing_ok=True)
    return found, reason


def answer(model: nn.Module, images: Tensor) -> Logits:
    """Logits (N, classes) of images (N, 3, S, S)."""
    with torch.inference_mode():
        return np.concatenate([model(batch).numpy() for batch in torch.split(images, BATCH)])


def run_onnx(path: Path, images: Tensor) -> Logits:
    """The same of an ONNX file."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(None, {"images": batch.numpy()})[0] for batch in torch.split(images, BATCH)])


@dataclass(frozen=True)
class Difference:
    """How far the logits of a file are from those of the trained network, on the same images.

    Attributes:
        largest: of any logit, absolute.
        relative: the same in standard deviations of the network's logits. Two ways to compute one network in float32 differ
            by their rounding, which grows with the logits: 2e-3 at logits of 236, where float32 and float64 differ as much.
        same_answers: share of the images with the same largest logit.
    """

    largest: float
    relative: float
    same_answers: float

    @classmethod
    def between(cls, expected: Logits, found: Logits) -> Difference:
        largest = float(np.abs(found - expected).max())
        return cls(
            largest=largest,
            relative=largest / max(float(expected.std()), float(np.finfo(np.float32).tiny)),
            same_answers=float((found.argmax(1) == expected.argmax(1)).mean()),
        )

    @property
    def reason(self) -> str | None:
        """Why such a file is not to be offered; None where it is."""
        if self.relative <= TOLERANCE and self.same_answers >= SAME_ANSWERS:  # Neither holds for what is no number.
            return None
        return (
            f"its logits on test images differ from the trained network's by up to {self.largest:.2e}, which is "
            f"{self.relative:.1e} of their spread ({TOLERANCE:.0e} is accepted), and {self.same_answers:.2%} of its answers "
            f"are the same ({SAME_ANSWERS:.0%} must be)."
        )


def refuse_mismatch(weights: Difference) -> None:
    """Raises ExportMismatch where the weights file does not answer as the trained network does."""
    if weights.reason is not None:
        raise ExportMismatch(f"The weights file is not offered: {weights.reason}")


def figures(logits: Mapping[str, Logits], labels: Tensor) -> dict[str, Any]:
    """What ``export.json`` says of the logits of each file, by its name, beside those of ``torch``."""
    expected = logits["torch"]
    differences = {name: Difference.between(expected, found) for name, found in logits.items() if name != "torch"}
    return {
        "images": len(expected),
        "spread": float(expected.std()),
        "largest_difference": {name: difference.largest for name, difference in differences.items()},
        "relative_difference": {name: difference.relative for name, difference in differences.items()},
        "same_answers": {name: difference.same_answers for name, difference in differences.items()},
        "accuracy": {name: float((found.argmax(1) == labels.numpy()).mean()) for name, found in logits.items()},
    }


def write_bundle(folder: Path, card: str) -> None:
    """One archive of the network's files, its card and what makes inputs of pictures; the same files give the same bytes."""
    names = (files.ARCHITECTURE, files.WEIGHTS, files.ONNX, files.TRAINING, files.EXPORT)
    with zipfile.ZipFile(folder / files.BUNDLE, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr(zipfile.ZipInfo("README.md"), card)
        bundle.writestr(zipfile.ZipInfo("prepare.py"), getsource(prepare))
        for name in names:
            if (folder / name).exists():
                bundle.writestr(zipfile.ZipInfo(name), (folder / name).read_bytes(), zipfile.ZIP_DEFLATED)
