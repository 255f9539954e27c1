"""Commands on networks, whatever search they are of."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dna_client.cli import output, refs
from dna_client.cli.options import LOCAL, AsJson, Key, Url, connect
from dna_client.cli.output import print_json, print_table
from dna_client.cli.results import NetworkRef

architecture = typer.Typer(no_args_is_help=True, help="Try trained networks.")


@architecture.callback()
def _group() -> None:
    """Try trained networks."""


@architecture.command()
def predict(
    network: NetworkRef,
    pictures: Annotated[list[Path], typer.Argument(help="Pictures, one or more.", metavar="FILE...")],
    top_k: Annotated[int, typer.Option(help="How many classes of each picture.", min=1, max=1000)] = 5,
    url: Url = LOCAL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Ask a trained network what is on pictures: its likeliest classes, best first, with their probabilities."""
    with connect(url, key) as client:
        network_id = refs.network_id(client, network)
        answers = [(str(picture), client.predict(network_id, picture, top_k=top_k)) for picture in pictures]
    if as_json:
        print_json([{"file": name, **answer} for name, answer in answers])
        return
    rows = [
        (name, found["name"], output.percent(found["probability"]))
        for name, answer in answers
        for found in answer["classes"]
    ]
    print_table(("file", "class", "probability"), rows, right=("probability",))
