"""Networks from files, whatever else lies beside them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from serving import local
from serving.network import Precision, Wanted


@pytest.mark.parametrize("how", [{}, {"size": 32}, {"classes": None}, "crop"])
def test_a_description_that_names_no_classes_is_of_something_else(tmp_path: Path, how: Any) -> None:
    onnx = tmp_path / "model.onnx"
    onnx.write_bytes(b"onnx")
    onnx.with_suffix(".json").write_text(json.dumps({"preprocessing": how}))
    assert local.load(Wanted(str(onnx), Precision.FP32)).how is None
    own = {"classes": ["owl", "wren"]}
    (tmp_path / "architecture.json").write_text(json.dumps({"preprocessing": own}))
    assert local.load(Wanted(str(onnx), Precision.FP32)).how == own
