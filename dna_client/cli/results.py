"""Commands on what a search found: frontier, select, download, pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, TypeVar, cast, get_args

import typer

from dna_client import report
from dna_client.cli import output, refs
from dna_client.cli.options import (
    LOCAL,
    PATIENT,
    AsJson,
    Flops,
    Key,
    LatencyMs,
    Params,
    SearchRef,
    Url,
    connect,
    make_folder,
)
from dna_client.cli.output import ERR, print_json, print_table
from dna_client.download import Downloaded
from dna_client.errors import LocalError, NotFound
from dna_client.models import Confusion, Format, Picture, Selected

results = typer.Typer()

Name = TypeVar("Name", Format, Picture, Confusion)

FORMATS: tuple[Format, ...] = get_args(Format)
PICTURES: tuple[Picture, ...] = get_args(Picture)

NetworkRef = Annotated[
    str,
    typer.Argument(
        help="Id of the network, the beginning or end of it, or SEARCH/winner, SEARCH/control.", metavar="ARCHITECTURE"
    ),
]

Formats = Annotated[
    list[str] | None,
    typer.Option("--format", "-f", help=f"{', '.join(FORMATS)}; as often as needed. Default: all."),
]
Output = Annotated[
    str, typer.Option("--output", "-o", help="Folder, made if need be, or with one format the name of the file.")
]


@results.command()
def frontier(
    search: SearchRef,
    cost: Annotated[
        str, typer.Option(help="flops, params, or latency_ns of a search with a limit on latency.")
    ] = "flops",
    points: Annotated[int, typer.Option(help="Points to show, spread evenly; --json has all of them.", min=2)] = 20,
    url: Url = LOCAL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Show the exact frontier: networks that no other beats in both cost and predicted loss."""
    with connect(url, key, exact=as_json) as client:
        found = client.frontier(refs.search_id(client, search), cost=cost)
    if as_json:
        print_json(found)
        return
    output.show(report.frontier(found["points"], cost, shown=points))
    ERR.print(f"{len(found['points']):,} points in all.")


@results.command()
def select(
    search: SearchRef,
    flops: Flops = None,
    params: Params = None,
    latency_ms: LatencyMs = None,
    top_k: Annotated[int, typer.Option(help="How many networks, best first.", min=1)] = 1,
    min_distance: Annotated[int, typer.Option(help="Layers in which each differs from those before it.", min=1)] = 1,
    name: Annotated[str | None, typer.Option(help="What to call it; only with --top-k 1.")] = None,
    url: Url = LOCAL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Choose the best networks under another budget from finished ratings: exact, at once, without a device."""
    budget = {"flops": flops, "params": params, "latency_ms": latency_ms}
    given = {name: float(value) for name, value in budget.items() if value is not None}
    with connect(url, key, exact=as_json) as client:
        search_id = refs.search_id(client, search)
        found = client.select(search_id, given, top_k=top_k, min_distance=min_distance, name=name)
    if as_json:
        print_json(found)
        return
    rows = [
        (
            n["id"],
            output.count(n["flops"]),
            output.count(n["params"]),
            output.loss(n["loss"]),
            _as_finalist(n),
            output.ops(n["architecture"]),
        )
        for n in found["architectures"]
    ]
    columns = ("architecture", "flops", "params", "predicted loss", "as a finalist", "network")
    droppable = ("params", "as a finalist", "predicted loss")
    print_table(columns, rows, right=columns[1:5], ids=("architecture",), droppable=droppable)


def _as_finalist(network: Selected) -> str:
    """Its log-loss where the search has looked at it whole."""
    looked_at = network.get("looked_at")
    return output.loss(looked_at["log_loss"]) if looked_at else ""


@results.command()
def download(
    architecture: NetworkRef,
    file_format: Formats = None,
    output_path: Output = ".",
    url: Url = LOCAL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Download a network; each file is checked against its SHA-256, and goes on where a connection broke.

    Without a format, all that there are.
    """
    formats = known(file_format)
    with connect(url, key, exact=as_json, pauses=PATIENT) as client:
        network = client.get_architecture(refs.network_id(client, architecture))["id"]
        files = bring_home(formats, output_path, lambda name, target: client.download(network, name, target))
    show_files(files, as_json)


@results.command()
def pictures(
    search: SearchRef,
    output_path: Annotated[Path, typer.Option("--output", "-o", help="Folder, made if need be.")] = Path(),
    url: Url = LOCAL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Download the pictures of a finished search: losses over time, feature maps, loss against cost."""
    with connect(url, key, exact=as_json, pauses=PATIENT) as client:
        search_id = client.get_search(refs.search_id(client, search))["id"]
        make_folder(output_path)
        files = existing(PICTURES, lambda name: client.picture(search_id, name, output_path))
    show_files([*files.values()], as_json)


def known(formats: Sequence[str] | None) -> Sequence[Format] | None:
    """The same.

    Raises:
        LocalError: there is no such format.
    """
    if unknown := [name for name in formats or () if name not in FORMATS]:
        raise LocalError(f"There is no format {unknown[0]!r}; there are {', '.join(FORMATS)}.")
    return cast("Sequence[Format] | None", formats)


def bring_home(
    formats: Sequence[Format] | None, output_path: str, fetch: Callable[[Format, Path], Downloaded]
) -> list[Downloaded]:
    """Files of a network in these formats; without any, those that there are.

    Args:
        output_path: folder, or with one format the file.

    Raises:
        LocalError: the folder cannot be made.
        NotFound: there is no such file.
    """
    target = Path(output_path)
    if len(formats or FORMATS) > 1 or output_path.endswith("/"):
        make_folder(target)
    if formats:
        return [fetch(name, target) for name in formats]
    return [*existing(FORMATS, lambda name: fetch(name, target)).values()]


def existing(names: Sequence[Name], fetch: Callable[[Name], Downloaded]) -> dict[Name, Downloaded]:
    """Those of the files that there are; says which there are not.

    Raises:
        NotFound: there is none of them.
    """
    files: dict[Name, Downloaded] = {}
    missing: dict[Name, NotFound] = {}
    for name in names:
        try:
            files[name] = fetch(name)
        except NotFound as error:
            missing[name] = error
    if not files:
        raise missing[names[0]]
    for name, why in missing.items():
        ERR.print(f"{name}: {why.message}", markup=False)
    return files


def show_files(files: Sequence[Downloaded], as_json: bool) -> None:
    if as_json:
        print_json([{"path": str(file.path), "size": file.size, "sha256": file.sha256} for file in files])
        return
    output.print_files(files)
