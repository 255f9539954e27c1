"""A whole search in spaces of other layers than the MBConv, from the teacher to the files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dna_engine import pipeline
from dna_engine.plans import Kind, files, plan_of
from dna_engine.plans.results import Exported
from dna_engine.space import get_space
from dna_engine.space.architecture import Architecture
from dna_engine.training.network import load
from tests.dna_engine.runs import context, tiny_spec

#: Small ones, so that there are few paths to rate: the layers, stem, head and activation are the preset's.
BLOCKS = [
    {"stride": 2, "cells": [{"depth": 2, "width": 16}, {"depth": 1, "width": 24}]},
    {"stride": 2, "cells": [{"depth": 1, "width": 24}]},
    {"stride": 2, "cells": [{"depth": 1, "width": 32}]},
]


@pytest.mark.parametrize("name", ["fused-small", "mobilenetv4"])
def test_a_network_of_other_layers_is_found_trained_from_its_blocks_and_exported(name: str, tmp_path: Path) -> None:
    preset: dict[str, Any] = get_space(name).to_json()
    retrain = {"epochs": 1, "batch_size": 128, "start": "inherited", "control": False}
    spec = tiny_spec(space=preset | {"blocks": BLOCKS}, retrain=retrain, rating={"images": 64}, select={"finalists": 0})
    where, _ = context(tmp_path)
    for step in plan_of(spec).all_steps():
        if step.kind is not Kind.PICTURES:  # They show nothing of the layers.
            pipeline.run_step(spec, step, where)
    folder = tmp_path / "winner"
    described = json.loads((folder / files.ARCHITECTURE).read_text())
    network = Architecture.from_json(described)
    assert described["format"] == "dna-architecture/3"
    assert network.activation == preset.get("activation", "silu")
    assert network.arch_def() == described["timm"]["arch_def"]
    exported = Exported.model_validate_json((folder / files.EXPORT).read_text())
    assert exported.warning is None
    assert exported.counted == exported.predicted
    assert set(exported.relative_difference) == {"safetensors", "onnx", "onnx-int8"}
    assert type(load(folder).bn1.act).__name__ == {"fused-small": "SiLU", "mobilenetv4": "ReLU"}[name]
