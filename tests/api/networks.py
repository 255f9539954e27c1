"""A network that is made in a moment: for tests of what is done with ONNX files."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper, numpy_helper


def onnx_of_colours(classes: int, size: int | None = None, *, batch: int | None = None) -> bytes:
    """A linear classifier of the mean of each channel, as the exporter names its input and output.

    Args:
        size: height and width of the images; None: any.
        batch: images at a time; None: any number.
    """
    random = np.random.default_rng(classes)
    weights = {
        "axes": np.array([2, 3]),
        "weight": random.normal(size=(3, classes)).astype(np.float32),
        "bias": random.normal(size=classes).astype(np.float32),
    }
    nodes = [
        helper.make_node("ReduceMean", ["images", "axes"], ["colours"], keepdims=0),
        helper.make_node("Gemm", ["colours", "weight", "bias"], ["logits"]),
    ]
    images = helper.make_tensor_value_info(
        "images", TensorProto.FLOAT, [batch or "batch", 3, size or "height", size or "width"]
    )
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, [batch or "batch", classes])
    held = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "colours", [images], [logits], held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    content: bytes = model.SerializeToString()
    return content
