"""Where models are cut: the ends of their stages."""

from __future__ import annotations

import pytest
import timm
import torch
from torch import nn

from dna_engine.blockwise.stages import find_blocks
from dna_engine.blockwise.teacher import Teacher
from dna_engine.errors import TeacherError
from tests.dna_engine.blockwise.models import CNNS, hooked_maps, random_model


class TestBlocks:
    @pytest.mark.parametrize("name", CNNS)
    def test_stage_ends_and_their_maps(self, name: str) -> None:
        model = random_model(name)
        blocks = find_blocks(model)
        assert [(block.module, block.channels, block.reduction) for block in blocks] == CNNS[name]
        images = torch.randn(2, 3, 64, 64)
        modules = [block.module for block in blocks]
        expected = hooked_maps(model, modules, images)
        maps = Teacher(model, modules).features(images, range(1, len(blocks) + 1))
        for block, mine, theirs in zip(blocks, maps.values(), expected, strict=True):
            assert mine.shape == (2, block.channels, 64 // block.reduction, 64 // block.reduction)
            torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-5)

    def test_the_paper_s_teacher(self) -> None:
        with torch.device("meta"):
            blocks = find_blocks(timm.create_model("tf_efficientnet_b7"))
        assert [block.module for block in blocks] == [f"blocks.{i}" for i in range(1, 7)]
        assert [block.channels for block in blocks] == [48, 80, 160, 224, 384, 640]
        assert [block.reduction for block in blocks] == [4, 8, 16, 16, 32, 32]
        assert [block.stride for block in blocks] == [4, 2, 2, 1, 2, 1]

    def test_finding_leaves_the_model_as_it_was(self) -> None:
        model = random_model("mobilenetv2_035").train()
        before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        find_blocks(model)
        assert model.training
        assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())

    def test_a_model_without_stages(self) -> None:
        with pytest.raises(TeacherError, match="Linear does not say where its stages end"):
            find_blocks(nn.Linear(2, 2))
