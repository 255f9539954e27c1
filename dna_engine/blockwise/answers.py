"""The whole teacher, with its head, where its answers are learned from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from dna_engine.blockwise.models import build
from dna_engine.errors import TeacherError
from dna_engine.images import pixels
from dna_engine.plans import files


class WholeTeacher(nn.Module):
    """A frozen timm model that gives logits (B, classes) for images that are normalised by ``pixels.MEAN`` and ``pixels.STD``.

    Args:
        mean, std: normalisation that the model was trained with, per channel.
    """

    def __init__(self, model: nn.Module, *, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.model = model
        ours = torch.tensor([pixels.MEAN, pixels.STD]).view(2, 1, 3, 1, 1)
        theirs = torch.tensor([list(mean), list(std)]).view(2, 1, 3, 1, 1)
        self.scale: Tensor
        self.shift: Tensor
        self.register_buffer("scale", ours[1] / theirs[1])
        self.register_buffer("shift", (ours[0] - theirs[0]) / theirs[1])
        self.requires_grad_(False)
        self.eval()

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.model(images * self.scale + self.shift)
        return logits


def load_whole(run: Path, classes: int, device: torch.device) -> WholeTeacher:
    """The teacher whose files lie in the run folder.

    Raises:
        TeacherError: it has another number of classes.
    """
    about = json.loads((run / files.TEACHER).read_text())
    model = build(about["model"], weights=run / files.TEACHER_WEIGHTS)
    given = getattr(model, "num_classes", None)
    if given != classes:
        raise TeacherError(
            f"The weights of {about['model']} answer with {given} classes, the dataset has {classes}: a network can learn from the answers "
            "of a teacher (distill) only where both have the same.",
            param="teacher.weights",
        )
    teacher = WholeTeacher(model, mean=about["mean"], std=about["std"])
    return teacher.to(device).to(memory_format=torch.channels_last)
