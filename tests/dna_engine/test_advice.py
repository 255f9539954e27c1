"""What is warned of, and that the presets and the paper's own set-up are not."""

from __future__ import annotations

from typing import Any

import pytest

from dna_engine.advice import advice, advice_on_training
from dna_engine.catalogue import catalogue
from dna_engine.images.info import DIGITS, DatasetInfo
from dna_engine.space import SPACES
from dna_engine.space.architecture import published
from dna_engine.spec import SearchSpec, TeacherSpec, TrainingSpec, resolve, resolve_training

PHOTOS = DatasetInfo(
    name="photos", kind="upload", location="f", num_classes=5, num_train=240, num_test=60, image_size=224
)


def told(**fields: Any) -> list[str]:
    return advice(resolve(SearchSpec.model_validate({"dataset": "digits", **fields}), DIGITS))


@pytest.mark.parametrize(
    ("space", "teacher"),
    [
        (None, None),
        ("mbconv-small", "resnet18"),
        ("dna-mbconv", "tf_efficientnet_b7"),
        ("dna-mbconv-single", "tf_efficientnet_b7"),
    ],
)
def test_what_the_method_means_is_not_warned_of(space: str | None, teacher: str | None) -> None:
    assert told(space=space, teacher={"model": teacher}) == []


def of_width(*widths: int) -> dict[str, Any]:
    space = SPACES["mbconv-small"].to_json()
    for block, width in zip(space["blocks"], widths, strict=True):
        block["cells"] = [{"depth": 2, "width": width}]
    return space


def test_cells_much_narrower_than_the_teacher() -> None:
    said = told(space=of_width(8, 24, 64), teacher={"model": "resnet50"})
    assert [sentence[:7] for sentence in said] == ["Block 1", "Block 2"]
    assert "cells of 8 channels for the 256 of resnet50" in said[0]
    assert "Take cells of 16 or more" in said[0]


def test_the_width_it_asks_for_is_enough() -> None:
    assert told(space=of_width(16, 32, 64), teacher={"model": "resnet50"}) == []


def test_no_default_space_is_warned_of() -> None:
    for teacher in catalogue().values():
        spec = resolve(SearchSpec(dataset="digits", teacher=TeacherSpec(model=teacher.name), input_size=224), PHOTOS)
        assert advice(spec) == [], teacher.name


def test_a_cut_inside_a_stage() -> None:
    (said,) = told(space="mbconv-small", teacher={"model": "resnet18", "boundaries": ["layer1", "layer2.0", "layer3"]})
    assert said.startswith("Block 2 ends at layer2.0, inside a stage of resnet18")
    assert said.endswith("The stages end at layer1, layer2, layer3, layer4.")


def told_of_training(dataset: DatasetInfo, **fields: Any) -> list[str]:
    spec = TrainingSpec.model_validate({"architecture": "any", "dataset": dataset.name, **fields})
    return advice_on_training(resolve_training(spec, published("dna-a", input_size=64), dataset))


def test_a_training_on_images_that_are_shrunk_or_fewer_than_a_batch_is_warned_of() -> None:
    (shrunk,) = told_of_training(PHOTOS)
    assert shrunk.startswith("Images of 224 pixels are shrunk to 64")
    assert told_of_training(PHOTOS, input_size=160) == []
    (few,) = told_of_training(PHOTOS, input_size=160, batch_size=241)
    assert few.startswith("A batch of 241 is more than the 240 training images")


@pytest.mark.parametrize(
    ("resize", "says"),
    [
        (
            "crop",
            "the square in the middle is 20% of one, the rest is never seen. Take resize pad or squash (--resize).",
        ),
        ("pad", "become squares with the background beside them"),
        (None, "become squares with their sides made equal"),
    ],
)
def test_how_long_pictures_become_squares_is_told(resize: str | None, says: str) -> None:
    long = PHOTOS.model_copy(update={"aspect_ratios": (5.0, 5.0, 5.0)})
    (said,) = told_of_training(long, input_size=160, resize=resize)
    assert said.startswith("Most pictures are 5.0 times as long as wide")
    assert says in said
    assert said in advice(resolve(SearchSpec.model_validate({"dataset": "photos", "resize": resize}), long))


@pytest.mark.parametrize(
    ("side", "ratio", "resize", "told"),
    [(112, 1.0, None, False), (111, 1.0, None, True), (64, 5.0, "crop", True), (64, 5.0, "pad", False), (64, 5.0, "squash", False)],
)  # fmt: skip
def test_pictures_that_are_enlarged_by_more_than_two(side: int, ratio: float, resize: str | None, told: bool) -> None:
    small = PHOTOS.model_copy(update={"image_size": side, "aspect_ratios": 3 * (ratio,)})
    said = advice(resolve(SearchSpec.model_validate({"dataset": "photos", "resize": resize}), small))
    assert any(sentence.startswith("Most pictures are enlarged ") for sentence in said) == told
    assert not any("enlarged" in sentence for sentence in told_of_training(small, resize=resize)), "at 64 pixels"
