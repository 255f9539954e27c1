"""Blocks are found in the models themselves, and a teacher's maps are what its modules put out."""

from __future__ import annotations

import pytest
import timm
import torch

from dna_engine.catalogue import describe_model
from dna_engine.space import SPACES
from dna_engine.teacher import Teacher
from dna_engine.teachers import align, catalogue, default_space, get_teacher

#: One small model for each of the families.
FAMILIES = [
    "tf_efficientnet_b0",
    "tf_efficientnet_lite0",
    "tf_efficientnetv2_b0",
    "mobilenetv2_050",
    "mobilenetv3_small_050",
    "semnasnet_100",
    "resnet10t",
    "resnet18",
    "resnext50_32x4d",
    "regnetx_002",
    "regnety_002",
    "convnext_atto",
    "lcnet_050",
    "rexnet_100",
    "deit_tiny_patch16_224",
    "vit_tiny_patch16_224",
]


def test_the_papers_teacher_has_the_papers_blocks() -> None:
    blocks = get_teacher("tf_efficientnet_b7").blocks
    assert [(b.module, b.channels, b.reduction) for b in blocks][-6:] == [
        ("blocks.1", 48, 4),
        ("blocks.2", 80, 8),
        ("blocks.3", 160, 16),
        ("blocks.4", 224, 16),
        ("blocks.5", 384, 32),
        ("blocks.6", 640, 32),
    ]
    assert align(get_teacher("tf_efficientnet_b7"), SPACES["dna-mbconv"]) == [f"blocks.{i}" for i in range(1, 7)]
    assert default_space(get_teacher("tf_efficientnet_b7")) == SPACES["dna-mbconv"]


@pytest.mark.parametrize("name", FAMILIES)
def test_the_catalogue_says_what_the_model_has(name: str) -> None:
    assert describe_model(name, catalogue()[name].family).blocks == catalogue()[name].blocks


def test_the_catalogue_covers_the_families() -> None:
    assert len({catalogue()[name].family for name in FAMILIES}) >= 12


@pytest.mark.parametrize("name", ["resnet10t", "mobilenetv3_small_050"])
def test_maps_are_those_of_the_modules(name: str) -> None:
    """As recorded by hooks on the untouched model in evaluation mode; later blocks change no earlier map."""
    torch.manual_seed(0)
    model = timm.create_model(name, num_classes=10).eval()
    blocks = [block for block in catalogue()[name].blocks if block.reduction >= 4]
    seen: dict[str, torch.Tensor] = {}
    for block in blocks:
        model.get_submodule(block.module).register_forward_hook(
            lambda _m, _i, out, path=block.module: seen.__setitem__(path, out.clone())
        )
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        model(images)
    recorded = dict(seen)
    teacher = Teacher(model, [block.module for block in blocks])
    maps = teacher.features(images, range(len(blocks) + 1))
    assert maps[0] is images
    for number, block in enumerate(blocks, start=1):
        assert maps[number].shape[1] == block.channels
        torch.testing.assert_close(maps[number], recorded[block.module])


def test_a_teacher_does_not_train() -> None:
    teacher = Teacher(timm.create_model("resnet10t", num_classes=10), ["layer1", "layer2"])
    before = {name: tensor.clone() for name, tensor in teacher.state_dict().items()}
    teacher.train()
    teacher.features(torch.randn(4, 3, 32, 32), [2])
    assert all(torch.equal(before[name], tensor) for name, tensor in teacher.state_dict().items())
    assert not any(parameter.requires_grad for parameter in teacher.parameters())
