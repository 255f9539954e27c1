"""What a training takes of one before it: the head where the classes are the same, and how slowly the rest may change."""

from __future__ import annotations

from typing import Any

import pytest

from dna_engine.errors import InvalidSpec
from dna_engine.images.info import DIGITS, DatasetInfo
from dna_engine.plans import plan_of
from dna_engine.space.architecture import Architecture, published
from dna_engine.spec import GivenWeights, ResolvedTraining, TrainingSpec, parse_job, resolve_training
from tests.dna_engine.spec.test_training import BIRDS

NETWORK = published("dna-a", input_size=32)
BEFORE = {"training": "0199d3f0-5a34-7c1e-b6a8-0d6f6f3f7a11"}


def weights(dataset: DatasetInfo, network: Architecture = NETWORK) -> GivenWeights:
    described = network.with_classes(dataset.num_classes).to_json()
    return GivenWeights(training=BEFORE["training"], architecture=described, dataset=dataset, sha256="a" * 64)


def resolved(given: GivenWeights | None, dataset: DatasetInfo = DIGITS, **fields: Any) -> ResolvedTraining:
    started = {"start": BEFORE} if given else {"architecture": "arch_1"}
    spec = TrainingSpec.model_validate({"dataset": dataset.name, **started, **fields})
    return resolve_training(spec, NETWORK, dataset, None, given)


def test_the_head_is_kept_where_the_classes_are_the_same_in_the_same_order() -> None:
    reversed_ = DIGITS.model_copy(update={"name": "other", "class_names": DIGITS.class_names[::-1]})
    longer = DIGITS.model_copy(update={"name": "longer", "num_train": 9_000})
    nameless = DIGITS.model_copy(update={"class_names": []})
    for before, keeps in ((DIGITS, True), (longer, True), (reversed_, False), (BIRDS, False), (nameless, False)):
        taken = resolved(weights(before)).transferred
        assert taken is not None
        assert (taken.keeps_head, taken.dataset, taken.training) == (keeps, before.name, BEFORE["training"])
    again = resolved(weights(nameless), nameless).transferred
    assert again is not None
    assert again.keeps_head


def test_names_that_mean_other_classes_can_be_told_apart() -> None:
    taken = resolved(weights(DIGITS), start=BEFORE | {"head": "new"}).transferred
    assert taken is not None
    assert not taken.keeps_head


def test_all_layers_are_trained_alike_unless_it_is_said_otherwise() -> None:
    other, scratch = resolved(weights(BIRDS), epochs=20), resolved(None)
    assert (other.start, other.head_epochs, other.backbone_learning_rate) == ("transferred", 0, None)
    assert (scratch.start, scratch.head_epochs, scratch.backbone_learning_rate) == ("scratch", 0, None)
    said = resolved(weights(BIRDS), epochs=20, head_epochs=4, backbone_learning_rate=0.01)
    assert (said.head_epochs, said.backbone_learning_rate) == (4, 0.01)
    for spec in (other, scratch, said):
        assert parse_job(spec.model_dump(mode="json")) == spec


def test_the_weights_are_an_input_of_its_first_step() -> None:
    training, export = plan_of(resolved(weights(BIRDS))).all_steps()
    assert training.inputs(resolved(weights(BIRDS))) == ["start.safetensors"]
    assert training.inputs(resolved(None)) == []
    assert "start.safetensors" not in export.inputs(resolved(weights(BIRDS)))


def test_any_input_size_will_do() -> None:
    spec = resolved(weights(BIRDS), input_size=48)
    assert (spec.input_size, spec.architecture["input_size"], spec.architecture["timm"]["num_classes"]) == (48, 48, 10)


@pytest.mark.parametrize(
    ("given", "fields", "param", "says"),
    [
        (weights(BIRDS, published("dna-b")), {}, "architecture", "of another network"),
        (weights(BIRDS), {"epochs": 5, "head_epochs": 5}, "head_epochs", "in 4 at most"),
        (None, {"head_epochs": 1}, "head_epochs", "from scratch has no layers to be kept"),
        (None, {"backbone_learning_rate": 0.1}, "backbone_learning_rate", "from scratch"),
        (weights(BIRDS), {"distill": {}}, "distill", "No search"),
    ],
)
def test_what_cannot_be_is_refused(given: GivenWeights | None, fields: dict[str, Any], param: str, says: str) -> None:
    with pytest.raises(InvalidSpec, match=says) as refused:
        resolved(given, **fields)
    assert refused.value.param == param
