"""Exports a trained network, and offers nothing that does not answer as the network answers.

Always on the CPU in full precision: that is where a downloaded file has to hold.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from dna_engine.effort import CALIBRATION_IMAGES, EXPORT_IMAGES
from dna_engine.errors import ExportMismatch, InvalidSpec
from dna_engine.events import Log, Progress, Result
from dna_engine.export.attempts import Tried, try_int8, try_onnx
from dna_engine.export.bundle import write_bundle
from dna_engine.export.card import write_card
from dna_engine.export.compare import Difference, Logits, figures
from dna_engine.export.onnx_file import BATCH, time_onnx
from dna_engine.export.triton import write_repository
from dna_engine.jsonfile import read_object
from dna_engine.plans import Step, files
from dna_engine.plans.results import Costs, Exported, Trained
from dna_engine.runtime.context import Context
from dna_engine.runtime.cores import threads
from dna_engine.runtime.timing import device_name
from dna_engine.space.architecture import Architecture
from dna_engine.space.cost import architecture_cost, work_per_operation
from dna_engine.spec import ResolvedNetworks, ResolvedSpec
from dna_engine.training.network import build, count, load
from dna_engine.training.splits import by_class, load_splits

CPU = torch.device("cpu")
#: What is tried, in words.
_FILES = {"onnx": "ONNX file", "onnx-int8": "ONNX file in 8 bits"}


def run_step(spec: ResolvedNetworks, step: Step, context: Context) -> Result:
    """Exports the network in the folder ``step.network``.

    Writes ``model.onnx`` where that can be done, and of it ``model.int8.onnx`` and ``model.triton.zip``: a network that ONNX or 8 bits
    do not express as it was trained is none the worse, so the reason is logged and the job goes on. ``export.json`` holds how far each
    file's answers are from the trained network's (:class:`Difference`), the accuracies on the images compared, size and latency, flops
    and params as predicted and as counted, and why there is no ONNX file (``warning``) or none in 8 bits (``no_int8``). ``bundle.zip``
    has all that a user needs, with a model card.

    Raises:
        ExportMismatch: the weights, loaded by timm alone, do not answer as the trained network does.
    """
    assert step.network is not None
    folder = context.run / step.network
    described = json.loads((folder / files.ARCHITECTURE).read_text())
    trainings = {name: _training(context.run / name) for name in spec.networks}
    images, labels = test_images(spec)
    architecture = Architecture.from_json(described)
    logits, tried = _try_all(spec, architecture, images, labels, folder, context)
    found = Exported(
        **figures(logits | {name: one.logits for name, one in tried.items() if one.logits is not None}, labels),
        **_measured(tried, images[:1]),
        warning=tried["onnx"].reason,
        no_int8=tried["onnx-int8"].reason,
        predicted=Costs(**vars(architecture_cost(architecture))),
        counted=Costs(**vars(count(architecture))),
        test_accuracy=trainings[step.network].test_accuracy,
    )
    (folder / files.EXPORT).write_text(json.dumps(found.model_dump(mode="json"), indent=1) + "\n")
    offered = _offer(tried, step.network, context)
    title = _title(spec, step.network)
    if files.ONNX in offered:
        write_repository(title, described, folder / files.ONNX, folder / files.TRITON)
        offered.append(files.TRITON)
    teacher = read_object(context.run / files.TEACHER, InvalidSpec) if isinstance(spec, ResolvedSpec) else None
    card = write_card(title, step.network, described["preprocessing"], trainings, found, spec.dataset, teacher)
    write_bundle(folder, card)
    return found.result([*step.outputs(spec), *files.of_network(step.network, *offered)])


def _try_all(
    spec: ResolvedNetworks, architecture: Architecture, images: Tensor, labels: Tensor, folder: Path, context: Context
) -> tuple[dict[str, Logits], dict[str, Tried]]:
    """The logits of the network and of its weights file, and what came of the files that onnxruntime runs, by their formats."""

    def report(done: int) -> None:
        context.reporter.emit(Progress(done=done, total=3, unit="files", parts=[folder.name]))

    report(0)
    model = build(architecture)
    model.load_state_dict(load_file(folder / files.WEIGHTS))
    model.eval()
    with threads(work_per_operation(architecture, BATCH)):
        logits = {"torch": answer(model, images), "safetensors": answer(load(folder), images)}
    refuse_mismatch(Difference.between(logits["torch"], logits["safetensors"]))
    report(1)
    whole = try_onnx(model, images, logits["torch"], folder / files.ONNX)
    report(2)
    small = folder / files.ONNX_INT8
    in_int8 = try_int8(whole, shown_images(spec), images, labels, most_lost=spec.int8_loss, path=small)
    report(3)
    return logits, {"onnx": whole, "onnx-int8": in_int8}


def _measured(tried: Mapping[str, Tried], picture: Tensor) -> dict[str, Any]:
    """Size and latency of the files that ran, and what they are written in."""
    ran = {name: one.path for name, one in tried.items() if one.logits is not None}
    if not ran:
        return {}
    written = onnx.load(next(iter(ran.values())))
    return {
        "size": {name: path.stat().st_size for name, path in ran.items()},
        "latency": time_onnx(ran, picture),
        "device": device_name(CPU),
        "opset": written.opset_import[0].version,
        "ir_version": written.ir_version,
    }


def _offer(tried: Mapping[str, Tried], network: str, context: Context) -> list[str]:
    """The names of the files that are offered. Others are removed, and the log says why."""
    offered = []
    for name, one in tried.items():
        if one.reason is None:
            offered.append(one.path.name)
            continue
        one.path.unlink(missing_ok=True)
        said = f"There is no {_FILES[name]} of {network}: {one.reason}"
        context.reporter.emit(Log(level="warning" if name == "onnx" else "info", message=said))
    return offered


def _title(spec: ResolvedNetworks, network: str) -> str:
    """A network that was given has the name of its job, one of several says which it is."""
    title = spec.name if network in spec.given else f"{network} for {spec.dataset.name}"
    return " ".join("".join(letter if letter.isprintable() else " " for letter in title).split())


def _training(folder: Path) -> Trained:
    return Trained.model_validate_json((folder / files.TRAINING).read_text())


def test_images(spec: ResolvedNetworks) -> tuple[Tensor, Tensor]:
    """Test images (N, 3, S, S) and their labels: all, or :data:`~dna_engine.effort.EXPORT_IMAGES` of them, of every class its share."""
    images = load_splits(spec, CPU).test
    places, _ = by_class(images.labels.tolist(), EXPORT_IMAGES, spec.seed)
    held = [*images.at(sorted(places), BATCH)]
    return torch.cat([batch for batch, _ in held]), torch.cat([labels for _, labels in held])


def shown_images(spec: ResolvedNetworks) -> Tensor:
    """Training images (N, 3, S, S) as they are tested, of every class its share: their ranges decide what 8 bits stand for."""
    share = CALIBRATION_IMAGES / spec.dataset.num_train
    images = load_splits(spec, CPU, share=share).train
    return torch.cat([batch for batch, _ in images.at(range(min(len(images), CALIBRATION_IMAGES)), BATCH)])


def answer(model: nn.Module, images: Tensor) -> Logits:
    """Logits (N, classes) of images (N, 3, S, S)."""
    with torch.inference_mode():
        return np.concatenate([model(batch).numpy() for batch in torch.split(images, BATCH)])


def refuse_mismatch(weights: Difference) -> None:
    """Raises ExportMismatch where the weights file does not answer as the trained network does."""
    if weights.reason is not None:
        raise ExportMismatch(f"The weights file is not offered: {weights.reason}")
