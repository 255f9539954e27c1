"""Architectures as timm networks."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import nn

from dna_engine.space import SPACES
from dna_engine.space.architecture import published
from dna_engine.space.cost import Cost
from dna_engine.training.network import build, calm_classifier, count, count_model, load
from tests.dna_engine.networks import random_network


@pytest.mark.parametrize(
    ("name", "params"), [("dna-a", 4_243_318), ("dna-b", 4_918_180), ("dna-c", 5_273_896), ("dna-d", 6_409_486)]
)
def test_published_networks_have_their_parameters_on_real_modules(name: str, params: int) -> None:
    model = build(published(name, input_size=64)).eval()
    assert sum(p.numel() for p in model.parameters()) == params
    with torch.inference_mode():
        assert model(torch.zeros(2, 3, 64, 64)).shape == (2, 1000)


def test_it_is_timms_network_with_silu_and_squeeze_excite_of_the_input_channels() -> None:
    model = build(published("dna-a"))
    assert type(model).__module__ == "timm.models.efficientnet"
    third: Any = model.get_submodule("blocks.2.1")  # mb3_3x3 from 40 to 40 channels
    assert third.se.conv_reduce.out_channels == 10
    assert third.has_skip
    assert isinstance(third.bn1.act, nn.SiLU)


def test_dropout_and_drop_path_are_passed_on() -> None:
    model = build(published("dna-a"), dropout=0.3, drop_path=0.2)
    assert model.drop_rate == 0.3
    for layer, number in (("blocks.1.0", 1), ("blocks.6.0", 21)):
        drop_path: Any = model.get_submodule(f"{layer}.drop_path")
        assert drop_path.drop_prob == pytest.approx(0.2 * number / 22)


def test_counting_takes_no_memory_for_weights() -> None:
    counted = count(published("dna-d", input_size=1024))
    assert counted.params == 6_409_486
    assert counted.flops > 20 * 592_837_792


def test_a_trained_network_is_loaded_by_timm_alone(tmp_path: Path) -> None:
    network = random_network(SPACES["mbconv-small"], random.Random(1), input_size=16, num_classes=10)
    model = build(network).eval()
    (tmp_path / "architecture.json").write_text(json.dumps(network.to_json()))
    save_file(model.state_dict(), tmp_path / "weights.safetensors")
    images = torch.randn(3, 3, 16, 16)
    with torch.inference_mode():
        assert torch.equal(load(tmp_path)(images), model(images))


def test_any_classifier_is_counted_and_left_as_it_was() -> None:
    model = timm.create_model("resnet18")  # 1.8 billion multiply-adds and 11.7 million parameters (He et al. 2016)
    assert count_model(model, 224) == Cost(flops=1_814_073_344, params=11_689_512)
    assert model.training
    assert {parameter.device.type for parameter in model.parameters()} == {"cpu"}


def test_an_untrained_network_of_few_classes_is_not_sure_of_itself() -> None:
    torch.manual_seed(0)
    model = build(published("dna-a", input_size=64).with_classes(3)).train()
    images = torch.randn(16, 3, 64, 64)
    with torch.no_grad():
        before = model(images).std()
        calm_classifier(model)
        after = model(images).std()
    assert before > 1  # So timm draws them; were it calm by itself, nothing need be done here.
    assert after < 0.3


def test_a_classifier_that_is_calm_stays_as_it_is() -> None:
    model = timm.create_model("resnet10t", num_classes=5)
    before = model.get_parameter("fc.weight").clone()
    calm_classifier(model)
    assert torch.equal(model.get_parameter("fc.weight"), before)
