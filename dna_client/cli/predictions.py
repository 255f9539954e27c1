"""What networks answer to pictures: how it is asked, and shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from dna_client.cli import output
from dna_client.models import Prediction

#: As a default, for it comes behind others that are.
PICTURES: Any = typer.Argument(..., help="Pictures, one or more.", metavar="FILE...", show_default=False)
TopK = Annotated[int, typer.Option(help="How many classes of each picture.", min=1, max=1000)]


def show_answers(answers: Sequence[tuple[str, Prediction]], *, as_json: bool) -> None:
    """The answers to files, by their names."""
    if as_json:
        output.print_json([{"file": name, **answer} for name, answer in answers])
        return
    rows = [
        (name, found["name"], output.percent(found["probability"]))
        for name, answer in answers
        for found in answer["classes"]
    ]
    output.print_table(("file", "class", "probability"), rows, right=("probability",))
