"""A trained timm model as supervisor: its weights, its feature maps, and the step that brings it."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from dna_engine.advice import advice
from dna_engine.blockwise.cut import check, cut
from dna_engine.blockwise.models import build, downloaded, native_config
from dna_engine.blockwise.stages import find_blocks
from dna_engine.events import Log, Result
from dna_engine.images import pixels
from dna_engine.plans import Step, files
from dna_engine.plans.results import TeacherFound
from dna_engine.runtime import checkpoint
from dna_engine.runtime.context import Context
from dna_engine.spec import ResolvedSpec
from dna_engine.training import train
from dna_engine.training.network import calm_classifier, count_model
from dna_engine.training.recipe import Recipe
from dna_engine.training.splits import load_splits


class Teacher(nn.Module):
    """A frozen supervisor: batch norm by its running statistics, no gradients, no deeper than needed.

    Args:
        model: the trained timm model.
        boundaries: modules after which it is cut, one for each block of the space.
        mean, std: normalisation that the model was trained with, per channel; the images it is given are normalised by
            ``pixels.MEAN`` and ``pixels.STD``.
    """

    def __init__(
        self,
        model: nn.Module,
        boundaries: Sequence[str],
        *,
        mean: Sequence[float] = pixels.MEAN,
        std: Sequence[float] = pixels.STD,
    ) -> None:
        super().__init__()
        for module in model.modules():  # A map that was handed out must not change when the next block runs.
            if getattr(module, "inplace", False):
                module.inplace = False  # type: ignore[assignment]
        self.trunk = cut(model, boundaries)
        ours = torch.tensor([pixels.MEAN, pixels.STD]).view(2, 1, 3, 1, 1)
        theirs = torch.tensor([list(mean), list(std)]).view(2, 1, 3, 1, 1)
        self.same = bool(torch.equal(ours, theirs))
        self.scale: Tensor
        self.shift: Tensor
        self.register_buffer("scale", ours[1] / theirs[1])
        self.register_buffer("shift", (ours[0] - theirs[0]) / theirs[1])
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> Teacher:  # noqa: ARG002
        """Stays in evaluation mode."""
        return super().train(False)

    @torch.no_grad()
    def features(self, images: Tensor, boundaries: Collection[int]) -> dict[int, Tensor]:
        """Feature maps (B, C, H, W) after some boundaries, numbered from 1; 0 is the images themselves."""
        x = images if self.same else images * self.scale + self.shift
        maps = self.trunk(x, max(boundaries)) if max(boundaries) else []
        return {number: maps[number - 1] if number else images for number in boundaries}

    def shapes(self, input_size: int) -> list[torch.Size]:
        """Shapes (C, H, W) of the maps at boundary 0, the image, to the last."""
        image = torch.zeros(1, 3, input_size, input_size, device=self.scale.device)
        return [map_.shape[1:] for map_ in self.features(image, range(self.trunk.depth + 1)).values()]


def load_teacher(spec: ResolvedSpec, run: Path, device: torch.device) -> Teacher:
    """The teacher that :func:`run_step` left in the run folder, cut as the spec says."""
    about = json.loads((run / files.TEACHER).read_text())
    model = build(spec.teacher.model, weights=run / files.TEACHER_WEIGHTS)
    teacher = Teacher(model, spec.teacher.boundaries, mean=about["mean"], std=about["std"])
    return teacher.to(device).to(memory_format=torch.channels_last)


def run_step(spec: ResolvedSpec, step: Step, context: Context) -> Result:
    """Makes the teacher: trains it on the search's own images, downloads it, or takes the file it is given.

    Writes ``teacher.safetensors`` (weights, head included) and ``teacher.json`` (accuracy on the test images and what it
    says where the classes are the search's, normalisation, blocks), and logs what will weaken the ratings.

    Raises:
        TeacherError: weights that cannot be had, boundaries that the model does not have, or an input size that does not suit it.
        Interrupted: told to stop; a checkpoint was written.
    """
    about: dict[str, Any] = {
        "model": spec.teacher.model,
        "weights": spec.teacher.weights,
        "accuracy": None,
        "test": None,
    }
    mean: Sequence[float] = pixels.MEAN
    std: Sequence[float] = pixels.STD
    if spec.teacher.weights == "train":
        model, fitted = _trained(spec, step, context)
        about |= {"accuracy": fitted.test_accuracy, "test": fitted.test.model_dump(mode="json")}
    elif spec.teacher.weights == "pretrained":
        model = downloaded(spec.teacher.model, context.device)
        mean, std = native_config(spec.teacher.model).mean, native_config(spec.teacher.model).std
    else:
        model = build(spec.teacher.model, weights=Path(spec.teacher.weights))
    check(model, spec)  # Before anything is kept.
    for weakness in advice(spec):
        context.reporter.emit(Log(level="warning", message=weakness))
    about |= {"mean": list(mean), "std": list(std), "boundaries": spec.teacher.boundaries}
    about["blocks"] = [vars(block) for block in find_blocks(model)]
    context.run.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, context.run / files.TEACHER_WEIGHTS)
    (context.run / files.TEACHER).write_text(json.dumps(about, indent=1))
    checkpoint.remove(context.run / step.checkpoint)
    found = TeacherFound(accuracy=about["accuracy"], test=about["test"], **vars(count_model(model, spec.input_size)))
    return found.result(step.outputs(spec))


def _trained(spec: ResolvedSpec, step: Step, context: Context) -> tuple[nn.Module, train.FitResult]:
    torch.manual_seed(spec.seed)
    model = build(spec.teacher.model, num_classes=spec.dataset.num_classes)
    calm_classifier(model)
    check(model, spec)  # Before it is trained for nothing.
    recipe = Recipe.of_teacher(spec.teacher)
    fitted = train.fit(
        model,
        load_splits(spec, context.device),
        recipe,
        seed=spec.seed,
        context=context,
        checkpoint=context.run / step.checkpoint,
        part="teacher",
        rate_field="teacher.learning_rate",
    )
    return model, fitted
