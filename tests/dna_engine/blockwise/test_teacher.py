"""Teachers: the maps are the model's own at its stage ends, frozen, no deeper than needed; weights from anywhere safe."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from dna_engine.advice import advice
from dna_engine.blockwise.teacher import load_teacher, run_step
from dna_engine.catalogue import default_space, get_teacher
from dna_engine.errors import Interrupted, TeacherError
from dna_engine.events import Log
from dna_engine.images import pixels
from dna_engine.plans import Kind, Step
from dna_engine.spec import ResolvedSpec
from tests.dna_engine.blockwise.models import hooked_maps, random_model
from tests.dna_engine.runs import context, tiny_spec


class TestStep:
    step = Step(key="teacher", kind=Kind.TEACHER)

    def test_trained_on_the_search_s_images(self, tmp_path: Path) -> None:
        spec = tiny_spec(teacher={"epochs": 2, "boundaries": ["layer1.0", "layer2", "layer3"]})
        ctx, recorder = context(tmp_path)
        result = run_step(spec, self.step, ctx)
        assert [log.message for log in recorder.of(Log)] == advice(spec) != []
        about = json.loads((tmp_path / "teacher.json").read_text())
        assert result.artifacts == self.step.outputs(spec)
        assert about["accuracy"] == result.values["accuracy"] > 0.3
        assert [block["module"] for block in about["blocks"]] == ["layer1", "layer2", "layer3", "layer4"]
        weights = load_file(tmp_path / "teacher.safetensors")
        assert weights["fc.weight"].shape == (10, 512)
        teacher = load_teacher(spec, tmp_path, ctx.device)
        assert [tuple(shape) for shape in teacher.shapes(16)] == [(3, 16, 16), (64, 4, 4), (128, 2, 2), (256, 1, 1)]

    @pytest.mark.parametrize(
        ("device", "advice"), [("cpu", "--teacher resnet18 --weights train"), ("cuda", "search: --weights train")]
    )
    def test_without_a_hub_it_advises_what_suits_the_device(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, device: str, advice: str
    ) -> None:
        def unreachable(_name: str, **_options: Any) -> nn.Module:
            raise OSError("no route to host")

        monkeypatch.setattr(timm, "create_model", unreachable)
        ctx = replace(context(tmp_path)[0], device=torch.device(device))
        with pytest.raises(TeacherError, match=rf"no route to host.* {advice}"):
            run_step(tiny_spec(teacher={"weights": "pretrained"}), self.step, ctx)

    def test_from_a_file(self, tmp_path: Path) -> None:
        model = random_model("regnetx_002", num_classes=3)
        save_file(model.state_dict(), tmp_path / "mine.safetensors")
        spec = tiny_spec(teacher={"model": "regnetx_002", "weights": str(tmp_path / "mine.safetensors")})
        ctx, _ = context(tmp_path)
        run_step(spec, self.step, ctx)
        about = json.loads((tmp_path / "teacher.json").read_text())
        assert (about["accuracy"], about["mean"]) == (None, list(pixels.MEAN))
        images = torch.randn(2, 3, 16, 16)
        (expected,) = hooked_maps(model, ["s2"], images)
        maps = load_teacher(spec, tmp_path, ctx.device).features(images, [2])
        torch.testing.assert_close(maps[2], expected, rtol=1e-4, atol=1e-5)

    def test_wrong_boundaries_leave_nothing(self, tmp_path: Path) -> None:
        save_file(random_model("resnet10t").state_dict(), tmp_path / "mine.safetensors")
        spec = with_boundaries(
            tiny_spec(teacher={"weights": str(tmp_path / "mine.safetensors")}), ["layer1", "layer2", "layer7"]
        )
        with pytest.raises(TeacherError, match="cannot be cut after 'layer7'"):
            run_step(spec, self.step, context(tmp_path)[0])
        assert not (tmp_path / "teacher.safetensors").exists()

    def test_wrong_boundaries_are_refused_before_any_training(self, tmp_path: Path) -> None:
        ctx, recorder = context(tmp_path)
        with pytest.raises(TeacherError, match="cannot be cut after 'layer7'"):
            run_step(with_boundaries(tiny_spec(), ["layer1", "layer2", "layer7"]), self.step, ctx)
        assert recorder.events == []

    @pytest.mark.parametrize(
        ("model", "size", "says"),
        [
            ("convnext_atto", 16, "cannot take images of 16 pixels .*, or for another teacher"),
            (
                "convnext_atto",
                70,
                "Block 1 ends at 18x18 pixels, but convnext_atto gives 17x17 .* size that 32 divides",
            ),
        ],
    )
    def test_a_size_that_does_not_suit_the_teacher_is_refused_before_any_training(
        self, tmp_path: Path, model: str, size: int, says: str
    ) -> None:
        ctx, recorder = context(tmp_path)
        space = default_space(get_teacher(model)).to_json()
        spec = tiny_spec(input_size=size, teacher={"model": model}, space=space)
        with pytest.raises(TeacherError, match=says):
            run_step(spec, self.step, ctx)
        assert recorder.events == []

    def test_told_to_stop(self, tmp_path: Path) -> None:
        with pytest.raises(Interrupted):
            run_step(tiny_spec(), self.step, context(tmp_path, stop=lambda: True)[0])
        assert (tmp_path / self.step.checkpoint).exists()


def with_boundaries(spec: ResolvedSpec, boundaries: list[str]) -> ResolvedSpec:
    """A spec as an older version, or another of timm, may have left it."""
    return spec.model_copy(update={"teacher": spec.teacher.model_copy(update={"boundaries": boundaries})})
