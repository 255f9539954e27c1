"""Models and their weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import nn

from dna_engine.blockwise.models import Origin, build, downloaded, native_config, origin
from dna_engine.errors import TeacherError
from tests.dna_engine.blockwise.hub import REVISION, put_weights
from tests.dna_engine.blockwise.models import random_model


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

    @pytest.mark.parametrize(("name", "tag"), [("resnet10t", "c3_in1k"), ("resnet18.a1_in1k", "a1_in1k")])
    def test_those_of_timm_and_where_they_come_from(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, tag: str
    ) -> None:
        model = random_model(name)
        put_weights(name, model, tmp_path, monkeypatch)
        loaded = downloaded(name, torch.device("cpu"))
        assert torch.equal(loaded.get_parameter("fc.weight"), model.get_parameter("fc.weight"))
        assert origin(name) == Origin(tag=tag, hub=f"timm/{name.partition('.')[0]}.{tag}", revision=REVISION)

    def test_a_tag_has_a_normalisation_of_its_own(self) -> None:
        assert native_config("efficientnet_b1.ra4_e3600_r240_in1k").mean == (0.5, 0.5, 0.5)
        assert native_config("efficientnet_b1.ft_in1k").mean == (0.485, 0.456, 0.406)
