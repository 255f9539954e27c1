"""A network's head from its teacher's: the teacher's classifier behind the last block's exit adaptor, exactly."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from dna_engine.blockwise.answers import WholeTeacher
from dna_engine.blockwise.begin import begin
from dna_engine.blockwise.cell import CellSupernet
from dna_engine.blockwise.head import fits, linear_head, take_head
from dna_engine.blockwise.lens import Lens
from dna_engine.blockwise.models import build as build_teacher
from dna_engine.catalogue import get_teacher
from dna_engine.plans.files import cell_weights
from dna_engine.space import CellRef, parse_space
from dna_engine.training.network import build
from dna_engine.training.splits import load_splits
from tests.dna_engine.runs import TINY_NETWORK, TINY_SPACE, tiny_spec

SPACE = parse_space(TINY_SPACE)


def whole(name: str, last: str) -> WholeTeacher:
    torch.manual_seed(0)
    return WholeTeacher(build_teacher(name, num_classes=10), Lens(), last)


@pytest.mark.parametrize("name", ["resnet10t", "regnetx_002"])
def test_a_classifier_behind_nothing_but_a_mean_is_found(name: str) -> None:
    last = get_teacher(name).blocks[-1].module
    assert get_teacher(name).classifies(last)
    teacher = whole(name, last)
    assert linear_head(teacher, torch.randn(2, 3, 64, 64)) is teacher.model.get_classifier()  # type: ignore[operator]


@pytest.mark.parametrize("name", ["convnext_atto", "resnetv2_50"])
def test_one_behind_a_norm_is_none(name: str) -> None:
    """The counts of multiply-adds do not tell."""
    last = get_teacher(name).blocks[-1].module
    assert get_teacher(name).classifies(last)
    assert linear_head(whole(name, last), torch.randn(2, 3, 64, 64)) is None


def test_what_lies_behind_an_earlier_boundary_or_other_layers_is_no_head() -> None:
    assert not get_teacher("resnet10t").classifies("layer3")
    assert linear_head(whole("resnet10t", "layer3"), torch.randn(2, 3, 64, 64)) is None
    efficientnet = get_teacher("tf_efficientnet_b0")
    assert not efficientnet.classifies(efficientnet.blocks[-1].module)


def test_the_network_answers_as_the_teacher_does_behind_its_adaptor() -> None:
    torch.manual_seed(1)
    network = build(replace(TINY_NETWORK, num_classes=10))
    last = CellSupernet(SPACE, CellRef(3, 1), 24, 512, width="adaptors")
    assert isinstance(last.leave, nn.Conv2d)
    nn.init.normal_(last.leave.get_parameter("bias"))
    classifier, images = nn.Linear(512, 10), torch.randn(64, 3, 16, 16)
    take_head(network, last, classifier, [images])
    network.eval()
    with torch.no_grad():
        maps = network.blocks(network.bn1(network.conv_stem(images)))
        expected = classifier(last.leave(maps).mean((2, 3)))
        found = network(images)
    assert (found - expected).abs().max() < 1e-4 * expected.abs().max()


@pytest.mark.parametrize("last", ["layer4", "layer3"])
def test_a_network_begins_with_the_head_where_there_is_one(tmp_path: Path, last: str) -> None:
    """Its cells are drawn at random; a teacher that is cut before its last stage has no such head."""
    torch.manual_seed(2)
    channels = (3, 128, 256, 512 if last == "layer4" else 256)
    for ref in (CellRef(1, 1), CellRef(2, 1), CellRef(3, 1)):
        cell = CellSupernet(SPACE, ref, channels[ref.block - 1], channels[ref.block], width="adaptors")
        (tmp_path / "cells").mkdir(exist_ok=True)
        save_file(cell.state_dict(), tmp_path / cell_weights(ref))
    teacher, images = whole("resnet10t", last), load_splits(tiny_spec(), torch.device("cpu")).train
    network = build(replace(TINY_NETWORK, num_classes=10))
    drawn_head = network.classifier.weight.clone()
    begin(network, TINY_NETWORK, SPACE, tmp_path, images, batch_size=32, seed=0, teacher=teacher)
    if last == "layer3":
        assert network.classifier.weight.equal(drawn_head)
        return
    network.eval()
    some, _ = next(images.ordered(32))
    with torch.no_grad():
        maps = network.blocks(network.bn1(network.conv_stem(some)))
        expected = teacher.model.get_classifier()(cell.leave(maps).mean((2, 3)))  # type: ignore[operator]
        assert (network(some) - expected).abs().max() < 1e-4 * expected.abs().max()


def test_a_head_with_fewer_than_two_channels_for_each_class_does_not_fit() -> None:
    network = build(TINY_NETWORK)
    width = TINY_NETWORK.head_width
    assert fits(network, nn.Linear(8, width // 2))
    assert not fits(network, nn.Linear(8, width // 2 + 1))
