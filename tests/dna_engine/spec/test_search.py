"""The spec of a search: what is filled in, what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from dna_engine.errors import InfeasibleBudget, InvalidSpec, TeacherError, UnknownName
from dna_engine.images.info import DIGITS, DatasetInfo
from dna_engine.space import SPACES
from dna_engine.space.cost import cost_range
from dna_engine.spec import AnswersSpec, ResolvedSpec, SearchSpec, parse_job, resolve

LARGE = DatasetInfo(
    name="birds", kind="folder", location="/birds", num_classes=200, num_train=50_000, num_test=5_000, image_size=300
)


def resolved(dataset: DatasetInfo = DIGITS, **fields: Any) -> ResolvedSpec:
    return resolve(SearchSpec(dataset=dataset.name, **fields), dataset)


def test_only_the_dataset_is_required() -> None:
    spec = resolved()
    assert spec.parsed_space == SPACES["mbconv-small"]
    assert spec.input_size == 16
    assert spec.teacher.weights == "train"
    assert spec.augment
    assert spec.block_weights == [1.0, 1.0, 1.0]
    assert len(spec.teacher.boundaries) == 3
    assert spec.rating.images == 143
    assert spec.retrain.learning_rate is not None


def test_a_handful_of_images_still_has_some_to_rate_with() -> None:
    assert resolved(DIGITS.model_copy(update={"num_train": 12})).rating.images == 2


def test_images_that_are_given_to_decide_by_are_rated_by() -> None:
    given = DIGITS.model_copy(update={"num_train": 11, "num_val": 300})
    assert resolved(given).rating.images == 300
    assert resolved(given, rating={"images": 20}).rating.images == 20
    assert resolved(DIGITS.model_copy(update={"num_val": 5000})).rating.images == 2048
    with pytest.raises(InvalidSpec, match="has 300 validation images, and 301 are asked for to rate by") as caught:
        resolved(given, rating={"images": 301})
    assert caught.value.param == "rating.images"


def test_too_few_images_to_hold_some_out_are_refused_before_any_work() -> None:
    with pytest.raises(InvalidSpec, match="11 images to train with, of 10 classes: 2 are to be held out") as caught:
        resolved(DIGITS.model_copy(update={"num_train": 11}))
    assert caught.value.message.endswith("Add images.")
    assert caught.value.param == "dataset"
    with pytest.raises(InvalidSpec, match=r"Hold out at most 1,427\.$") as caught:
        resolved(rating={"images": 1428})
    assert caught.value.param == "rating.images"
    assert resolved(rating={"images": 1427}).rating.images == 1427


def test_large_images_get_the_papers_teacher_and_space() -> None:
    spec = resolved(LARGE)
    assert spec.teacher.model == "tf_efficientnet_b7"
    assert spec.teacher.weights == "pretrained"
    assert spec.teacher.boundaries == [f"blocks.{n}" for n in range(1, 7)]
    assert spec.parsed_space == SPACES["dna-mbconv"]
    assert spec.input_size == 224


@pytest.mark.parametrize(("control", "networks"), [(True, ("winner", "control")), (False, ("winner",))])
def test_it_trains_the_networks_that_it_finds_without_what_it_rates_with(
    control: bool, networks: tuple[str, ...]
) -> None:
    spec = resolved(retrain={"control": control, "epochs": 3}, rating={"images": 50})
    assert spec.networks == networks
    assert spec.given == {}
    assert spec.held_out == 50
    assert spec.recipe_of_networks.epochs == 3


def test_the_default_budget_is_the_middle_of_the_range_of_flops() -> None:
    spec = resolved()
    low, high = cost_range(spec.parsed_space, input_size=spec.input_size, num_classes=10)["flops"]
    assert spec.budget.limits == {"flops": (low + high) // 2}


def test_a_resolved_spec_survives_json_and_stays_as_it_is() -> None:
    spec = resolved(budget={"flops": 1e6, "latency_ms": 2.5}, labels={"team": "vision"})
    assert ResolvedSpec.model_validate_json(spec.model_dump_json()) == spec
    assert spec.budget.limits == {"flops": 1_000_000, "latency_ns": 2_500_000}


def test_what_was_asked_for_is_kept() -> None:
    spec = resolved(
        input_size=32,
        augment=False,
        teacher={"model": "resnet18", "epochs": 3},
        retrain={"epochs": 7, "learning_rate": 0.5, "control": False},
        training={"epochs": 9},
        rating={"images": 50},
        block_weights=[1, 2, 3],
        seed=5,
    )
    assert (spec.input_size, spec.augment, spec.seed) == (32, False, 5)
    assert (spec.teacher.model, spec.teacher.epochs) == ("resnet18", 3)
    assert (spec.retrain.epochs, spec.retrain.learning_rate, spec.retrain.control) == (7, 0.5, False)
    assert (spec.training.epochs, spec.rating.images, spec.block_weights) == (9, 50, [1, 2, 3])


def test_a_budget_below_the_smallest_network_is_refused_with_the_range() -> None:
    with pytest.raises(InfeasibleBudget) as caught:
        resolved(budget={"flops": 1000, "params": 10})
    low, high = cost_range(SPACES["mbconv-small"], input_size=16, num_classes=10)["flops"]
    error = caught.value.to_dict()
    assert error["binding"] == ["flops", "params"]
    assert error["feasible"]["flops"] == [low, high]
    assert f"{low:,}" in error["message"]


def test_unknown_names_are_refused_with_what_exists() -> None:
    for fields, param in (({"space": "mbconv"}, "space"), ({"teacher": {"model": "resnet9"}}, "teacher.model")):
        with pytest.raises(UnknownName) as caught:
            resolved(**fields)
        assert caught.value.param == param
        assert "Known:" in caught.value.message


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"block_weights": [1, 2]}, "3 blocks, 2 weights"),
        ({"teacher": {"boundaries": ["layer1"]}}, "3 blocks, 1 teacher boundaries"),
        ({"teacher": {"boundaries": ["a", "layer2", "layer3"]}}, "no boundary of resnet10t named 'a'"),
        ({"teacher": {"boundaries": ["layer1", "layer2.9", "layer3"]}}, "no boundary of resnet10t named 'layer2.9'"),
        ({"teacher": {"boundaries": ["layer1", "layer3", "layer2"]}}, "from the first to the last"),
        ({"teacher": {"boundaries": ["layer1", "layer1", "layer3"]}}, "from the first to the last"),
        ({"teacher": {"boundaries": ["layer1.0", "layer1", "layer3"]}}, "none inside another"),
        ({"teacher": {"boundaries": ["layer2", "layer3", "layer4"]}}, r"reductions \[4, 8, 16\], .* at \[8, 16, 32\]"),
        (
            {"teacher": {"model": "deit_tiny_patch16_224", "boundaries": ["blocks.1", "blocks.2", "norm"]}},
            "no boundary of deit_tiny_patch16_224 named 'norm'",
        ),
    ],
)
def test_parts_that_do_not_fit_are_refused(fields: dict[str, Any], says: str) -> None:
    with pytest.raises((InvalidSpec, TeacherError), match=says) as caught:
        resolved(**fields)
    assert caught.value.param in ("block_weights", "teacher.boundaries")


def test_boundaries_inside_a_stage_and_any_layers_of_a_transformer_are_taken() -> None:
    for model, boundaries in (
        ("resnet18", ["layer1.0", "layer2", "layer3.0"]),
        ("deit_tiny_patch16_224", ["blocks.0", "blocks.5", "blocks.6"]),
    ):
        assert resolved(teacher={"model": model, "boundaries": boundaries}).teacher.boundaries == boundaries


def test_more_paths_than_can_be_rated_are_refused() -> None:
    """Three cells of eight layers with sixteen ops: 13 thousand million paths, years of rating."""
    space: dict[str, Any] = {
        "blocks": [{"stride": 2, "cells": [{"depth": 8, "width": 24}]}] * 3,
        "ops": [{"name": f"o{n}"} for n in range(16)],
    }
    with pytest.raises(InvalidSpec, match="12,884,901,888 paths") as caught:
        resolved(space=space)
    assert caught.value.param == "space.blocks"


def test_a_teacher_without_the_spaces_reductions_is_refused() -> None:
    blocks = [{"stride": 1, "cells": [{"depth": 1, "width": 16}]}]
    with pytest.raises(TeacherError, match="reductions"):
        resolved(space={"blocks": blocks})


@pytest.mark.parametrize(
    "fields",
    [
        {"colour": "red"},
        {"budget": {"memory": 3}},
        {"input_size": 8},
        {"seed": -1},
        {"block_weights": [-1.0]},
        {"budget": {"flops": 0}},
        {"retrain": {"learning_rate": float("nan")}},
        {"training": {"sampling": "greedy"}},
        {"training": {"epochs": "20"}},
        {"training": {"epochs": True}},
        {"training": {"epochs": 1.9}},
        {"training": {"weight_decay": "0.1"}},
        {"budget": {"flops": 1_000_000.7}},
        {"augment": 1},
        {"seed": "1"},
        {"rating": {"memory_mb": 2**62}},
        {"block_weights": [1.7e308]},
        {"block_weights": [0.0, 0.0, 0.0]},
        {"teacher": {"boundaries": []}},
    ],
)
def test_fields_that_make_no_sense_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SearchSpec(dataset="digits", **fields)


def test_a_transformer_takes_images_of_its_own_size_alone() -> None:
    assert resolved(teacher={"model": "deit_tiny_patch16_224"}).input_size == 224
    with pytest.raises(
        TeacherError, match=r"takes images of 224 pixels, not 64: give it teacher.input_size 224"
    ) as caught:
        resolved(LARGE, teacher={"model": "deit_tiny_patch16_224"}, input_size=64)
    assert caught.value.param == "teacher.input_size"
    with pytest.raises(TeacherError, match="takes images of 224 pixels, not 192"):
        resolved(LARGE, teacher={"model": "deit_tiny_patch16_224", "input_size": 192})


def test_a_teacher_may_see_the_images_at_another_size() -> None:
    spec = resolved(teacher={"model": "deit_tiny_patch16_224", "input_size": 224})
    assert (spec.input_size, spec.teacher_size) == (16, 224)
    assert resolved().teacher_size == resolved().input_size


def test_a_spec_of_before_teachers_had_a_size_means_what_it_did() -> None:
    written = resolved(teacher={"epochs": 3}).model_dump(mode="json")
    del written["teacher"]["input_size"]
    assert parse_job(written) == resolved(teacher={"epochs": 3})


def test_a_teacher_is_trained_further_at_a_lower_rate() -> None:
    spec = resolved(teacher={"weights": "finetune", "epochs": 10, "batch_size": 64})
    assert (spec.teacher.learning_rate, spec.teacher.frozen_epochs) == (0.001, 2)
    assert resolved(teacher={"weights": "finetune", "epochs": 1}).teacher.frozen_epochs == 0
    assert resolved(teacher={"weights": "train", "epochs": 10}).teacher.frozen_epochs == 0


@pytest.mark.parametrize("weights", ["pretrained", "finetune"])
def test_weights_that_timm_has_not_are_refused(weights: str) -> None:
    with pytest.raises(TeacherError, match="timm has no weights for seresnet18: ask for weights train") as caught:
        resolved(teacher={"model": "seresnet18", "weights": weights})
    assert caught.value.param == "teacher.weights"


def test_a_teacher_is_named_with_the_tag_of_its_weights() -> None:
    assert resolved(teacher={"model": "resnet50.a1_in1k"}).teacher.model == "resnet50.a1_in1k"
    with pytest.raises(
        UnknownName, match=r"no weights named 'resnet50.a1_in2k'. Did you mean 'resnet50.a1_in1k'"
    ) as caught:
        resolved(teacher={"model": "resnet50.a1_in2k"})
    assert caught.value.param == "teacher.model"


def test_networks_begin_with_their_blocks_and_learn_from_a_teacher_that_knows_the_classes() -> None:
    assert resolved(DIGITS).retrain.start == "inherited"
    assert resolved(DIGITS).retrain.distill == AnswersSpec()
    for written in ({"distill": None}, {"distill": {"weight": 0}}):
        assert resolved(DIGITS, retrain=written).retrain.distill is None
    photos = DIGITS.model_copy(update={"name": "photos", "image_size": 224})
    assert resolved(photos, teacher={"model": "resnet18", "weights": "pretrained"}).retrain.distill is None
    paper = resolved(DIGITS, retrain={"recipe": "paper"}).retrain
    assert (paper.start, paper.distill) == ("scratch", None)


def test_what_was_resolved_resolves_to_itself() -> None:
    first = resolved(DIGITS, retrain={"distill": {"weight": 0}})
    again = resolved(DIGITS, retrain=first.retrain.model_dump(mode="json"))
    assert again.retrain == first.retrain
