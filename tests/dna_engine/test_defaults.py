"""Defaults by the number of images: few images get more passes and smaller batches, many the paper's."""

from __future__ import annotations

import itertools

import pytest

from dna_engine import defaults
from dna_engine.images.info import DIGITS, DatasetInfo
from dna_engine.spec import ResolvedSpec, SearchSpec, resolve


def photos(num_train: int) -> DatasetInfo:
    return DatasetInfo(
        name="photos", kind="upload", location="f", num_classes=5, num_train=num_train, num_test=60, image_size=224
    )


def resolved(num_train: int, **fields: object) -> ResolvedSpec:
    return resolve(SearchSpec.model_validate({"dataset": "photos", **fields}), photos(num_train))


@pytest.mark.parametrize(
    ("images", "batch", "epochs"),
    [(7, 16, (48, 80, 100)), (240, 16, (48, 80, 100)), (625, 32, (24, 40, 50)), (1_437, 64, (12, 20, 25)),
     (50_000, 64, (20, 20, 30))],
)  # fmt: skip
def test_few_images_are_passed_over_more_often_in_smaller_batches(
    images: int, batch: int, epochs: tuple[int, int, int]
) -> None:
    spec = resolved(images)
    assert {spec.teacher.batch_size, spec.training.batch_size, spec.retrain.batch_size} == {batch}
    assert (spec.teacher.epochs, spec.training.epochs, spec.retrain.epochs) == epochs


def test_no_set_is_hardly_trained_for_having_one_image_more() -> None:
    steps = [
        defaults.epochs(images).retraining * (images // defaults.batch_size(images)) for images in range(240, 6_000, 10)
    ]
    assert min(steps) > 400
    assert all(later > 0.45 * earlier for earlier, later in itertools.pairwise(steps))


def test_the_rate_follows_the_square_root_of_the_batch() -> None:
    spec = resolved(240)
    assert spec.retrain.learning_rate == spec.teacher.learning_rate == defaults.LEARNING_RATE / 2
    wide = resolved(240, retrain={"batch_size": 1_024}, teacher={"batch_size": 64})
    assert wide.retrain.learning_rate == 4 * defaults.LEARNING_RATE
    assert wide.teacher.learning_rate == defaults.LEARNING_RATE


def test_what_was_asked_for_is_kept() -> None:
    asked = {"epochs": 3, "batch_size": 8, "learning_rate": 0.5}
    spec = resolved(240, retrain=asked, teacher=asked, training=asked)
    for part in (spec.retrain, spec.teacher, spec.training):
        assert (part.epochs, part.batch_size, part.learning_rate) == (3, 8, 0.5)


def test_specs_of_before_teachers_had_a_batch_are_read() -> None:
    stored = resolve(SearchSpec(dataset="digits"), DIGITS).model_dump(mode="json")
    del stored["teacher"]["batch_size"], stored["teacher"]["learning_rate"]
    assert ResolvedSpec.model_validate(stored).teacher.batch_size == 64


@pytest.mark.parametrize(("name", "allowed"), [("digits", False), ("torch/MNIST", False), ("birds", True)])
def test_signs_are_not_mirrored_unless_that_is_asked_for(name: str, allowed: bool) -> None:
    info = photos(240).model_copy(update={"name": name, "location": "/data/digits/elsewhere"})
    assert resolve(SearchSpec(dataset=name), info).flip == allowed
    assert resolve(SearchSpec(dataset=name, flip=True), info).flip
    assert not resolve(SearchSpec(dataset=name, flip=False), info).flip


def test_a_spec_that_was_kept_before_there_was_a_choice_is_read_as_it_was_meant() -> None:
    kept = resolve(SearchSpec(dataset="digits"), DIGITS).model_dump(mode="json", exclude={"flip"})
    assert not ResolvedSpec.model_validate(kept).flip


@pytest.mark.parametrize(
    ("ratios", "resize"),
    [
        (None, "crop"),
        ((0.75, 1.33, 1.5), "crop"),
        ((1.0, 1.78, 5.0), "crop"),
        ((4.9, 5.0, 5.0), "squash"),
        ((0.2, 0.2, 0.25), "squash"),
        ((1.5, 3.0, 8.0), "pad"),
        ((0.2, 4.0, 5.0), "pad"),
    ],
)
def test_long_pictures_are_not_cut_unless_that_is_asked_for(
    ratios: tuple[float, float, float] | None, resize: str
) -> None:
    info = photos(240).model_copy(update={"aspect_ratios": ratios})
    assert resolve(SearchSpec(dataset="photos"), info).resize == resize
    assert resolve(SearchSpec(dataset="photos", resize="crop"), info).resize == "crop"


def test_pictures_that_were_seen_not_to_survive_it_are_not_mirrored_unless_that_is_asked_for() -> None:
    info = photos(240).model_copy(update={"one_way": True})
    assert not resolve(SearchSpec(dataset="photos"), info).flip
    assert resolve(SearchSpec(dataset="photos", flip=True), info).flip
