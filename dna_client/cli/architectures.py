"""Commands on networks, whatever search they are of, or of none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from dna_client.cli import output, refs
from dna_client.cli.jobs import Cursor, Limit
from dna_client.cli.options import LOCAL, AsJson, Key, Url, connect, read_json, whole
from dna_client.cli.output import ERR, print_json, print_table
from dna_client.cli.owners import with_owners
from dna_client.cli.predictions import PICTURES, TopK, show_answers
from dna_client.cli.results import NetworkRef, download
from dna_client.cli.tables import FittingTable
from dna_client.models import ArchitectureSummary

Cost = Annotated[int | None, typer.Option(parser=whole, metavar="N", help="Such as 4e6 or 350M.")]
Share = Annotated[float | None, typer.Option(min=0, max=1, metavar="SHARE", help="Test accuracy, such as 0.9.")]

architecture = typer.Typer(
    no_args_is_help=True, help="Networks: list them, add one from elsewhere, try one, download it."
)


@architecture.callback()
def _group() -> None:
    """Networks: list them, add one from elsewhere, try one, download it."""


architecture.command()(download)


@architecture.command()
def add(
    network: Annotated[
        str,
        typer.Argument(
            help="A published network (dna-a to dna-d), or a JSON file of one, - for standard input.",
            metavar="NAME|FILE",
        ),
    ],
    name: Annotated[str | None, typer.Option(help="What to call it; a published one has its own name.")] = None,
    url: Url = LOCAL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Keep a network that no search has found, to be trained: dna training create NAME --dataset DATASET."""
    described = read_json(Path(network)) if network == "-" or network.endswith(".json") else network
    with connect(url, key, exact=as_json) as client:
        kept = client.create_architecture(described, name)
    if as_json:
        print_json(kept)
        return
    output.show(_table([kept]))


@architecture.command("list")
def list_architectures(
    search: Annotated[
        str | None, typer.Option("--search", help="Only networks of this search.", metavar="SEARCH")
    ] = None,
    dataset: Annotated[str | None, typer.Option(help="Only networks found or trained on this dataset.")] = None,
    role: Annotated[str | None, typer.Option(help="winner, control, selected, reference or given.")] = None,
    flops_min: Cost = None,
    flops_max: Cost = None,
    params_min: Cost = None,
    params_max: Cost = None,
    accuracy_min: Share = None,
    accuracy_max: Share = None,
    sort: Annotated[
        str | None,
        typer.Option(
            help="created_at, flops, params, loss or accuracy; -accuracy the best first. Default: -created_at."
        ),
    ] = None,
    limit: Limit = 20,
    cursor: Cursor = None,
    url: Url = LOCAL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """List networks, newest first: those that searches found, that were selected afterwards, or added."""
    with connect(url, key, exact=as_json) as client:
        page = client.list_architectures(
            search=refs.search_id(client, search) if search else None,
            dataset=dataset,
            role=role,
            flops=(flops_min, flops_max),
            params=(params_min, params_max),
            accuracy=(accuracy_min, accuracy_max),
            sort=sort,
            cursor=cursor,
            limit=limit,
        )
        if as_json:
            print_json(page)
        elif page["items"]:
            output.show(with_owners(_table(page["items"]), page["items"], client))
            if page["next"]:
                ERR.print(f"More with: --cursor {page['next']}", markup=False)
        else:
            ERR.print("There are no such networks.")


def _table(networks: Sequence[ArchitectureSummary]) -> FittingTable:
    rows = [
        (
            found["id"],
            found["role"],
            found.get("name") or "",
            output.count(found["flops"]),
            output.count(found["params"]),
            output.loss(found["loss"]),
            output.percent(found["test_accuracy"]),
            found["search_id"] or "",
            refs.moment(found),
        )
        for found in networks
    ]
    columns = ("id", "role", "name", "flops", "params", "predicted loss", "test accuracy", "search", "created")
    return output.table(
        columns,
        rows,
        right=columns[3:7],
        ids=("id", "search"),
        droppable=("created", "search", "predicted loss", "params", "name"),
    )


@architecture.command()
def update(
    network: NetworkRef,
    name: Annotated[str, typer.Option("--name", help="What to call it; nothing takes its name away.")],
    url: Url = LOCAL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Name a network: one that a search found, or that was added."""
    with connect(url, key, exact=as_json) as client:
        found = client.rename_architecture(refs.network_id(client, network), name or None)
    if as_json:
        print_json(found)
    else:
        output.show(_table([found]))


@architecture.command()
def delete(network: NetworkRef, url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
    """Delete a network that was added. Trainings of it keep what they have found."""
    with connect(url, key, exact=as_json) as client:
        network_id = refs.network_id(client, network)
        client.delete_architecture(network_id)
    if as_json:
        print_json({"id": network_id, "deleted": True})
    else:
        ERR.print(f"Network {network_id} is deleted.", markup=False)


@architecture.command()
def latency(
    network: NetworkRef,
    detach: Annotated[bool, typer.Option("--detach", help="Queue it and return at once.")] = False,
    url: Url = LOCAL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Time a network whole on a worker's device, one picture at a time; below it, how long it took before."""
    with connect(url, key, exact=as_json) as client:
        network_id = refs.network_id(client, network)
        client.time_architecture(network_id, wait=not detach)
        found = list(client.timings(network_id))
    if as_json:
        print_json(found)
        return
    rows = [
        (
            one["state"],
            where or "",
            runtime,
            f"{took['median_ms']:.2f}" if took else "",
            f"{took['p95_ms']:.2f}" if took else "",
            refs.moment(one),
        )
        for one in found
        for runtime, where, took in (
            ("torch", one["device"], one["torch"]),
            ("onnxruntime", one["cpu"], one["onnxruntime"]),
        )
    ]
    columns = ("state", "device", "by", "ms, median", "ms, 95%", "asked for")
    print_table(columns, rows, right=columns[3:5], droppable=("asked for", "state"))


@architecture.command()
def predict(
    network: NetworkRef,
    pictures: list[Path] = PICTURES,
    top_k: TopK = 5,
    url: Url = LOCAL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Ask a trained network what is on pictures: its likeliest classes, best first, with their probabilities."""
    with connect(url, key, exact=as_json) as client:
        network_id = refs.network_id(client, network)
        answers = [(str(picture), client.predict(network_id, picture, top_k=top_k)) for picture in pictures]
    show_answers(answers, as_json=as_json)
