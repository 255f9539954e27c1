"""The maps at every boundary, from one pass."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from dna_engine.blockwise.lens import Lens
from dna_engine.blockwise.stages import find_blocks
from dna_engine.blockwise.teacher import Teacher
from dna_engine.errors import TeacherError
from dna_engine.training import batches
from tests.dna_engine.blockwise.models import hooked_maps, random_model


class TestTokens:
    @pytest.mark.parametrize("name", ["vit_tiny_patch16_224", "deit_tiny_distilled_patch16_224"])
    def test_quarters_of_the_depth_become_a_pyramid(self, name: str) -> None:
        model = random_model(name, img_size=64, depth=8, embed_dim=48)
        blocks = find_blocks(model)
        assert [(block.module, block.channels, block.reduction) for block in blocks] == [
            ("blocks.1", 48, 4),
            ("blocks.3", 48, 8),
            ("blocks.5", 48, 16),
            ("blocks.7", 48, 32),
        ]
        images = torch.randn(2, 3, 64, 64)
        modules = [block.module for block in blocks]
        maps = Teacher(model, modules).features(images, [1, 2, 3, 4])
        assert [map_.shape[2] for map_ in maps.values()] == [16, 8, 4, 2]
        tokens = hooked_maps(model, modules, images)[2]
        extra = tokens.shape[1] - 16
        assert extra == (2 if "distilled" in name else 1)
        torch.testing.assert_close(maps[3], tokens[:, extra:].transpose(1, 2).reshape(2, 48, 4, 4))

    def test_boundaries_that_are_no_layers(self) -> None:
        model = random_model("vit_tiny_patch16_224", img_size=64, depth=8, embed_dim=48)
        with pytest.raises(TeacherError, match=r"cannot be cut after norm: name up to 4 of blocks.0 to blocks.7"):
            Teacher(model, ["norm"])


class TestRunning:
    def test_no_deeper_than_needed(self) -> None:
        model = random_model("resnet10t")
        ran: list[str] = []
        for name in ("layer1", "layer2", "layer3", "layer4", "fc"):
            model.get_submodule(name).register_forward_hook(lambda *_, name=name: ran.append(name))
        teacher = Teacher(model, ["layer1", "layer2", "layer3"])
        images = torch.randn(1, 3, 32, 32)
        maps = teacher.features(images, [0, 2])
        assert set(maps) == {0, 2}
        assert maps[0] is images
        assert ran == ["layer1", "layer2"]
        ran.clear()
        teacher.features(images, [0])
        assert ran == []

    def test_frozen_whatever_one_does(self) -> None:
        teacher = Teacher(random_model("resnet10t"), ["layer1", "layer2"])
        before = {name: tensor.clone() for name, tensor in teacher.state_dict().items()}
        maps = teacher.train().features(torch.randn(4, 3, 32, 32), [1, 2])
        assert not any(map_.requires_grad for map_ in maps.values())
        assert not any(parameter.requires_grad for parameter in teacher.parameters())
        assert all(torch.equal(before[name], tensor) for name, tensor in teacher.state_dict().items())

    def test_normalisation_is_the_teacher_s_own(self) -> None:
        model = random_model("resnet10t")
        pixels = torch.randint(256, (2, 3, 32, 32), dtype=torch.uint8)
        theirs = (pixels / 255 - 0.5) / 0.25
        teacher = Teacher(model, ["layer1"], lens=Lens(mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25)))
        (expected,) = hooked_maps(model, ["layer1"], theirs)
        torch.testing.assert_close(teacher.features(batches.normalize(pixels), [1])[1], expected, rtol=1e-4, atol=1e-5)

    def test_a_size_of_its_own_and_the_sides_of_the_student(self) -> None:
        model = random_model("resnet10t")
        images = torch.randn(2, 3, 32, 32)
        teacher = Teacher(model, ["layer1", "layer2", "layer4"], lens=Lens(size=96), sides=[8, 4, 6])
        larger = functional.interpolate(images, size=(96, 96), mode="bilinear", antialias=True)
        first, second, last = hooked_maps(model, ["layer1", "layer2", "layer4"], larger)
        maps = teacher.features(images, [0, 1, 2, 3])
        assert maps[0] is images
        torch.testing.assert_close(maps[1], functional.avg_pool2d(first, 3))
        torch.testing.assert_close(maps[2], functional.avg_pool2d(second, 3))
        torch.testing.assert_close(maps[3], functional.interpolate(last, size=(6, 6), mode="bilinear"))
        assert [shape[-1] for shape in teacher.shapes(32)] == [32, 8, 4, 6]

    def test_shrinking_blurs_first(self) -> None:
        board = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).tile(16, 16).expand(1, 3, 32, 32)
        assert Lens(size=12)(board)[:, :, 2:-2, 2:-2].abs().max() < 0.2  # Without, whole squares come through.

    def test_shapes(self) -> None:
        teacher = Teacher(random_model("regnetx_002"), ["s1", "s3"])
        assert [tuple(shape) for shape in teacher.shapes(64)] == [(3, 64, 64), (24, 16, 16), (152, 4, 4)]

    def test_boundaries_inside_a_stage(self) -> None:
        model = random_model("resnet18")
        images = torch.randn(1, 3, 32, 32)
        modules = ["layer1.0", "layer3"]
        expected = hooked_maps(model, modules, images)
        maps = Teacher(model, modules).features(images, [1, 2])
        for mine, theirs in zip(maps.values(), expected, strict=True):
            torch.testing.assert_close(mine, theirs)

    @pytest.mark.parametrize("boundaries", [["layer9"], ["layer2", "layer1"], ["layer1.0.conv1"]])
    def test_boundaries_that_cannot_be_cut(self, boundaries: list[str]) -> None:
        with pytest.raises(TeacherError, match="Its stages end at layer1, layer2, layer3, layer4") as caught:
            Teacher(random_model("resnet10t"), boundaries)
        assert caught.value.param == "teacher.boundaries"
