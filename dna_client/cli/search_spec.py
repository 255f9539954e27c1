"""A search as options write it: what ``dna search create`` and ``estimate`` take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import typer

from dna_client.cli.options import (
    Flops,
    LatencyMs,
    Params,
    Patience,
    RecipeName,
    TeacherWeight,
    Temperature,
    positive,
    read_json,
)
from dna_client.cli.spec import At, SpecOptions
from dna_client.errors import LocalError


def _read_space(text: str) -> Any:
    return read_json(Path(text)) if text.endswith(".json") else text


@dataclass(frozen=True, kw_only=True)
class SearchOptions(SpecOptions):
    """The options of a search, beside those of any job."""

    file: Annotated[
        Path | None,
        typer.Argument(help="JSON file with the search, - for standard input. Options override it.", metavar="[FILE]"),
    ] = None
    teacher: Annotated[
        str | None, At("teacher.model"), typer.Option(help="timm model; dna teacher list shows them.")
    ] = None
    weights: Annotated[
        str | None,
        At("teacher.weights"),
        typer.Option(
            help="Teacher's weights: pretrained, finetune (those, trained further on the dataset), or train (on the dataset alone)."
        ),
    ] = None
    teacher_from: Annotated[
        str | None,
        At("teacher.from"),
        typer.Option(
            help="A teacher that there is: id of a search whose teacher step is done, or one that was sent.",
            metavar="SEARCH|TEACHER",
        ),
    ] = None
    teacher_epochs: Annotated[
        int | None,
        At("teacher.epochs"),
        typer.Option(help="Epochs of training the teacher, with train or finetune.", min=1, metavar="N"),
    ] = None
    teacher_learning_rate: Annotated[
        float | None,
        At("teacher.learning_rate"),
        typer.Option(help="Peak learning rate of training the teacher.", parser=positive, metavar="RATE"),
    ] = None
    teacher_input_size: Annotated[
        int | None,
        At("teacher.input_size"),
        typer.Option(help="Side in pixels at which the teacher sees the images.", min=1, metavar="N"),
    ] = None
    space: Annotated[
        Any, At("space"), typer.Option(help="Preset, or a JSON file.", parser=_read_space, metavar="NAME|FILE.json")
    ] = None
    flops: Annotated[Flops, At("budget.flops")] = None
    params: Annotated[Params, At("budget.params")] = None
    latency_ms: Annotated[LatencyMs, At("budget.latency_ms")] = None
    epochs: Annotated[
        int | None, At("training.epochs"), typer.Option(help="Epochs of distillation.", min=1, metavar="N")
    ] = None
    distill_learning_rate: Annotated[
        float | None,
        At("training.learning_rate"),
        typer.Option(help="Learning rate of distillation.", parser=positive, metavar="RATE"),
    ] = None
    finalists: Annotated[
        int | None,
        At("select.finalists"),
        typer.Option(
            help="Best rated networks that are trained for a short time before one of them wins; 0: the ratings decide.",
            min=0,
            metavar="N",
        ),
    ] = None
    start: Annotated[
        str | None,
        At("retrain.start"),
        typer.Option(
            help="How winner and control begin: scratch, or inherited, with the weights of their distilled blocks."
        ),
    ] = None
    reference: Annotated[
        list[str] | None,
        At("retrain.references"),
        typer.Option(
            help="Train this model of timm beside the winner, at its cost where that can be: efficientnet_b0, mobilenetv3_small_100 ...; as often "
            "as needed.",
            metavar="MODEL",
        ),
    ] = None
    recipe: Annotated[RecipeName, At("retrain.recipe")] = None
    patience: Annotated[Patience, At("retrain.early_stopping.patience")] = None
    retrain_epochs: Annotated[
        int | None,
        At("retrain.epochs"),
        typer.Option(help="Epochs of training the winner and its control.", min=1, metavar="N"),
    ] = None
    learning_rate: Annotated[
        float | None,
        At("retrain.learning_rate"),
        typer.Option(help="Peak learning rate of winner and control.", parser=positive, metavar="RATE"),
    ] = None
    sampling: Annotated[
        str | None,
        At("retrain.sampling"),
        typer.Option(
            help="Images of winner and control. uniform: every one once an epoch; by_class: of every class as many."
        ),
    ] = None
    devices: Annotated[
        int | None,
        At("retrain.devices"),
        typer.Option(
            help="GPUs of one worker that train winner and control, each together (dna worker --devices-per-step).",
            min=1,
            metavar="N",
        ),
    ] = None
    teacher_weight: Annotated[TeacherWeight, At("retrain.distill.weight")] = None
    temperature: Annotated[Temperature, At("retrain.distill.temperature")] = None

    recipe_at: ClassVar[Sequence[str]] = ("retrain",)

    def _file(self) -> Path | None:
        if self.file is not None and self.spec is not None:
            raise LocalError(f"Name one file with the search: {self.file}, or --spec {self.spec}.")
        return self.file or self.spec
