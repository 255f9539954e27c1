"""Only what was left open is said to have been chosen."""

from __future__ import annotations

from typing import Any

import pytest

from dna_client.chosen import chosen

RESOLVED: dict[str, Any] = {
    "input_size": 32,
    "teacher": {"model": "resnet10t", "weights": "train", "epochs": 12},
    "space": {"name": "mbconv-small"},
    "training": {"epochs": 20},
    "retrain": {"epochs": 25, "learning_rate": 0.003, "recipe": "quick"},
    "budget": {"flops": 4_000_000, "params": None, "latency_ms": None},
}


def test_a_spec_of_a_dataset_alone_leaves_everything_open() -> None:
    assert chosen({"dataset": "digits", "teacher": {}, "budget": None}, RESOLVED) == [
        ("input size", "32 pixels"),
        ("teacher", "resnet10t, trained on the dataset, 12 epochs"),
        ("space", "mbconv-small"),
        ("distillation", "20 epochs"),
        ("training", "by quick, 25 epochs, learning rate 0.003"),
        ("budget", "at most 4,000,000 flops"),
    ]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"teacher": {"model": "resnet10t"}}, ("teacher", "trained on the dataset, 12 epochs")),
        ({"teacher": {"model": "resnet10t", "weights": "train"}}, ("teacher", "12 epochs")),
        ({"retrain": {"epochs": 25, "recipe": "quick"}}, ("training", "learning rate 0.003")),
        ({"retrain": {"learning_rate": 0.003}}, ("training", "by quick, 25 epochs")),
    ],
)
def test_what_was_asked_for_is_not(written: dict[str, Any], said: tuple[str, str]) -> None:
    assert said in chosen(written, RESOLVED)


def test_a_spec_with_everything_leaves_nothing_open() -> None:
    assert chosen(RESOLVED, RESOLVED) == []


def test_a_downloaded_teacher_is_not_trained() -> None:
    downloaded = RESOLVED | {"teacher": {"model": "tf_efficientnet_b7", "weights": "pretrained", "epochs": 20}}
    assert ("teacher", "tf_efficientnet_b7, pretrained weights") in chosen({}, downloaded)


def test_a_training_leaves_its_recipe_open() -> None:
    resolved = {
        "input_size": 32,
        "epochs": 30,
        "batch_size": 64,
        "learning_rate": 0.003,
        "recipe": "quick",
        "flip": False,
    }
    assert chosen({"architecture": "a", "dataset": "digits"}, resolved, "training") == [
        ("input size", "32 pixels"),
        ("training", "by quick, 30 epochs, batches of 64, learning rate 0.003"),
        ("augmentation", "left and right are never exchanged"),
    ]
    assert chosen(resolved, resolved, "training") == []


def test_a_teacher_that_is_trained_further_for_epochs_that_were_left_open() -> None:
    further = RESOLVED | {"teacher": {"model": "resnet50", "weights": "finetune", "epochs": 20}}
    assert ("teacher", "resnet50, 20 epochs") in chosen({"teacher": {"weights": "finetune"}}, further)


@pytest.mark.parametrize(("resize", "said"), [("pad", "padded to squares"), ("squash", "squashed to squares")])
def test_long_pictures(resize: str, said: str) -> None:
    assert ("pictures", said) in chosen({}, RESOLVED | {"resize": resize})
    assert ("pictures", said) not in chosen({"resize": resize}, RESOLVED | {"resize": resize})


def test_of_a_training_from_another_it_is_said_what_becomes_of_the_classifier() -> None:
    resolved = {"input_size": 32, "epochs": 10, "batch_size": 64, "learning_rate": 0.003, "recipe": "quick"}
    start = {"dataset": "birds", "start": {"training": "earlier"}}
    for keeps, said in ((True, "kept, the classes are the same"), (False, "new")):
        assert ("classifier", said) in chosen(start, resolved | {"transferred": {"keeps_head": keeps}}, "training")
    assert "classifier" not in dict(chosen({"dataset": "birds"}, resolved, "training"))
