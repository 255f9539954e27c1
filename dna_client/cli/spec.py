"""A job as options write it: what all kinds take, the request it becomes, and how a command comes by the options."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, ClassVar, get_type_hints

import typer

from dna_client.cli.options import Label, Numbers, labels, numbers, read_json
from dna_client.errors import LocalError
from dna_client.models import Priority


@dataclass(frozen=True)
class At:
    """Where an option goes in the request: a dotted path, such as ``teacher.epochs``."""

    path: str


@dataclass(frozen=True, kw_only=True)
class SpecOptions:
    """The options of any kind of job, each with its place in the request. They lie over the file, field by field."""

    spec: Annotated[
        Path | None, typer.Option(help="JSON file with the request; options override it.", metavar="FILE")
    ] = None
    source: Annotated[
        str | None,
        At("from"),
        typer.Option(
            "--from",
            help="Another one, by name or id: its spec is taken, and the options and the file lie over it.",
            metavar="NAME|ID",
        ),
    ] = None
    name: Annotated[str | None, At("name"), typer.Option(help="What to call it.")] = None
    dataset: Annotated[
        str | None, At("dataset"), typer.Option(help="Dataset to learn from; dna dataset list shows them.")
    ] = None
    input_size: Annotated[
        int | None,
        At("input_size"),
        typer.Option(help="Side in pixels that images are resized to.", min=1, metavar="N"),
    ] = None
    resize: Annotated[
        str | None,
        At("resize"),
        typer.Option(
            help="How pictures become squares. crop: their middle; pad: the whole, with the background beside it; squash: the whole, its "
            "sides made equal."
        ),
    ] = None
    background: Annotated[
        str | None,
        At("background"),
        typer.Option(help="Below what is transparent and beside what is padded: white, black, grey or #rrggbb."),
    ] = None
    int8_loss: Annotated[
        float | None,
        At("int8_loss"),
        typer.Option(help="Accuracy that may be lost in 8 bits, such as 0.01.", min=0, max=1, metavar="SHARE"),
    ] = None
    flip: Annotated[
        bool | None, At("flip"), typer.Option(help="Whether left and right may be exchanged in training images.")
    ] = None
    seed: Annotated[
        int | None, At("seed"), typer.Option(help="Same spec and seed, same result.", min=0, metavar="N")
    ] = None
    priority: Annotated[
        Priority | None, At("priority"), typer.Option(help="Which jobs go before others; what is computed is the same.")
    ] = None
    label: Label = None
    numbers: Numbers = None

    #: Where the request has its recipe.
    recipe_at: ClassVar[Sequence[str]] = ()

    def request(self) -> dict[str, Any]:
        """The body of the ``POST`` that creates the job.

        Raises:
            LocalError: no dataset is named, or the file cannot be read.
        """
        file = self._file()
        body = read_json(file) if file is not None else {}
        for path, value in self._given():
            _put(body, path, value)
        if "dataset" not in body and "from" not in body:
            raise LocalError(
                "Name the dataset: --dataset digits, or a JSON file that has it. dna dataset list shows them."
            )
        return body

    def _file(self) -> Path | None:
        return self.spec

    def _given(self) -> Iterator[tuple[list[str], Any]]:
        for name, path in paths(type(self)).items():
            if (value := getattr(self, name)) is not None:
                yield path.split("."), value
        yield from ((["labels", name], value) for name, value in labels(self.label or []).items())
        yield from (([*self.recipe_at, name], value) for name, value in numbers(self.numbers or []).items())


def _hints(options: type[SpecOptions]) -> dict[str, Any]:
    return get_type_hints(options, include_extras=True)


def paths(options: type[SpecOptions]) -> dict[str, str]:
    """The place in the request of every option that has one, by the name of the option."""
    marks = {name: getattr(hint, "__metadata__", ()) for name, hint in _hints(options).items()}
    return {name: mark.path for name, found in marks.items() for mark in found if isinstance(mark, At)}


def near(word: str, options: type[SpecOptions]) -> list[str]:
    """Options for what ``word`` may stand for in a request: ``budget``, also misspelled, is set by ``--flops`` and others."""
    found = paths(options)
    parts = {part for path in found.values() for part in path.split(".")}
    meant = difflib.get_close_matches(word, parts, n=1)
    return [f"--{name.replace('_', '-')}" for name, path in found.items() if meant and meant[0] in path.split(".")]


def takes_spec(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options of a kind of job in place of its first parameter, which names them by its type: typer reads
    the options off a signature.
    """
    first, *others = inspect.signature(command, eval_str=True).parameters.values()
    options: type[SpecOptions] = first.annotation
    names, hints = [field.name for field in fields(options)], _hints(options)
    mine = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=hints[name]) for name in names
    ]

    @functools.wraps(command)
    def run(**given: Any) -> None:
        command(options(**{name: given.pop(name) for name in names}), **given)

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
