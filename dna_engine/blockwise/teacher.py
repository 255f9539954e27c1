"""A trained timm model as supervisor: its weights, its feature maps, and the step that brings it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from dna_engine.advice import advice
from dna_engine.blockwise.cut import check, cut
from dna_engine.blockwise.lens import Lens, seen
from dna_engine.blockwise.models import Origin, build, downloaded, native_config, origin
from dna_engine.blockwise.stages import find_blocks
from dna_engine.errors import TeacherError
from dna_engine.events import Log, Result
from dna_engine.images.pictures import pixels
from dna_engine.jsonfile import read_object
from dna_engine.plans import Step, files
from dna_engine.plans.results import TeacherFound
from dna_engine.runtime import checkpoint
from dna_engine.runtime.context import Context
from dna_engine.space.cost import block_sizes
from dna_engine.spec import GivenTeacher, ResolvedSpec
from dna_engine.training import train
from dna_engine.training.network import calm_classifier, count_model, renew_classifier
from dna_engine.training.recipe import Recipe
from dna_engine.training.splits import load_splits


class Teacher(nn.Module):
    """A frozen supervisor: batch norm by its running statistics, no gradients, no deeper than needed.

    Args:
        model: the trained timm model.
        boundaries: modules after which it is cut, one for each block of the space.
        lens: through which it sees the images; by default as they are.
        sides: of the maps, one for each boundary, where they are not those that the model gives.
    """

    def __init__(
        self,
        model: nn.Module,
        boundaries: Sequence[str],
        *,
        lens: Lens | None = None,
        sides: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        for module in model.modules():  # A map that was handed out must not change when the next block runs.
            if getattr(module, "inplace", False):
                module.inplace = False  # type: ignore[assignment]
        self.trunk = cut(model, boundaries, sides)
        self.lens = lens or Lens()
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> Teacher:  # noqa: ARG002
        """Stays in evaluation mode."""
        return super().train(False)

    @torch.no_grad()
    def features(self, images: Tensor, boundaries: Collection[int]) -> dict[int, Tensor]:
        """Feature maps (B, C, H, W) after some boundaries, numbered from 1; 0 is the images themselves.

        Args:
            images: (B, 3, S, S), normalised by ``pixels.MEAN`` and ``pixels.STD``.
        """
        maps = self.trunk(self.lens(images), max(boundaries)) if max(boundaries) else []
        return {number: maps[number - 1] if number else images for number in boundaries}

    def shapes(self, input_size: int) -> list[torch.Size]:
        """Shapes (C, H, W) of the maps at boundary 0, the image, to the last."""
        image = torch.zeros(1, 3, input_size, input_size, device=self.lens.scale.device)
        return [map_.shape[1:] for map_ in self.features(image, range(self.trunk.depth + 1)).values()]


def load_teacher(spec: ResolvedSpec, run: Path, device: torch.device) -> Teacher:
    """The teacher that :func:`run_step` left in the run folder, cut as the spec says."""
    about = json.loads((run / files.TEACHER).read_text())
    model = build(spec.teacher.model, weights=run / files.TEACHER_WEIGHTS)
    sides = None if spec.teacher_size == spec.input_size else block_sizes(spec.parsed_space, spec.input_size)[1:]
    teacher = Teacher(model, spec.teacher.boundaries, lens=_lens(spec, about["mean"], about["std"]), sides=sides)
    return teacher.to(device).to(memory_format=torch.channels_last)


def _lens(spec: ResolvedSpec, mean: Sequence[float], std: Sequence[float]) -> Lens:
    return Lens(mean=mean, std=std, size=spec.teacher.input_size)


def run_step(spec: ResolvedSpec, step: Step, context: Context) -> Result:
    """Makes the teacher: takes weights of timm or of a file, or draws them at random; and trains it on the search's own images where
    it is to know them.

    Writes ``teacher.safetensors`` (weights, head included) and ``teacher.json`` (where they come from, accuracy on the test images and
    what it says where the classes are the search's, normalisation, blocks), and logs what will weaken the ratings.

    Raises:
        TeacherError: weights that cannot be had, boundaries that the model does not have, or an input size that does not suit it.
        Interrupted: told to stop; a checkpoint was written.
    """
    start = _start(spec, context)
    check(start.model, spec)  # Before it is trained for nothing, and before anything is kept.
    for weakness in advice(spec):
        context.reporter.emit(Log(level="warning", message=weakness))
    fitted = _fit(start, spec, step, context) if spec.teacher.weights in ("train", "finetune") else None
    about = {
        "model": spec.teacher.model,
        "weights": spec.teacher.weights,
        "source": spec.teacher.given and spec.teacher.given.named,
        **asdict(start.origin),
        "accuracy": fitted.test_accuracy if fitted else start.reached.get("accuracy"),
        "test": fitted.test.model_dump(mode="json") if fitted else start.reached.get("test"),
        "input_size": spec.teacher_size,
        "mean": list(start.mean),
        "std": list(start.std),
        "boundaries": spec.teacher.boundaries,
        "blocks": [vars(block) for block in find_blocks(start.model)],
    }
    _keep(start.model, about, context.run)
    checkpoint.remove(context.run / step.checkpoint)
    cost = count_model(start.model, spec.teacher_size)
    return TeacherFound.model_validate(about | vars(cost)).result(step.outputs(spec))


@dataclass(frozen=True, kw_only=True)
class _Start:
    """A model before any training here, how the images of its weights were normalised, where those come from, and what was reached
    with them on the test images of the search.
    """

    model: nn.Module
    mean: Sequence[float] = pixels.MEAN
    std: Sequence[float] = pixels.STD
    origin: Origin = field(default_factory=Origin)
    reached: Mapping[str, Any] = field(default_factory=dict)


def _start(spec: ResolvedSpec, context: Context) -> _Start:
    start = _found(spec, context)
    if spec.teacher.weights == "finetune":
        renew_classifier(start.model, spec.dataset.num_classes, seed=spec.seed)
    return start


def _found(spec: ResolvedSpec, context: Context) -> _Start:
    """The model with the weights that it begins with."""
    name, weights = spec.teacher.model, spec.teacher.weights
    if spec.teacher.given is not None:
        return _given(spec, spec.teacher.given, context.run)
    torch.manual_seed(spec.seed)
    if weights == "train":
        model = build(name, num_classes=spec.dataset.num_classes)
        calm_classifier(model)
        return _Start(model=model)
    if weights not in ("pretrained", "finetune"):
        return _Start(model=build(name, weights=Path(weights)))
    model, config = downloaded(name, context.device), native_config(name)
    return _Start(model=model, mean=config.mean, std=config.std, origin=origin(name))


def _given(spec: ResolvedSpec, given: GivenTeacher, run: Path) -> _Start:
    """What another search, or whoever sent the weights, left: as it was normalised there."""
    if given.kind == "folder":
        weights, about_it = Path(given.source) / files.TEACHER_WEIGHTS, Path(given.source) / files.TEACHER
    else:
        weights, about_it = run / files.GIVEN_WEIGHTS, run / files.GIVEN
    about = read_object(about_it, TeacherError)
    return _Start(
        model=build(given.model, weights=weights),
        mean=about["mean"],
        std=about["std"],
        origin=Origin(**{name: about.get(name) for name in ("tag", "hub", "revision")}),
        reached=about if given.taught == spec.dataset else {},
    )


def _fit(start: _Start, spec: ResolvedSpec, step: Step, context: Context) -> train.FitResult:
    """Trains the model in place, on images as it will see them when it supervises."""
    return train.fit(
        start.model,
        seen(load_splits(spec, context.device), _lens(spec, start.mean, start.std).to(context.device)),
        Recipe.of_teacher(spec.teacher),
        seed=spec.seed,
        context=context,
        checkpoint=context.run / step.checkpoint,
        part="teacher",
        rate_field="teacher.learning_rate",
    )


def _keep(model: nn.Module, about: Mapping[str, Any], run: Path) -> None:
    run.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, run / files.TEACHER_WEIGHTS)
    (run / files.TEACHER).write_text(json.dumps(about, indent=1))
