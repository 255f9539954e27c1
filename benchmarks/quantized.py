"""What 8 bits cost and save: accuracy, size and latency of trained networks beside full precision, by several ways to choose them.

``python -m benchmarks.quantized RUN...`` takes run folders of searches (``python -m dna_engine run``) and their winners. The
accuracy is on the test images, latency that of one picture by onnxruntime on one thread, all files of a network in turns. The error is
that of the logits, root mean square, in standard deviations of the network's. ``--published`` are networks of the paper with random
weights, of which only size and latency say something.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from onnxruntime.quantization import CalibrationMethod
from torch import Tensor, nn

from benchmarks import report
from dna_engine.errors import InvalidSpec
from dna_engine.export import export
from dna_engine.export.compare import Difference, accuracy
from dna_engine.export.onnx_file import run_onnx, time_onnx, write_onnx
from dna_engine.export.quantize import BATCH, OPTIONS, write_int8
from dna_engine.jsonfile import read_object
from dna_engine.plans import files
from dna_engine.plans.steps import of_networks
from dna_engine.runtime.context import prepare
from dna_engine.space.architecture import published
from dna_engine.spec import parse_job
from dna_engine.training.network import build, load

CPU = torch.device("cpu")

#: What each way does otherwise than the export.
WAYS: Mapping[str, Mapping[str, Any]] = {
    "as exported": {},
    "8 bits of weights": {"reduce_range": False},
    "percentiles": {"calibrate_method": CalibrationMethod.Percentile},
    "entropy": {"calibrate_method": CalibrationMethod.Entropy},
    "moving average": {"extra_options": {"CalibMovingAverage": True}},
    "everywhere": {"op_types_to_quantize": None},
    "a scale for all channels": {"per_channel": False},
}
COLUMNS = ("file", "test accuracy", "same answers", "error", "kB", "ms, median", "ms, 95%", "made in, s")


def main(argv: list[str] | None = None) -> None:
    arguments = parse(argv)
    report.print_header("quantized", CPU)
    prepare(CPU)
    logging.disable(logging.WARNING)
    for run in arguments.runs:
        spec = of_networks(parse_job(read_object(run / files.SPEC, InvalidSpec)))
        images, labels = export.test_images(spec)
        print(f"{spec.name}, {spec.input_size} pixels, {len(images):,} test images:\n")
        shown = export.shown_images(spec)
        whole = len(shown) // BATCH * BATCH  # Histograms take batches of one size alone.
        rows = compare(load(run / "winner"), shown[:whole], images, labels, WAYS)
        report.print_table(COLUMNS, rows)
    for name in arguments.published:
        architecture = published(name)
        print(f"{name}, random weights, {architecture.input_size} pixels:\n")
        noise = torch.randn(32, 3, architecture.input_size, architecture.input_size)
        rows = compare(build(architecture).eval(), noise, noise, torch.zeros(32), {"as exported": {}})
        report.print_table(COLUMNS, ([*row[:1], "", "", "", *row[4:]] for row in rows))


def compare(
    model: nn.Module, shown: Tensor, images: Tensor, labels: Tensor, ways: Mapping[str, Mapping[str, Any]]
) -> Iterator[list[str]]:
    """A row for the network in full precision, and one for each way."""
    with tempfile.TemporaryDirectory() as folder:
        paths = {"full precision": Path(folder) / "model.onnx"}
        write_onnx(model, images[:2], paths["full precision"])
        seconds = {"full precision": 0.0}
        for way, otherwise in ways.items():
            paths[way] = Path(folder) / f"{way}.onnx"
            began = time.perf_counter()
            with contextlib.redirect_stdout(io.StringIO()):  # The histograms of calibration talk.
                write_int8(paths["full precision"], shown, paths[way], {**OPTIONS, **otherwise})
            seconds[way] = time.perf_counter() - began
        took = time_onnx(paths, images[:1])
        expected = run_onnx(paths["full precision"], images)
        for way, path in paths.items():
            found = run_onnx(path, images)
            error = np.sqrt(np.mean((found - expected) ** 2)) / expected.std()
            yield [
                way,
                f"{accuracy(found, labels):.2%}",
                f"{Difference.between(expected, found).same_answers:.2%}",
                f"{error:.3f}",
                f"{path.stat().st_size / 1e3:,.0f}",
                f"{took[way].median_ms:.3f}",
                f"{took[way].p95_ms:.3f}",
                f"{seconds[way]:.1f}",
            ]


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="*", metavar="RUN")
    parser.add_argument("--published", nargs="*", default=[], metavar="NAME", help="such as dna-a")
    return parser.parse_args(argv)


if __name__ == "__main__":
    main()
