"""Files of weights that strangers send: known by their header, whatever else they hold."""

from __future__ import annotations

import io
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save
from torch import Tensor

from dna_engine.catalogue import catalogue
from dna_engine.errors import TeacherError, UnknownName
from dna_engine.weights import count_classes, expected, normalisation
from tests.dna_engine.blockwise.models import random_model


def weights(classes: int = 7, **changed: Tensor) -> dict[str, Tensor]:
    return random_model("resnet10t", num_classes=classes).state_dict() | changed


def file(tensors: dict[str, Tensor]) -> io.BytesIO:
    return io.BytesIO(save(tensors))


def raw(header: bytes, rest: bytes = b"") -> io.BytesIO:
    return io.BytesIO(len(header).to_bytes(8, "little") + header + rest)


def test_the_classifier_tells_the_number_of_classes() -> None:
    assert count_classes("resnet10t", file(weights(7))) == 7
    assert (
        count_classes("resnet10t.c3_in1k", file({name: tensor.half() for name, tensor in weights(1000).items()}))
        == 1000
    )


def test_a_classifier_of_two_parts() -> None:
    model = random_model("deit_tiny_distilled_patch16_224", num_classes=5)
    assert count_classes("deit_tiny_distilled_patch16_224", file(model.state_dict())) == 5


def test_counters_of_batch_norms_may_be_missing() -> None:
    kept = {name: tensor for name, tensor in weights().items() if not name.endswith("num_batches_tracked")}
    assert count_classes("resnet10t", file(kept)) == 7


@pytest.mark.parametrize(
    ("dropped", "added", "says"),
    [
        ("conv1.0.weight", {}, "resnet10t; missing: conv1.0.weight."),
        ("", {"optimizer.step": torch.zeros(1)}, "resnet10t; surplus: optimizer.step."),
        (
            "",
            {"layer1.0.conv1.weight": torch.zeros(64, 64, 5, 5)},
            "layer1.0.conv1.weight has the shape [64, 64, 5, 5], not [64, 64, 3, 3].",
        ),
        ("fc.bias", {"fc.bias": torch.zeros(8)}, "fc.bias has the shape [8], not [7]."),
        ("fc.weight", {}, "it has no classifier (fc)."),
        ("conv1.0.weight", {"head": torch.zeros(2)}, "missing: conv1.0.weight; surplus: head."),
    ],
)
def test_wrong_missing_and_surplus_tensors_are_named(dropped: str, added: dict[str, Tensor], says: str) -> None:
    kept = {name: tensor for name, tensor in weights().items() if name != dropped} | added
    with pytest.raises(TeacherError) as caught:
        count_classes("resnet10t", file(kept))
    assert caught.value.message.startswith("The file does not hold the weights of resnet10t; ")
    assert caught.value.message.endswith(says)
    assert caught.value.param == "file"


def test_another_model_is_told_shortly() -> None:
    with pytest.raises(TeacherError, match=r"missing: .* and \d+ more; surplus: .* and \d+ more") as caught:
        count_classes("resnet18", file(weights()))
    assert len(caught.value.message) < 1000


def test_no_such_model() -> None:
    with pytest.raises(UnknownName):
        count_classes("resnet10", file(weights()))


class Bomb:
    def __reduce__(self) -> Any:
        return (pytest.fail, ("A pickle was read.",))


def test_pickles_are_refused_unread(tmp_path: Path) -> None:
    torch.save({"weights": weights()}, tmp_path / "model.pt")
    for held, name in (
        (io.BytesIO((tmp_path / "model.pt").read_bytes()), "anything"),
        (io.BytesIO(pickle.dumps(Bomb())), "anything"),
        (file(weights()), "model.bin"),
    ):
        with pytest.raises(TeacherError, match=r"Only safetensors are read: .* safetensors.torch.save_file"):
            count_classes("resnet10t", held, name)


ONE = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    ("held", "says"),
    [
        (io.BytesIO(b""), "cut off"),
        (io.BytesIO(b"1234"), "cut off"),
        (io.BytesIO(b"\xff" * 16), "cut off or too long"),
        (raw(b"[]"), "none"),
        (raw(b"[" * 100_000), "none"),
        (raw(b'{"a": 1}'), "none"),
        (raw(b'{"a": {}, "a": {}}'), "stands twice"),
        (raw(json.dumps({"a": ONE}).encode()), "its tensors have 8 bytes, the file 0"),
        (raw(json.dumps({"a": ONE}).encode(), bytes(9)), "its tensors have 8 bytes, the file 9"),
        (raw(json.dumps({"a": ONE, "b": ONE}).encode(), bytes(8)), "does not lie behind"),
        (raw(json.dumps({"a": ONE | {"shape": [3]}}).encode(), bytes(8)), "not as large as its shape"),
        (raw(json.dumps({"a": ONE | {"shape": [-2]}}).encode(), bytes(8)), "no shape or place"),
        (raw(json.dumps({"a": ONE | {"shape": [2.0]}}).encode(), bytes(8)), "no shape or place"),
        (raw(json.dumps({"a": ONE | {"dtype": "F8"}}).encode(), bytes(8)), "of the type F8"),
    ],
)
def test_what_is_no_such_file(held: io.BytesIO, says: str) -> None:
    with pytest.raises(TeacherError, match="is no safetensors file") as caught:
        count_classes("resnet10t", held)
    assert says in caught.value.message


def test_every_model_has_a_classifier_and_a_normalisation() -> None:
    for name in catalogue():
        assert all(f"{head}.weight" in expected(name).shapes for head in expected(name).classifiers), name
    assert (
        normalisation("resnet50") == normalisation("resnet50.a1_in1k") == ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    )
    assert normalisation("efficientnet_b1.ra4_e3600_r240_in1k") == ([0.5] * 3, [0.5] * 3)


@pytest.mark.parametrize(
    ("name", "shape", "says"),
    [
        ("a", [9] * 250_000, "has 250,000 sides"),
        ("\\ud800x", [1], "cannot be shown"),
        ("a\\u0000b", [1], "cannot be shown"),
    ],
)
def test_headers_that_would_cost_much_or_cannot_be_answered(name: str, shape: list[int], says: str) -> None:
    header = f'{{"{name}": {{"dtype": "F32", "shape": {json.dumps(shape)}, "data_offsets": [0, 4]}}}}'
    with pytest.raises(TeacherError, match=says):
        count_classes("resnet10t", raw(header.encode(), bytes(4)))


@pytest.mark.parametrize("classes", [0, 1])
def test_a_classifier_answers_with_two_classes_at_least(classes: int) -> None:
    few = {"fc.weight": torch.zeros(classes, 512), "fc.bias": torch.zeros(classes)}
    with pytest.raises(TeacherError, match="no classifier"):
        count_classes("resnet10t", file(weights() | few))
