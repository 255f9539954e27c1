"""A network as an ONNX file: written, run, and timed by onnxruntime on the CPU."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from dna_engine.export.compare import Logits
from dna_engine.plans.results import Timed
from dna_engine.runtime import cores, timing

#: What the files are written in, so that old runtimes read them: the networks need nothing newer. Read by onnxruntime 1.15.0, the oldest
#: that there is for Python 3.11, with the same answers, in 8 bits too.
OPSET, IR_VERSION, OLDEST_RUNTIME = 18, 8, "1.15.0"
BATCH = 128
#: Runs of a picture alone before it is timed, and runs of which the median counts.
WARM_UP, RUNS = 10, 50


def write_onnx(model: nn.Module, example: Tensor, path: Path) -> None:
    """Input ``images`` and output ``logits``, both with a free batch; nothing of how or where it was made."""
    with cores.threads(0.0):  # Tracing is Python; a second thread would only take a core from what trains meanwhile.
        program = _traced(model, example)
    assert program is not None
    program.model.ir_version = IR_VERSION
    program.save(path)
    _write_without_remarks(onnx.load(path), path)


def _traced(model: nn.Module, example: Tensor) -> torch.onnx.ONNXProgram | None:
    return torch.onnx.export(
        model,
        (example,),
        dynamo=True,
        opset_version=OPSET,
        input_names=["images"],
        output_names=["logits"],
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        verbose=False,
    )


def _write_without_remarks(model: onnx.ModelProto, path: Path) -> None:
    """Without the exporter's remarks: a sixth of a small file, with the paths of this machine in stack traces."""
    graph = model.graph
    for one in (model, graph, *graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        one.ClearField("metadata_props")
    onnx.save(model, path)


def session(path: Path, *, intra_op_threads: int = 0) -> onnxruntime.InferenceSession:
    """The file, ready to run on the CPU; without a number of threads it takes those of the machine."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = intra_op_threads
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def run_onnx(path: Path, images: Tensor) -> Logits:
    """Logits (N, classes) of images (N, 3, S, S)."""
    network = session(path)
    return np.concatenate([network.run(None, {"images": batch.numpy()})[0] for batch in torch.split(images, BATCH)])


def time_onnx(paths: Mapping[str, Path], picture: Tensor, *, threads: int = 1) -> dict[str, Timed]:
    """What a picture (1, 3, S, S) takes each file, on so many threads."""
    given = {"images": picture.numpy()}
    networks = {name: session(path, intra_op_threads=threads) for name, path in paths.items()}
    calls = {name: (lambda network=network: network.run(None, given)) for name, network in networks.items()}
    return {
        name: timing.summarize(times) for name, times in timing.nanoseconds(calls, warm_up=WARM_UP, runs=RUNS).items()
    }
