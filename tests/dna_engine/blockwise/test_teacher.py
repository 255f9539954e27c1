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
from torch.nn import functional

from dna_engine.advice import advice
from dna_engine.blockwise.models import build
from dna_engine.blockwise.teacher import load_teacher, run_step
from dna_engine.catalogue import default_space, get_teacher
from dna_engine.errors import Interrupted, TeacherError
from dna_engine.events import Log
from dna_engine.images.pictures import pixels
from dna_engine.plans import Kind, Step
from dna_engine.spec import ResolvedSpec
from dna_engine.training.network import count_model
from dna_engine.training.splits import load_splits
from tests.dna_engine.blockwise.hub import REVISION, put_weights
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
        ("device", "advice"),
        [("cpu", 'teacher.model "resnet18" and teacher.weights "train"'), ("cuda", 'search: teacher.weights "train"')],
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
            ("convnext_atto", 16, "cannot take images of 16 pixels .*, or ask for another teacher"),
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


class TestPretrained:
    step = Step(key="teacher", kind=Kind.TEACHER)

    def test_weights_of_a_tag_are_taken_and_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        model = random_model("resnet18")
        put_weights("resnet18.a1_in1k", model, tmp_path / "hub", monkeypatch)
        spec = tiny_spec(teacher={"model": "resnet18.a1_in1k", "weights": "pretrained"})
        ctx, _ = context(tmp_path / "run")
        result = run_step(spec, self.step, ctx)
        about = json.loads((ctx.run / "teacher.json").read_text())
        for told in (about, result.values):
            assert (told["tag"], told["hub"]) == ("a1_in1k", "timm/resnet18.a1_in1k")
            assert (told["revision"], told["input_size"]) == (REVISION, 16)
        assert about["model"] == "resnet18.a1_in1k"
        assert load_file(ctx.run / "teacher.safetensors")["fc.weight"].shape == (1000, 512)
        assert load_teacher(spec, ctx.run, ctx.device).shapes(16)[1] == (64, 4, 4)

    def test_trained_further_and_rated_with_the_normalisation_of_its_weights(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        name = "tf_efficientnet_lite0"
        put_weights(name, random_model(name), tmp_path / "hub", monkeypatch)
        spec = tiny_spec(teacher={"model": name, "weights": "finetune", "epochs": 1, "learning_rate": 0.02})
        ctx, _ = context(tmp_path / "run")
        result = run_step(spec, self.step, ctx)
        about = json.loads((ctx.run / "teacher.json").read_text())
        assert (about["mean"], about["std"], about["revision"]) == ([0.5] * 3, [0.5] * 3, REVISION)
        assert about["accuracy"] == result.values["test"]["accuracy"] == result.values["accuracy"]
        model = build(name, weights=ctx.run / "teacher.safetensors").eval()
        images, labels = next(load_splits(spec, ctx.device).test.ordered(1000))
        theirs = (images * torch.tensor(pixels.STD).view(3, 1, 1) + torch.tensor(pixels.MEAN).view(3, 1, 1) - 0.5) / 0.5
        with torch.no_grad():
            assert (model(theirs).argmax(1) == labels).float().mean().item() == pytest.approx(about["accuracy"])
        (expected,) = hooked_maps(model, spec.teacher.boundaries[-1:], theirs)
        maps = load_teacher(spec, ctx.run, ctx.device).features(images, [3])
        torch.testing.assert_close(maps[3], expected, rtol=1e-3, atol=1e-4)

    def test_a_classifier_for_the_classes_of_the_search_on_features_that_were_there(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        model = random_model("resnet10t")
        put_weights("resnet10t", model, tmp_path / "hub", monkeypatch)
        spec = tiny_spec(teacher={"weights": "finetune", "epochs": 1, "learning_rate": 1e-9})
        ctx, _ = context(tmp_path / "run")
        run_step(spec, self.step, ctx)
        weights = load_file(ctx.run / "teacher.safetensors")
        assert weights["fc.weight"].shape == (10, 512)
        torch.testing.assert_close(weights["conv1.0.weight"], model.get_parameter("conv1.0.weight"))


class TestSize:
    step = Step(key="teacher", kind=Kind.TEACHER)

    def test_it_is_trained_at_its_own_size_and_cut_at_the_student_s(self, tmp_path: Path) -> None:
        spec = tiny_spec(teacher={"epochs": 1, "input_size": 32})
        ctx, _ = context(tmp_path)
        result = run_step(spec, self.step, ctx)
        assert result.values["flops"] == count_model(build("resnet10t", num_classes=10), 32).flops
        model = build("resnet10t", weights=tmp_path / "teacher.safetensors").eval()
        images, labels = next(load_splits(spec, ctx.device).test.ordered(1000))
        larger = functional.interpolate(images, size=(32, 32), mode="bilinear", antialias=True)
        with torch.no_grad():
            assert (model(larger).argmax(1) == labels).float().mean().item() == pytest.approx(result.values["accuracy"])
        shapes = load_teacher(spec, tmp_path, ctx.device).shapes(16)
        assert [tuple(shape) for shape in shapes] == [(3, 16, 16), (64, 4, 4), (128, 2, 2), (256, 1, 1)]

    def test_a_transformer_supervises_a_small_student(self, tmp_path: Path) -> None:
        name = "vit_tiny_patch16_224"
        save_file(random_model(name).state_dict(), tmp_path / "mine.safetensors")
        spec = tiny_spec(teacher={"model": name, "weights": str(tmp_path / "mine.safetensors"), "input_size": 224})
        ctx, _ = context(tmp_path / "run")
        run_step(spec, self.step, ctx)
        shapes = load_teacher(spec, ctx.run, ctx.device).shapes(16)
        assert [tuple(shape) for shape in shapes] == [(3, 16, 16), (192, 4, 4), (192, 2, 2), (192, 1, 1)]


def with_boundaries(spec: ResolvedSpec, boundaries: list[str]) -> ResolvedSpec:
    """A spec as an older version, or another of timm, may have left it."""
    return spec.model_copy(update={"teacher": spec.teacher.model_copy(update={"boundaries": boundaries})})
