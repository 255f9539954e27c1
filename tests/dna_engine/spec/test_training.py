"""The spec of a training: the network is made to fit the dataset, what is left open is filled in."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from dna_engine import defaults
from dna_engine.errors import InvalidSpec
from dna_engine.images.info import DIGITS, DatasetInfo
from dna_engine.images.pictures.pixels import Look, preprocessing
from dna_engine.space.architecture import Architecture, published
from dna_engine.spec import (
    AnswersSpec,
    RecipeSpec,
    ResolvedSpec,
    ResolvedTraining,
    SearchSpec,
    TrainingSpec,
    parse_job,
    resolve,
    resolve_training,
)
from dna_engine.spec.numbers import NumbersSpec
from dna_engine.spec.parts import StoppingSpec
from dna_engine.training.recipe import Recipe

BIRDS = DatasetInfo(
    name="birds",
    kind="folder",
    location="/birds",
    num_classes=3,
    num_train=50_000,
    num_test=90,
    image_size=300,
    class_names=["jay", "kite", "wren"],
)
NETWORK = published("dna-a")


def resolved(dataset: DatasetInfo = BIRDS, **fields: Any) -> ResolvedTraining:
    spec = TrainingSpec.model_validate({"dataset": dataset.name, "architecture": "arch_1", **fields})
    return resolve_training(spec, NETWORK, dataset)


def test_only_dataset_and_architecture_are_required() -> None:
    spec = resolved()
    assert (spec.job, spec.name, spec.start) == ("training", "birds, 30 epochs", "scratch")
    assert resolved(epochs=1).name == "birds, 1 epoch"
    assert (spec.epochs, spec.batch_size, spec.learning_rate) == (30, 64, defaults.LEARNING_RATE)
    assert (spec.recipe, spec.augment, spec.flip, spec.seed, spec.labels) == ("quick", True, True, 0, {})
    for given, says in (
        ("dataset", r"architecture\n *Name the network"),
        ("architecture", r"dataset\n *Field required"),
    ):
        with pytest.raises(ValidationError, match=says):
            TrainingSpec.model_validate({given: "birds"})


def test_the_network_gets_the_classes_of_the_dataset_and_stays_what_it_is() -> None:
    fitted = Architecture.from_json(resolved().architecture)
    assert (NETWORK.num_classes, fitted.num_classes) == (1_000, 3)
    assert fitted.with_classes(1_000) == NETWORK


@pytest.mark.parametrize(("asked", "size"), [(None, 224), (160, 160)])
def test_the_input_is_the_networks_own_or_as_asked_for(asked: int | None, size: int) -> None:
    spec = resolved(input_size=asked)
    assert spec.input_size == Architecture.from_json(spec.architecture).input_size == size
    assert spec.architecture["preprocessing"] == preprocessing(size, ["jay", "kite", "wren"])


def test_few_images_are_passed_over_more_often_in_smaller_batches() -> None:
    few = resolved(BIRDS.model_copy(update={"num_train": 240}))
    assert (few.epochs, few.batch_size, few.learning_rate) == (100, 16, defaults.LEARNING_RATE / 2)


def test_signs_are_not_mirrored_unless_that_is_asked_for() -> None:
    assert not resolved(DIGITS).flip
    assert resolved(DIGITS, flip=True).flip
    assert not resolved(flip=False).flip


def test_what_was_asked_for_is_kept() -> None:
    asked: dict[str, Any] = {
        "name": "once more",
        "epochs": 7,
        "batch_size": 8,
        "learning_rate": 0.5,
        "recipe": "paper",
        "weight_decay": 0.25,
        "label_smoothing": 0.0,
        "augment": False,
        "seed": 5,
        "labels": {"team": "vision"},
    }
    spec = resolved(**asked).model_dump()
    assert {name: spec[name] for name in asked} == asked


def test_one_network_is_trained_on_all_images_by_its_own_recipe() -> None:
    spec = resolved(epochs=3)
    assert spec.networks == ("network",)
    assert spec.given == {"network": spec.architecture}
    assert spec.held_out == 0
    assert spec.recipe_of_networks.epochs == 3


def test_a_resolved_training_survives_json_and_stays_as_it_is() -> None:
    spec = resolved(input_size=64, labels={"team": "vision"})
    assert ResolvedTraining.model_validate_json(spec.model_dump_json()) == spec
    assert parse_job(spec.model_dump(mode="json")) == spec


@pytest.mark.parametrize("fields", [{"input_size": 8}, {"start": "winner"}, {"space": "mbconv-small"}, {"epochs": 0}])
def test_fields_that_make_no_sense_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        resolved(**fields)


def search(dataset: DatasetInfo = BIRDS, **fields: Any) -> ResolvedSpec:
    asked = {
        "dataset": dataset.name,
        "space": "dna-mbconv",
        "teacher": {"model": "tf_efficientnet_b7", "weights": "train"},
    }
    return resolve(SearchSpec.model_validate(asked | fields), dataset)


def of_search(found_by: ResolvedSpec, dataset: DatasetInfo = BIRDS, **fields: Any) -> ResolvedTraining:
    spec = TrainingSpec.model_validate({"dataset": dataset.name, "architecture": "arch_1", **fields})
    return resolve_training(spec, NETWORK, dataset, found_by)


def test_from_scratch_it_takes_nothing_of_the_search() -> None:
    assert of_search(search()) == resolved()
    assert resolved().inherited_from == ()


def test_a_network_begins_with_the_cells_that_its_search_has_distilled() -> None:
    found_by = search()
    spec = of_search(found_by, dataset=DIGITS, start="inherited")  # On other images and classes.
    assert (spec.start, spec.parsed_space, spec.teacher) == ("inherited", found_by.parsed_space, None)
    chosen = [(ref.block, ref.cell) for ref in spec.inherited_from]
    assert chosen == [(number, block.cell) for number, block in enumerate(NETWORK.blocks, start=1)]
    assert ResolvedTraining.model_validate_json(spec.model_dump_json()) == spec


def test_it_may_take_the_head_of_a_teacher_of_the_same_classes() -> None:
    found_by = search(teacher={"model": "resnet18", "weights": "train"}, space=None)
    same, other = (of_search(found_by, dataset=images, start="inherited") for images in (BIRDS, DIGITS))
    assert (same.teacher and same.teacher.model, same.head_from_teacher) == ("resnet18", True)
    assert (other.teacher, other.head_from_teacher) == (None, False)


def test_it_learns_from_the_teacher_of_its_search_where_the_classes_are_the_same() -> None:
    found_by = search()
    spec = of_search(found_by, distill={"weight": 0.25})
    assert spec.distill == AnswersSpec(weight=0.25, temperature=4.0)
    assert (spec.teacher and spec.teacher.model, spec.space) == (found_by.teacher.model, None)
    made = Recipe.of(spec)
    assert (made.teacher_weight, made.temperature) == (0.25, 4.0)
    more = BIRDS.model_copy(update={"name": "more birds", "location": "/more", "num_train": 90_000})
    assert of_search(found_by, dataset=more, distill={}).teacher == spec.teacher


@pytest.mark.parametrize(
    ("found_by", "fields", "words", "param"),
    [
        (None, {"start": "inherited"}, "No search is known that found this network", "start"),
        (None, {"distill": {}}, "No search is known that found this network", "distill"),
        (search(training={"width": "teacher"}), {"start": "inherited"}, "nothing can be inherited", "start"),
        (search(DIGITS), {"distill": {}}, "classes of digits, which are not those of birds", "distill"),
        (search(teacher={"weights": "pretrained"}), {"distill": {}}, "with the classes of ImageNet", "distill"),
    ],
)
def test_what_its_search_does_not_have_is_refused(
    found_by: ResolvedSpec | None, fields: dict[str, Any], words: str, param: str
) -> None:
    spec = TrainingSpec.model_validate({"dataset": "birds", "architecture": "arch_1", **fields})
    with pytest.raises(InvalidSpec, match=words) as caught:
        resolve_training(spec, NETWORK, BIRDS, found_by)
    assert caught.value.param == param


def test_the_teacher_sees_images_at_the_size_of_its_search_whatever_the_networks() -> None:
    for model, size in (("vit_small_patch16_224", 224), ("tf_efficientnet_b7", 96)):
        found_by = search(teacher={"model": model, "weights": "train"}, space=None, input_size=size)
        spec = of_search(found_by, distill={}, input_size=64)
        assert spec.teacher == found_by.teacher.model_copy(update={"input_size": size})


def test_a_pretrained_teacher_answers_for_imagenet_itself() -> None:
    names = [f"n{number:08}" for number in range(1000)]
    whole = BIRDS.model_copy(update={"name": "imagenet", "class_names": names, "num_classes": 1000})
    spec = search(whole, teacher={"weights": "pretrained"}, retrain={"distill": {}})
    assert spec.retrain.distill == AnswersSpec()
    with pytest.raises(InvalidSpec, match="classes of ImageNet, not with those of birds") as caught:
        search(teacher={"weights": "pretrained"}, retrain={"distill": {}})
    assert caught.value.param == "retrain.distill"


def test_the_papers_recipe_says_its_own_numbers_and_takes_others() -> None:
    spec = resolved(recipe="paper", batch_size=256)
    assert (spec.learning_rate, spec.weight_decay, spec.label_smoothing) == (0.016, 1e-5, 0.1)
    assert (spec.optimizer, spec.autoaugment, spec.ema_decay) == ("rmsproptf", True, 0.9998)
    made = Recipe.of(spec)
    assert (made.learning_rate, made.weight_decay, made.label_smoothing) == (0.016, 1e-5, 0.1)
    asked = {"weight_decay": 0.1, "label_smoothing": 0.0, "autoaugment": False, "optimizer": "lamb", "drop_path": 0.3}
    changed = resolved(recipe="paper", batch_size=2048, **asked)
    assert {name: getattr(changed, name) for name in asked} == asked
    assert (changed.learning_rate, changed.dropout) == (0.005, 0.2)


@pytest.mark.parametrize(
    ("fields", "param", "says"),
    [
        ({"recipe": "paper", "randaugment": 8}, "randaugment", "take autoaugment false, or randaugment 0"),
        ({"recipe": "modern", "autoaugment": True}, "autoaugment", "one policy"),
        ({"augment": False, "mixup": 0.2}, "mixup", "leave mixup out, or take augment true"),
        ({"epochs": 3, "warmup_epochs": 4}, "warmup_epochs", "There are 3 epochs"),
        ({"batch_size": 4, "repeats": 5}, "repeats", "A batch has 4 images"),
    ],
)
def test_numbers_that_cannot_be_together_are_refused(fields: dict[str, Any], param: str, says: str) -> None:
    with pytest.raises(InvalidSpec, match=says) as caught:
        resolved(**fields)
    assert caught.value.param == param
    search = SearchSpec.model_validate(
        {
            "dataset": "digits",
            "augment": fields.get("augment", True),
            "retrain": {k: v for k, v in fields.items() if k != "augment"},
        }
    )
    with pytest.raises(InvalidSpec, match=says) as caught:
        resolve(search, DIGITS)
    assert caught.value.param == f"retrain.{param}"


def test_images_that_are_to_stay_as_they_are_are_changed_by_no_recipe() -> None:
    spec = resolved(recipe="modern", augment=False)
    assert (spec.randaugment, spec.random_erasing, spec.mixup, spec.drop_path) == (0, 0, 0, 0.1)
    assert (
        resolved(**(spec.model_dump(include={*RecipeSpec.model_fields, "augment"}))).model_dump() == spec.model_dump()
    )


def test_a_training_that_was_kept_by_a_version_of_few_numbers_is_read() -> None:
    kept = resolved(epochs=20).model_dump(mode="json", exclude=set(NumbersSpec.model_fields))
    kept |= {
        "recipe": "adamw",
        "learning_rate": 0.01,
        "weight_decay": 0.2,
        "label_smoothing": 0.0,
        "sampling": "by_class",
    }
    read = parse_job(kept).recipe_of_networks
    assert read.recipe == "quick"
    assert Recipe.of(read) == Recipe(
        epochs=20, learning_rate=0.01, weight_decay=0.2, label_smoothing=0.0, warmup_epochs=2.0, sampling="by_class"
    )
    published = Recipe.of(parse_job(kept | {"recipe": "paper"}).recipe_of_networks)
    assert (published.optimizer, published.ema_decay, published.autoaugment) == ("rmsproptf", 0.9998, False)


def test_images_are_held_out_to_stop_by() -> None:
    assert (resolved().held_out, resolved().early_stopping) == (0, None)
    left_open = resolved(early_stopping={})
    tenth = BIRDS.num_train // 10
    assert left_open.early_stopping == StoppingSpec(patience=10, images=min(tenth, 2048))
    assert left_open.held_out == min(tenth, 2048)
    assert resolved(early_stopping={"patience": 3, "images": 50}).held_out == 50
    assert Recipe.of(resolved(early_stopping={"patience": 3})).patience == 3
    assert resolved(BIRDS.model_copy(update={"num_val": 200}), early_stopping={}).held_out == 200
    for images, dataset in ((BIRDS.num_train, BIRDS), (300, BIRDS.model_copy(update={"num_val": 200}))):
        with pytest.raises(InvalidSpec, match="to stop by") as caught:
            resolved(dataset, early_stopping={"images": images})
        assert caught.value.param == "early_stopping.images"


def test_a_search_stops_by_its_rating_images() -> None:
    spec = search(DIGITS, retrain={"early_stopping": {"patience": 4}}, rating={"images": 99})
    assert spec.retrain.early_stopping == StoppingSpec(patience=4, images=99)
    with pytest.raises(InvalidSpec, match="holds 99 images out for rating") as caught:
        search(DIGITS, retrain={"early_stopping": {"images": 50}}, rating={"images": 99})
    assert caught.value.param == "retrain.early_stopping.images"


def test_how_pictures_become_squares_is_said_to_the_network_too() -> None:
    long = BIRDS.model_copy(update={"aspect_ratios": (4.8, 5.0, 5.2), "white": 4_095})
    assert resolved(long).resize == "squash"
    assert resolved(long).architecture["preprocessing"] == preprocessing(
        224, BIRDS.class_names, Look("squash", "white", 4_095)
    )
    asked = resolved(long, resize="pad", background="#101010", sampling="by_class")
    assert asked.look == Look("pad", "#101010", 4_095)
    assert asked.architecture["preprocessing"] == preprocessing(224, BIRDS.class_names, asked.look)
    assert asked.sampling == "by_class"


def test_every_device_has_two_images_of_a_batch_at_least() -> None:
    assert resolved().devices == 1
    assert resolved(devices=2, batch_size=4).devices == 2
    with pytest.raises(InvalidSpec, match="of batches of 4 take at most 2 devices") as caught:
        resolved(devices=3, batch_size=4)
    assert caught.value.param == "devices"
    with pytest.raises(InvalidSpec, match="devices") as caught:
        resolve(SearchSpec.model_validate({"dataset": "digits", "retrain": {"devices": 9, "batch_size": 16}}), DIGITS)
    assert caught.value.param == "retrain.devices"
