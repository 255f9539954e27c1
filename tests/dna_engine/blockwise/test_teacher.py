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
from torch import Tensor, nn

from dna_engine.advice import advice
from dna_engine.blockwise.teacher import Teacher, build, find_blocks, load_teacher, run_step
from dna_engine.catalogue import default_space, get_teacher
from dna_engine.errors import Interrupted, TeacherError
from dna_engine.events import Log
from dna_engine.images import pixels
from dna_engine.plans import Kind, Step
from dna_engine.spec import ResolvedSpec
from dna_engine.training import batches
from tests.dna_engine.runs import context, tiny_spec

#: A small model of every family whose stages follow one another: modules, channels, reductions.
CNNS: dict[str, list[tuple[str, int, int]]] = {
    "tinynet_e": [(f"blocks.{i}", c, r) for i, c, r in [(1, 16, 4), (2, 24, 8), (3, 40, 16), (4, 56, 16), (5, 96, 32), (6, 160, 32)]],
    "efficientnetv2_rw_t": [(f"blocks.{i}", c, r) for i, c, r in [(1, 40, 4), (2, 48, 8), (3, 104, 16), (4, 128, 16), (5, 208, 32)]],
    "mobilenetv2_035": [(f"blocks.{i}", c, r) for i, c, r in [(1, 8, 4), (2, 16, 8), (3, 24, 16), (4, 32, 16), (5, 56, 32), (6, 112, 32)]],
    "mobilenetv3_small_050": [(f"blocks.{i}", c, r) for i, c, r in [(0, 8, 4), (1, 16, 8), (2, 24, 16), (3, 24, 16), (4, 48, 32), (5, 288, 32)]],
    "mobilenetv4_conv_small_035": [(f"blocks.{i}", c, r) for i, c, r in [(0, 16, 4), (1, 24, 8), (2, 32, 16), (3, 48, 32), (4, 336, 32)]],
    "resnet10t": [(f"layer{i}", 32 * 2**i, 2 * 2**i) for i in (1, 2, 3, 4)],
    "resnetv2_18": [(f"stages.{i}", 64 * 2**i, 4 * 2**i) for i in range(4)],
    "seresnet18": [(f"layer{i}", 32 * 2**i, 2 * 2**i) for i in (1, 2, 3, 4)],
    "regnetx_002": [("s1", 24, 4), ("s2", 56, 8), ("s3", 152, 16), ("s4", 368, 32)],
    "regnety_002": [("s1", 24, 4), ("s2", 56, 8), ("s3", 152, 16), ("s4", 368, 32)],
    "rexnet_100": [("features.2", 38, 4), ("features.4", 61, 8), ("features.10", 128, 16), ("features.15", 185, 32)],
    "repvgg_a0": [("stages.0", 48, 4), ("stages.1", 96, 8), ("stages.2", 192, 16), ("stages.3", 1280, 32)],
    "densenet121": [("features.denseblock1", 256, 4), ("features.denseblock2", 512, 8), ("features.denseblock3", 1024, 16), ("features.norm5", 1024, 32)],
    "hgnetv2_b0": [("stages.0", 64, 4), ("stages.1", 256, 8), ("stages.2", 512, 16), ("stages.3", 1024, 32)],
    "convnext_atto": [(f"stages.{i}", 40 * 2**i, 4 * 2**i) for i in range(4)],
    "convnextv2_atto": [(f"stages.{i}", 40 * 2**i, 4 * 2**i) for i in range(4)],
    "poolformer_s12": [("stages.0", 64, 4), ("stages.1", 128, 8), ("stages.2", 320, 16), ("stages.3", 512, 32)],
    "mixnet_s": [(f"blocks.{i}", c, r) for i, c, r in [(1, 24, 4), (2, 40, 8), (3, 80, 16), (4, 120, 16), (5, 200, 32)]],
    "ghostnet_050": [(f"blocks.{i}", c, r) for i, c, r in [(1, 12, 4), (2, 12, 4), (3, 20, 8), (4, 20, 8), (5, 40, 16), (6, 56, 16), (7, 80, 32), (8, 80, 32), (9, 480, 32)]],
}  # fmt: skip


def random_model(name: str, **options: Any) -> nn.Module:
    torch.manual_seed(0)
    model = timm.create_model(name, **options)
    assert isinstance(model, nn.Module)
    for module in model.modules():  # Running statistics that do something, so that evaluation mode shows.
        if isinstance(module, nn.BatchNorm2d) and module.running_mean is not None and module.running_var is not None:
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    return model


def hooked_maps(model: nn.Module, modules: list[str], images: Tensor) -> list[Tensor]:
    """What the whole model computes after some modules, copied at once."""
    maps: dict[str, Tensor] = {}
    handles = [
        model.get_submodule(module).register_forward_hook(
            lambda _module, _inputs, output, name=module: maps.__setitem__(name, output.clone())
        )
        for module in modules
    ]
    with torch.no_grad():
        model.eval()(images)
    for handle in handles:
        handle.remove()
    return [maps[module] for module in modules]


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
        teacher = Teacher(model, ["layer1"], mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
        (expected,) = hooked_maps(model, ["layer1"], theirs)
        torch.testing.assert_close(teacher.features(batches.normalize(pixels), [1])[1], expected, rtol=1e-4, atol=1e-5)

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


class TestWeights:
    def test_a_file_of_any_number_of_classes(self, tmp_path: Path) -> None:
        model = random_model("resnet10t", num_classes=7)
        save_file(model.state_dict(), tmp_path / "w.safetensors")
        loaded = build("resnet10t", weights=tmp_path / "w.safetensors")
        assert torch.equal(loaded.state_dict()["fc.weight"], model.get_parameter("fc.weight"))

    def test_a_file_of_another_model(self, tmp_path: Path) -> None:
        save_file(random_model("regnetx_002").state_dict(), tmp_path / "w.safetensors")
        with pytest.raises(TeacherError, match=r"w.safetensors does not hold the weights of resnet10t: Missing key"):
            build("resnet10t", weights=tmp_path / "w.safetensors")

    def test_a_pickle_is_refused(self, tmp_path: Path) -> None:
        torch.save(random_model("resnet10t").state_dict(), tmp_path / "w.pth")
        with pytest.raises(TeacherError, match="cannot be read as safetensors"):
            build("resnet10t", weights=tmp_path / "w.pth")

    def test_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(TeacherError, match="cannot be read as safetensors"):
            build("resnet10t", weights=tmp_path / "none.safetensors")

    def test_a_download_that_fails_names_the_ways_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[dict[str, Any]] = []

        def unreachable(_name: str, **options: Any) -> nn.Module:
            asked.append(options)
            raise OSError("no route to host")

        monkeypatch.setattr(timm, "create_model", unreachable)
        with pytest.raises(TeacherError, match=r"no route to host\). Allow access to the model hub\."):
            build("resnet10t", pretrained=True)
        assert asked[0]["pretrained_cfg_overlay"] == {"hf_hub_filename": "model.safetensors"}, "never a pickle"


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
