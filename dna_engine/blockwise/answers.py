"""The whole teacher, with its head, where its answers are learned from."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import Tensor, nn

from dna_engine.blockwise.lens import Lens
from dna_engine.blockwise.models import build
from dna_engine.errors import TeacherError
from dna_engine.plans import files


class WholeTeacher(nn.Module):
    """A frozen timm model that gives logits (B, classes) for images that are normalised by ``pixels.MEAN`` and ``pixels.STD``.

    Args:
        lens: through which it sees the images.
        last: the last of its boundaries.
    """

    def __init__(self, model: nn.Module, lens: Lens, last: str = "") -> None:
        super().__init__()
        self.model, self.lens, self.last = model, lens, last
        self.requires_grad_(False)
        self.eval()

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.model(self.lens(images))
        return logits


def load_whole(run: Path, classes: int, device: torch.device, *, size: int | None = None) -> WholeTeacher:
    """The teacher whose files lie in the run folder.

    Args:
        size: side in pixels at which it sees the images; None for theirs.

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
    teacher = WholeTeacher(model, Lens(mean=about["mean"], std=about["std"], size=size), about["boundaries"][-1])
    return teacher.to(device).to(memory_format=torch.channels_last)
