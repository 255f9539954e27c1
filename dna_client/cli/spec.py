"""A search as options write it: what ``create`` and ``estimate`` take, and the request it becomes."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from dna_client.cli.options import Flops, Label, LatencyMs, Params, labels, positive, read_json
from dna_client.errors import LocalError


@dataclass(frozen=True)
class At:
    """Where an option goes in the request: a dotted path, such as ``teacher.epochs``."""

    path: str


def _read_space(text: str) -> Any:
    return read_json(Path(text)) if text.endswith(".json") else text


@dataclass(frozen=True, kw_only=True)
class SpecOptions:
    """The options, each with its place in the request. They lie over the file, field by field."""

    file: Annotated[
        Path | None,
        typer.Argument(help="JSON file with the search, - for standard input. Options override it.", metavar="[FILE]"),
    ] = None
    spec: Annotated[Path | None, typer.Option(help="The same file, as an option.", metavar="FILE")] = None
    name: Annotated[str | None, At("name"), typer.Option(help="What to call the search.")] = None
    dataset: Annotated[
        str | None, At("dataset"), typer.Option(help="Dataset to search on; dna dataset list shows them.")
    ] = None
    input_size: Annotated[
        int | None,
        At("input_size"),
        typer.Option(help="Side in pixels that images are resized to.", min=1, metavar="N"),
    ] = None
    teacher: Annotated[
        str | None, At("teacher.model"), typer.Option(help="timm model; dna teacher list shows them.")
    ] = None
    weights: Annotated[
        str | None,
        At("teacher.weights"),
        typer.Option(help="Teacher's weights: pretrained, or train on the dataset first."),
    ] = None
    teacher_epochs: Annotated[
        int | None,
        At("teacher.epochs"),
        typer.Option(help="Epochs of training the teacher, with train.", min=1, metavar="N"),
    ] = None
    teacher_learning_rate: Annotated[
        float | None,
        At("teacher.learning_rate"),
        typer.Option(help="Peak learning rate of training the teacher.", parser=positive, metavar="RATE"),
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
    seed: Annotated[
        int | None, At("seed"), typer.Option(help="Same spec and seed, same result.", min=0, metavar="N")
    ] = None
    label: Label = None

    def request(self) -> dict[str, Any]:
        """The body of ``POST /searches``.

        Raises:
            LocalError: no dataset is named, or the file cannot be read.
        """
        if self.file is not None and self.spec is not None:
            raise LocalError(f"Name one file with the search: {self.file}, or --spec {self.spec}.")
        file = self.file or self.spec
        body = read_json(file) if file is not None else {}
        for path, value in self._given():
            _put(body, path, value)
        if "dataset" not in body:
            raise LocalError(
                "Name the dataset: --dataset digits, or a JSON file that has it. dna dataset list shows them."
            )
        return body

    def _given(self) -> Iterator[tuple[list[str], Any]]:
        for name, path in paths().items():
            if (value := getattr(self, name)) is not None:
                yield path.split("."), value
        yield from ((["labels", name], value) for name, value in labels(self.label or []).items())


@functools.cache
def _hints() -> dict[str, Any]:
    return get_type_hints(SpecOptions, include_extras=True)


@functools.cache
def paths() -> dict[str, str]:
    """The place in the request of every option that has one, by the name of the option."""
    marks = {name: getattr(hint, "__metadata__", ()) for name, hint in _hints().items()}
    return {name: mark.path for name, found in marks.items() for mark in found if isinstance(mark, At)}


def near(word: str) -> list[str]:
    """Options for what ``word`` may stand for in a request: ``budget``, also misspelled, is set by ``--flops`` and others."""
    parts = {part for path in paths().values() for part in path.split(".")}
    meant = difflib.get_close_matches(word, parts, n=1)
    return [f"--{name.replace('_', '-')}" for name, path in paths().items() if meant and meant[0] in path.split(".")]


def takes_spec(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options of a search in place of its first parameter: typer reads the options off a signature."""
    _, *others = inspect.signature(command, eval_str=True).parameters.values()
    names = [field.name for field in fields(SpecOptions)]
    mine = [
        inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_hints()[field.name])
        for field in fields(SpecOptions)
    ]

    @functools.wraps(command)
    def run(**given: Any) -> None:
        options = SpecOptions(**{name: given.pop(name) for name in names})
        command(options, **given)

    keyword_only = [other.replace(kind=inspect.Parameter.KEYWORD_ONLY) for other in others]
    run.__signature__ = inspect.Signature([*mine, *keyword_only])  # type: ignore[attr-defined]
    return run


def _put(body: dict[str, Any], path: list[str], value: Any) -> None:
    """Sets the field; what lies on the way to it and is no object becomes one."""
    *way, last = path
    for part in way:
        if not isinstance(body.get(part), dict):
            body[part] = {}
        body = body[part]
    body[last] = value
