"""Standard networks beside what a search finds: which may be named, how wide they become, what is said of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

from dna_engine.accuracy import Answers, judge
from dna_engine.catalogue import catalogue
from dna_engine.effort import work
from dna_engine.errors import InvalidSpec, UnknownName
from dna_engine.plans import Kind, Phase, plan_of
from dna_engine.plans.results import Costs, Trained, beside_references
from dna_engine.space.architecture import published
from dna_engine.standard import LEAST_SIZES, SCALED, Standard, check_references
from dna_engine.training.described import build_any, costs, read
from dna_engine.training.described import work as work_of
from dna_engine.training.standard import build_standard, count_standard, nearest
from tests.dna_engine.runs import tiny_spec

REFERENCES = ["lcnet_100", "resnet10t"]


def standard(model: str, width: float | None = None, *, classes: int = 10, size: int = 32) -> Standard:
    return Standard(model=model, width=width, num_classes=classes, input_size=size)


@pytest.mark.parametrize("model", SCALED)
def test_at_its_own_width_a_model_is_timms(model: str) -> None:
    assert count_standard(standard(model, 1.0)) == count_standard(standard(model))


def test_it_becomes_as_wide_as_its_cost_asks_for() -> None:
    flops = 3_000_000
    found = nearest("lcnet_100", flops, num_classes=10, input_size=32)
    assert found.width is not None
    apart = abs(count_standard(found).flops - flops)
    assert apart < 0.1 * flops
    for width in (found.width - 0.02, found.width + 0.02):
        assert abs(count_standard(standard("lcnet_100", width)).flops - flops) >= apart
    assert nearest("lcnet_100", 1, num_classes=10, input_size=32).width == 0.05
    assert nearest("resnet10t", 1_000, num_classes=10, input_size=32) == standard("resnet10t")


@pytest.mark.parametrize(
    ("model", "size"),
    [("efficientnet_b0", 16), ("convnext_atto", 32), ("densenet121", 32), ("ghostnetv2_100", 64), ("resnet10t", 16)],
)
def test_it_answers_for_the_classes_at_the_least_size(model: str, size: int) -> None:
    check_references([model], size)
    with torch.device("meta"):
        network = build_standard(standard(model, size=size), dropout=0.1, drop_path=0.1)
    assert network(torch.empty(2, 3, size, size, device="meta")).shape == (2, 10)


def test_families_with_a_least_size_are_in_the_catalogue() -> None:
    assert {*LEAST_SIZES} <= {model.family for model in catalogue().values()}
    assert {*SCALED} <= {*catalogue()}


@pytest.mark.parametrize(
    ("names", "size", "says"),
    [
        (["efficientnet_b9"], 32, "Did you mean"),
        (["winner"], 32, "no standard network named 'winner'"),
        (["../weights"], 32, "no standard network"),
        (["resnet18.a1_in1k"], 32, "write resnet18, without the weights a1_in1k"),
        (["vit_tiny_patch16_224"], 32, "takes images of 224 pixels, not 32"),
        (["vit_tiny_patch16_224"], 256, "takes images of 224 pixels, not 256"),
        (["convnext_atto"], 16, "takes images of 32 pixels or more, not 16"),
        (["resnet18", "resnet18"], 32, "named twice"),
    ],
)
def test_what_cannot_be_trained_is_refused(names: list[str], size: int, says: str) -> None:
    with pytest.raises((InvalidSpec, UnknownName), match=says) as refused:
        check_references(names, size)
    assert refused.value.param == "retrain.references"


def test_a_search_trains_and_counts_them_and_exports_its_own_networks_alone() -> None:
    spec = tiny_spec(retrain={"epochs": 2, "batch_size": 128, "references": REFERENCES})
    plan = plan_of(spec)
    training = plan.steps(Phase.TRAIN)
    assert [step.network for step in training] == ["winner", "control", *REFERENCES]
    assert [step.network for step in plan.steps(Phase.EXPORT) if step.kind is Kind.EXPORT] == ["winner", "control"]
    winner, _, scaled, whole = training
    assert (spec.start_of("winner"), spec.start_of("lcnet_100")) == ("inherited", "scratch")
    assert not any("cells/" in name for name in scaled.inputs(spec))
    assert any("cells/" in name for name in winner.inputs(spec))
    assert scaled.outputs(spec) == ["lcnet_100/weights.safetensors", "lcnet_100/training.json"]
    [select] = plan.steps(Phase.SELECT)
    assert {f"{name}/architecture.json" for name in REFERENCES} <= {*select.outputs(spec)}
    assert work(scaled, spec) == work(winner, spec)
    counted, assumed = count_standard(standard("resnet10t", size=16)).flops, spec.budget.flops
    assert assumed is not None
    passes = 3 * 2 * spec.dataset.num_train
    assert work(whole, spec) - work(winner, spec) == pytest.approx(passes * (counted - assumed) / 1e9, rel=0.2)
    alone = tiny_spec()
    assert "references" in alone.retrain.model_dump()
    assert [step.key for step in plan_of(alone).all_steps()] == [
        step.key for step in plan.all_steps() if step.network not in REFERENCES
    ]


def test_described_it_is_built_and_counted_like_any_network() -> None:
    described = json.loads(json.dumps(standard("lcnet_100", 0.5).to_json()))
    network = read(described | {"preprocessing": {}})
    assert network == standard("lcnet_100", 0.5)
    predicted, counted = costs(network)
    built = build_any(network, dropout=0.0, drop_path=0.0)
    assert predicted == counted
    assert counted.params == sum(parameter.numel() for parameter in built.parameters())
    assert work_of(network, 64) > 0
    assert read(published("dna-a").to_json()) == published("dna-a")


def trained(right: int, *, flops: int = 100, start: Any = "scratch") -> Trained:
    test = judge(Answers(images=[500, 500], right=[right, right], given=[500, 500]))
    return Trained(
        test_accuracy=test.accuracy,
        test_loss=1.0,
        test=test,
        seconds=1.0,
        images_per_second=1.0,
        predicted=Costs(flops=flops, params=1),
        counted=Costs(flops=flops, params=1),
        recipe={},
        start=start,
        dataset="birds",
        seed=0,
    )


def test_what_the_search_was_worth_is_said_with_how_both_began() -> None:
    found = {"winner": trained(450, start="inherited"), "control": trained(440), "lcnet_100": trained(300, flops=104)}
    [beside] = beside_references(found)
    assert (beside.network, beside.flops_ratio, beside.difference) == ("lcnet_100", 1.04, pytest.approx(0.3))
    assert beside.says.startswith("The winner beats lcnet_100 by 30.0 points (95% interval ")
    assert beside.says.endswith(
        "lcnet_100 has 1.04 times the winner's multiply-adds and was trained from scratch by the same recipe, the winner from the weights of "
        "its distilled blocks."
    )
    [other] = beside_references({"winner": trained(300), "resnet10t": trained(450, flops=900)})
    assert other.says.startswith("resnet10t beats the winner by 30.0 points")
    assert other.says.endswith(
        "resnet10t has 9.00 times the winner's multiply-adds and was trained from scratch by the same recipe, as the winner was."
    )
    [alike] = beside_references({"winner": trained(450), "resnet10t": trained(450)})
    assert alike.says.startswith("1,000 test images do not tell winner from resnet10t (")
    assert beside_references({"lcnet_100": trained(450)}) == []
