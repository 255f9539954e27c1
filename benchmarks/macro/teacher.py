"""The teacher: a small timm ResNet that sees every pixel in its stem, and whose first three stages end where the space's blocks do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import timm
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from dna_engine.blockwise.teacher import Teacher
from dna_engine.runtime.checkpoint import remove
from dna_engine.runtime.context import Context
from dna_engine.training import train
from dna_engine.training.recipe import Recipe
from dna_engine.training.splits import Splits

#: Modules whose maps are 16, 8 and 4 pixels wide for images of 32, and their channels; a fourth stage stands behind them.
BOUNDARIES = ("layer1", "layer2", "layer3")
CHANNELS = (48, 96, 192)


def build(num_classes: int) -> nn.Module:
    """A ResNet of one residual block a stage; its stem, three convolutions, halves no pixels but in its pooling."""
    model = timm.create_model("resnet10t", num_classes=num_classes, channels=(*CHANNELS, CHANNELS[-1]), stem_width=16)
    cast(nn.Conv2d, model.get_submodule("conv1.0")).stride = (1, 1)
    return model


def make(splits: Splits, num_classes: int, recipe: Recipe, *, seed: int, context: Context) -> None:
    """Trains a teacher, writes ``teacher.safetensors`` and ``teacher.json`` (accuracy on the test images) to the run folder."""
    torch.manual_seed(seed)
    model, checkpoint = build(num_classes), context.run / "checkpoint.safetensors"
    fitted = train.fit(model, splits, recipe, seed=seed, context=context, checkpoint=checkpoint, part="teacher")
    save_file(
        {name: value.contiguous() for name, value in model.state_dict().items()}, context.run / "teacher.safetensors"
    )
    (context.run / "teacher.json").write_text(json.dumps(fitted.to_json() | {"classes": num_classes}, indent=1))
    remove(checkpoint)


def load(folder: Path, device: torch.device) -> Teacher:
    """What :func:`make` left in a folder, cut at the boundaries."""
    model = build(json.loads((folder / "teacher.json").read_text())["classes"])
    model.load_state_dict(load_file(folder / "teacher.safetensors"))
    return Teacher(model, BOUNDARIES).to(device).to(memory_format=torch.channels_last)
