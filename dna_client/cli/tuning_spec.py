"""A tuning as options write it: what ``dna tuning create`` and ``estimate`` take."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from dna_client.cli.spec import At
from dna_client.cli.training_spec import TrainingOptions
from dna_client.errors import LocalError


@dataclass(frozen=True, kw_only=True)
class TuningOptions(TrainingOptions):
    """The options of a tuning, beside those of a training, which are the same in all trials."""

    trials: Annotated[int | None, At("trials"), typer.Option(help="How many (default 20).", min=1, metavar="N")] = None
    search: Annotated[
        list[str] | None,
        At("search"),
        typer.Option(
            help="What is tried: a preset (small, wide), or FIELD=LOW:HIGH, FIELD=LOW:HIGH:log or FIELD=ONE,OTHER; as often as needed.",
        ),
    ] = None
    pruner: Annotated[
        str | None, At("pruner"), typer.Option(help="What ends trials early: median (default), hyperband, or none.")
    ] = None
    images: Annotated[
        int | None,
        At("images"),
        typer.Option(help="Training images held out to decide by (default a fifth).", min=2, metavar="N"),
    ] = None

    def request(self) -> dict[str, Any]:
        """The body of ``POST /tunings``, but for what a person names by other words than the API does.

        Raises:
            LocalError: as of a training; or what is to be tried cannot be read.
        """
        body = super().request()
        return {**body, "search": tried(self.search)} if self.search else body


def tried(written: Sequence[str]) -> str | dict[str, list[Any]]:
    """What is tried, as the API takes it: ``["small"]`` is a preset, ``["mixup=0:0.4"]`` is ``{"mixup": [0, 0.4]}``.

    Raises:
        LocalError: it is neither.
    """
    if len(written) == 1 and "=" not in written[0]:
        return written[0]
    return dict(map(_field, written))


def _field(text: str) -> tuple[str, list[Any]]:
    name, equals, values = text.partition("=")
    parts = values.split(":" if ":" in values else ",")
    if not equals or len(parts) < 2:
        raise LocalError(f"{text!r} says nothing to try: write FIELD=LOW:HIGH, FIELD=LOW:HIGH:log or FIELD=ONE,OTHER.")
    return name, [_value(part) for part in parts]


def _value(text: str) -> Any:
    """A number or a truth value where it is one."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
