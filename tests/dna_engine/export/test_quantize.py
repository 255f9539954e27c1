"""8 bits are those of the training images, and always the same."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, numpy_helper

from dna_engine.export.onnx_file import run_onnx, write_onnx
from dna_engine.export.quantize import write_int8
from dna_engine.training.network import build
from tests.dna_engine.runs import TINY_NETWORK


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.randn(64, 3, 16, 16, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, images: torch.Tensor) -> Path:
    path = tmp_path_factory.mktemp("network") / "model.onnx"
    torch.manual_seed(0)
    write_onnx(build(TINY_NETWORK).eval(), images[:2], path)
    return path


def test_the_same_images_give_the_same_bytes_and_others_others(
    tmp_path: Path, whole: Path, images: torch.Tensor
) -> None:
    made = []
    for number, shown in enumerate((images, images, 3 * images)):
        write_int8(whole, shown, tmp_path / f"{number}.onnx")
        made.append((tmp_path / f"{number}.onnx").read_bytes())
    assert made[0] == made[1] != made[2]
    assert {path.name for path in whole.parent.iterdir()} == {"model.onnx"}


def test_weights_have_a_scale_for_every_channel_and_7_bits(tmp_path: Path, whole: Path, images: torch.Tensor) -> None:
    write_int8(whole, images, tmp_path / "small.onnx")
    model = onnx.load(tmp_path / "small.onnx")
    weights = {held.name: numpy_helper.to_array(held) for held in model.graph.initializer}
    kernels = {name: value for name, value in weights.items() if name.endswith("weight_quantized")}
    convolutions = Counter(node.op_type for node in model.graph.node)["Conv"]
    assert len(kernels) == convolutions + 1, "and the classifier"
    for name, value in kernels.items():
        assert value.dtype == np.int8
        assert np.abs(value.astype(int)).max() <= 64
        assert weights[name.replace("_quantized", "_scale")].size in value.shape
    kinds = {held.data_type for held in model.graph.initializer if held.name.endswith("weight")}
    assert TensorProto.FLOAT not in kinds
    difference = run_onnx(tmp_path / "small.onnx", images) - run_onnx(whole, images)
    assert 0 < np.sqrt(np.mean(difference**2)) < 0.1 * run_onnx(whole, images).std()
