"""The whole teacher: its logits for images that are normalised our way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional

from dna_engine.blockwise.answers import WholeTeacher, load_whole
from dna_engine.blockwise.lens import Lens
from dna_engine.blockwise.models import build
from dna_engine.errors import TeacherError
from dna_engine.images.pictures import pixels
from dna_engine.training.batches import normalize

CPU = torch.device("cpu")
MEAN, STD = [0.5, 0.4, 0.3], [0.2, 0.25, 0.5]


def test_it_answers_as_the_model_does_in_the_normalisation_of_its_own() -> None:
    torch.manual_seed(0)
    model = build("resnet10t", num_classes=5).eval()
    bytes_ = torch.randint(0, 256, (3, 3, 32, 32), dtype=torch.uint8)
    theirs = (bytes_ / 255 - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
    expected = model(theirs)
    found = WholeTeacher(model, Lens(mean=MEAN, std=STD))(normalize(bytes_))
    assert (found - expected).abs().max() < 1e-4 * expected.abs().max()
    assert not found.requires_grad


def test_it_is_loaded_from_the_run_folder_where_its_classes_are_those(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = build("resnet10t", num_classes=5)
    save_file(model.state_dict(), tmp_path / "teacher.safetensors")
    about = {"model": "resnet10t", "mean": list(pixels.MEAN), "std": list(pixels.STD), "boundaries": ["layer4"]}
    (tmp_path / "teacher.json").write_text(json.dumps(about))
    images = torch.randn(2, 3, 32, 32)
    assert torch.allclose(load_whole(tmp_path, 5, CPU)(images), model.eval()(images), atol=1e-6)
    larger = functional.interpolate(images, size=(64, 64), mode="bilinear", antialias=True)
    assert torch.allclose(load_whole(tmp_path, 5, CPU, size=64)(images), model(larger), atol=1e-6)
    with pytest.raises(TeacherError, match="answer with 5 classes, the dataset has 10") as caught:
        load_whole(tmp_path, 10, CPU)
    assert caught.value.param == "teacher.weights"
