"""An ONNX file in 8 bits: a third of the size, weights per channel, activations within the ranges that images show.

Static, as pairs of QuantizeLinear and DequantizeLinear. What computes is in 8 bits, convolutions and linear layers; what is between
them, SiLU and the sums of residuals, stays in float32, which was nearer to the trained networks on all that were tried
(docs/benchmarks.md). Weights take 7 of the 8 bits: on processors without VNNI sums of 8 bits overflow, and the accuracy that is
measured here would not hold there.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import Tensor

BATCH = 32
#: Of onnxruntime's ``quantize_static``; ``reduce_range`` are the 7 bits.
OPTIONS: Mapping[str, Any] = {
    "quant_format": QuantFormat.QDQ,
    "op_types_to_quantize": ["Conv", "Gemm", "MatMul"],
    "per_channel": True,
    "reduce_range": True,
    "activation_type": QuantType.QUInt8,
    "weight_type": QuantType.QInt8,
    "calibrate_method": CalibrationMethod.MinMax,
}


def write_int8(onnx: Path, images: Tensor, path: Path, options: Mapping[str, Any] = OPTIONS) -> None:
    """Writes ``path``, with the input and output of ``onnx``; the same images (N, 3, S, S) give the same bytes."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        shaped = Path(folder) / "shaped.onnx"
        # Without onnxruntime's own optimisations: torch has folded the batch norms, and they would name operators that old runtimes lack.
        quant_pre_process(onnx, shaped, skip_optimization=True, skip_symbolic_shape=True)
        quantize_static(shaped, path, _Calibration(images), **options)


class _Calibration(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, images: Tensor) -> None:
        self._batches: Iterator[Tensor] = iter(torch.split(images, BATCH))

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        batch = next(self._batches, None)
        return None if batch is None else {"images": batch.numpy()}
