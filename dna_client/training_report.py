"""What a training has reached, and where its time went, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType

from dna_client.class_report import by_class
from dna_client.cli import output
from dna_client.models import Training
from dna_client.report import accuracy_table, apart
from dna_client.times import phase_times, times


def result(training: Training) -> RenderableType:
    """The network, what it reaches, its files, the time by phase: what there is of them while the training is under way."""
    name, accuracy = training["network"], training["test_accuracy"]
    parts: list[list[RenderableType]] = [
        [network(training), *settings(training), *pace(training["values"])],
        accuracy_table([(name, accuracy, training["test"])]),
        by_class(training.get("by_class"), training["test"]),
        [files(training)] if training["files"] else [],
        [times(training["steps"])] if phase_times(training["steps"]) else [],
    ]
    return Group(*apart(parts))


def network(training: Training) -> RenderableType:
    """What is trained, on what; its costs by formula."""
    columns = ("network", "dataset", "flops", "params", "architecture")
    row = (
        training["network"],
        training["dataset"],
        output.count(training["flops"]),
        output.count(training["params"]),
        training["architecture_id"] or "",
    )
    return output.table(columns, [row], right=columns[2:4], ids=("architecture",), droppable=("params", "dataset"))


def settings(training: Training) -> list[RenderableType]:
    """By what it is trained, in a line; the spec of its search says it of one that is part of a search."""
    spec = training["spec"]
    if spec is None:
        return []
    said = f"{output.many(spec['epochs'], 'epoch')} by {spec['recipe']}, batches of {spec['batch_size']}, learning rate {spec['learning_rate']:g}"
    return [f"{said}, {spec['input_size']} pixels, seed {spec['seed']}{started(spec)}"]


def pace(values: Mapping[str, Any]) -> list[RenderableType]:
    """Where it ended, where that was early; and how fast its images came beside how fast it took them."""
    said = []
    if stopped := values.get("early_stopping"):
        ended = "Stopped early" if stopped["early"] else "Ended"
        said.append(
            f"{ended} after epoch {stopped['epoch']:g}; the weights of epoch {stopped['best_epoch']:g}, log-loss {stopped['log_loss']:.4f} on "
            f"{stopped['images']:,} images held out."
        )
    if values.get("waited") is not None:
        said.append(
            f"{values['images_per_second']:,.0f} images a second: the network alone {values['step_images_per_second']:,.0f}, its images alone "
            f"{values['loader_images_per_second']:,.0f}; waited for {values['waited']:.0%} of the time."
        )
    return list(said)


def started(recipe: Mapping[str, Any]) -> str:
    """What a network begins with, and what of its search it learns from, where it does; a recipe of earlier versions has neither."""
    said = {"inherited": ", from its distilled blocks", "transferred": _taken(recipe)}.get(recipe.get("start", ""), "")
    if distill := recipe.get("distill"):
        said += f", teacher's answers {distill['weight']:g} at temperature {distill['temperature']:g}"
    return said


def _taken(recipe: Mapping[str, Any]) -> str:
    """The weights of another training, and how fast they may change."""
    if not (given := recipe.get("transferred")):
        return ""
    head = "its classifier too" if given["keeps_head"] else "a new classifier"
    alone = f", {output.many(recipe['head_epochs'], 'epoch')} of the classifier alone" if recipe["head_epochs"] else ""
    rate = recipe["backbone_learning_rate"]
    slower = "" if rate is None else f", {rate:g} in the layers before it"
    return f", from training {given['training']} on {given['dataset']}, {head}{slower}{alone}"


def files(training: Training) -> RenderableType:
    rows = [
        (
            file["format"],
            output.size(file["size"]),
            output.percent(file.get("accuracy")),
            f"{took['median_ms']:.2f}" if (took := file.get("latency")) else "",
            file["sha256"],
        )
        for file in training["files"]
    ]
    columns = ("format", "size", "accuracy", "ms a picture", "sha256")
    return output.table(columns, rows, right=columns[1:4], droppable=("sha256", "ms a picture"))
