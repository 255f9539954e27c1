"""The train step: a network by its recipe, from scratch, from the weights of its distilled blocks, or from those of another training."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from timm.models.efficientnet import EfficientNet
from torch import nn

from dna_engine.blockwise.answers import WholeTeacher, load_whole
from dna_engine.blockwise.begin import begin, inexact, settle
from dna_engine.by_class import Confusion
from dna_engine.disk import is_full
from dna_engine.events import Log, Result
from dna_engine.plans import Step, files
from dna_engine.plans.results import Trained
from dna_engine.runtime import checkpoint as checkpoints
from dna_engine.runtime.context import Context
from dna_engine.runtime.cores import threads
from dna_engine.space.architecture import Architecture
from dna_engine.spec import ResolvedAlone, ResolvedNetworks, ResolvedSpec
from dna_engine.training.batches import Images
from dna_engine.training.described import Network, build_any, costs, read, work
from dna_engine.training.network import calm_classifier
from dna_engine.training.recipe import Recipe
from dna_engine.training.splits import Splits, load_splits
from dna_engine.training.train import Evaluation, FitResult, fit
from dna_engine.training.transfer import take_weights


def run_step(spec: ResolvedNetworks, step: Step, context: Context) -> Result:
    """Trains the network in the folder ``step.network``.

    Reads its ``architecture.json``, or writes it where the spec describes the network, the weights of the cells where it inherits
    them, ``start.safetensors`` where another training has left those that it begins with, and the teacher where it
    learns from its answers. Writes ``weights.safetensors``, ``training.json`` (:class:`~dna_engine.plans.results.Trained`), and ``confusion.json`` with a picture.

    Raises:
        NonFiniteLoss: training diverged.
        Interrupted: told to stop; a checkpoint was written.
    """
    assert step.network is not None
    folder = context.run / step.network
    if step.network in spec.given:
        _write(folder / files.ARCHITECTURE, spec.given[step.network])
    network = read(json.loads((folder / files.ARCHITECTURE).read_text()))
    recipe = recipe_of(spec)
    model = begun(spec, network, recipe)
    fitted = fit_network(spec, step, network, model, recipe, load_splits(spec, context.device), context)
    if not context.team.leads:
        return Result(artifacts=[])  # The first writes what all have trained.
    confusion = _confusion(spec, fitted.evaluation)
    predicted, counted = costs(network)
    found = Trained(
        **fitted.figures,
        by_class=confusion.by_class(),
        predicted=predicted,
        counted=counted,
        recipe={"name": spec.recipe_of_networks.recipe, **asdict(recipe)},
        start=spec.start_of(step.network),
        transferred_from=spec.transferred.dataset if isinstance(spec, ResolvedAlone) and spec.transferred else None,
        dataset=spec.dataset.name,
        seed=spec.seed,
    )
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, folder / files.WEIGHTS)
    _write(folder / files.TRAINING, found.model_dump(mode="json"))
    (folder / files.CONFUSION).write_text(confusion.model_dump_json() + "\n")
    drawn = _draw(confusion, f"{step.network} on the test images of {spec.dataset.name}", context, folder)
    checkpoints.remove(context.run / step.checkpoint)
    return found.result([*step.outputs(spec), *files.of_network(step.network, files.CONFUSION, *drawn)])


def recipe_of(spec: ResolvedNetworks) -> Recipe:
    """What its networks are trained by."""
    recipe = Recipe.of(spec.recipe_of_networks)
    if not isinstance(spec, ResolvedAlone):
        return recipe
    return replace(recipe, frozen_epochs=spec.head_epochs, backbone_rate=spec.backbone_learning_rate)


def begun(spec: ResolvedNetworks, network: Network, recipe: Recipe) -> nn.Module:
    """The network with weights drawn by the seed."""
    torch.manual_seed(spec.seed)
    model = build_any(network, dropout=recipe.dropout, drop_path=recipe.drop_path)
    calm_classifier(model)
    return model


def fit_network(
    spec: ResolvedNetworks,
    step: Step,
    network: Network,
    model: nn.Module,
    recipe: Recipe,
    splits: Splits,
    context: Context,
    *,
    part: str | None = None,
    warn: bool = True,
) -> FitResult:
    """Trains the network from where it begins; goes on from the checkpoint of the step, if there is one.

    Args:
        part: what it is called in series and progress. Default: by its folder.
        warn: as of :func:`~dna_engine.training.train.fit`.
    """
    assert step.network is not None
    part, teacher = part or step.network, _teacher(spec, step.network, context)
    with threads(work(network, recipe.batch_size)):
        if spec.start_of(step.network) == "inherited":
            assert isinstance(network, Architecture)
            assert isinstance(model, EfficientNet)
            _inherit(spec, part, network, model, splits.train, context, teacher)
        if isinstance(spec, ResolvedAlone) and spec.transferred:
            take_weights(model, context.run / files.START, head=spec.transferred.keeps_head)
            settle(model.to(context.device), splits.train, batch_size=recipe.batch_size, seed=spec.seed)
        return fit(
            model,
            splits,
            recipe,
            seed=spec.seed,
            context=context,
            checkpoint=context.run / step.checkpoint,
            part=part,
            rate_field=spec.rate_field,
            warn=warn,
            teacher=teacher if recipe.teacher_weight else None,
        )


def _confusion(spec: ResolvedNetworks, evaluation: Evaluation) -> Confusion:
    """The answers by the names of the classes, or their numbers where these have none."""
    names = spec.dataset.class_names or [str(number) for number in range(evaluation.classes)]
    return Confusion.count(evaluation.labels, evaluation.given, names)


def _draw(confusion: Confusion, title: str, context: Context, folder: Path) -> list[str]:
    """The file of the picture, if it could be drawn: for want of one no training is lost. A full disk passes: the step is tried again."""
    try:
        from dna_engine.confusion_plot import plot_confusion  # matplotlib is slow to import, and only the end needs it

        plot_confusion(confusion, title, folder / files.CONFUSION_PICTURE)
    except Exception as error:
        if is_full(error):
            raise
        reason = f"The confusion matrix could not be drawn: {type(error).__name__}: {error}"
        context.reporter.emit(Log(level="warning", message=reason))
        return []
    return [files.CONFUSION_PICTURE]


def _inherit(
    spec: ResolvedNetworks,
    name: str,
    architecture: Architecture,
    model: EfficientNet,
    images: Images,
    context: Context,
    teacher: WholeTeacher | None,
) -> None:
    """The network begins where the distillation of its blocks ended."""
    model.to(context.device)
    errors = begin(
        model,
        architecture,
        spec.parsed_space,
        context.run,
        images,
        batch_size=spec.recipe_of_networks.batch_size,
        seed=spec.seed,
        teacher=teacher if spec.head_from_teacher else None,
    )
    if said := inexact(name, errors):
        context.reporter.emit(Log(level="warning", message=said))


def _teacher(spec: ResolvedNetworks, network: str, context: Context) -> WholeTeacher | None:
    """The one whose answers are learned from, or whose head is taken."""
    takes_head = spec.start_of(network) == "inherited" and spec.head_from_teacher
    if spec.recipe_of_networks.distill is None and not takes_head:
        return None
    assert isinstance(spec, ResolvedSpec | ResolvedAlone)
    assert spec.teacher is not None
    return load_whole(context.run, spec.dataset.num_classes, context.device, size=spec.teacher.input_size)


def _write(path: Path, value: Any) -> None:
    """Whole or not at all: another process of the team may be reading it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(json.dumps(value, indent=1) + "\n")
    beside.replace(path)
