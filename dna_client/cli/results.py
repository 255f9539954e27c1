"""Commands on what a search found: frontier, select, train, download."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, TypeVar, cast, get_args

import typer

from dna_client import report
from dna_client.cli import output
from dna_client.cli.options import LOCAL, PATIENT, AsJson, Key, SearchId, Url, connect, whole
from dna_client.cli.output import ERR, print_json, print_table
from dna_client.download import Downloaded
from dna_client.errors import LocalError, NotFound
from dna_client.models import Format, Picture

results = typer.Typer()

Name = TypeVar("Name", Format, Picture)

FORMATS: tuple[Format, ...] = get_args(Format)
PICTURES: tuple[Picture, ...] = get_args(Picture)

NetworkId = Annotated[str, typer.Argument(help="Id of the network.", metavar="ARCHITECTURE")]


@results.command()
def frontier(
    search_id: SearchId,
    cost: Annotated[str, typer.Option(help="flops or params.")] = "flops",
    points: Annotated[int, typer.Option(help="Points to show, spread evenly; --json has all of them.", min=2)] = 20,
    url: Url = LOCAL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Show the exact frontier: networks that no other beats in both cost and predicted loss."""
    with connect(url, key) as client:
        found = client.frontier(search_id, cost=cost)
    if as_json:
        print_json(found)
        return
    output.show(report.frontier(found["points"], cost, shown=points))
    ERR.print(f"{len(found['points']):,} points in all.")


@results.command()
def select(
    search_id: SearchId,
    flops: Annotated[str | None, typer.Option(help="At most so many multiply-adds, such as 3e6.")] = None,
    params: Annotated[str | None, typer.Option(help="At most so many parameters, such as 200k.")] = None,
    latency_ms: Annotated[
        float | None, typer.Option(help="At most so many milliseconds, where it was measured.")
    ] = None,
    top_k: Annotated[int, typer.Option(help="How many networks, best first.", min=1)] = 1,
    min_distance: Annotated[int, typer.Option(help="Layers in which each differs from those before it.", min=1)] = 1,
    url: Url = LOCAL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Choose the best networks under another budget from finished ratings: exact, at once, without a device."""
    budget = {"flops": flops and whole(flops), "params": params and whole(params), "latency_ms": latency_ms}
    given = {name: float(value) for name, value in budget.items() if value is not None}
    with connect(url, key) as client:
        found = client.select(search_id, given, top_k=top_k, min_distance=min_distance)
    if as_json:
        print_json(found)
        return
    rows = [
        (
            n["id"],
            output.count(n["flops"]),
            output.count(n["params"]),
            output.loss(n["loss"]),
            output.ops(n["architecture"]),
        )
        for n in found["architectures"]
    ]
    columns = ("architecture", "flops", "params", "predicted loss", "network")
    print_table(columns, rows, right=columns[1:4])


@results.command()
def download(
    architecture_id: NetworkId,
    file_format: Annotated[
        list[str] | None,
        typer.Option("--format", "-f", help=f"{', '.join(FORMATS)}; as often as needed. Default: all."),
    ] = None,
    output_path: Annotated[
        Path, typer.Option("--output", "-o", help="Folder, or with one format the name of the file.")
    ] = Path(),
    url: Url = LOCAL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Download a network; each file is checked against its SHA-256, and goes on where a connection broke.

    Without a format, all that there are.
    """
    wanted = file_format or list(FORMATS)
    if unknown := [name for name in wanted if name not in FORMATS]:
        raise LocalError(f"There is no format {unknown[0]!r}; there are {', '.join(FORMATS)}.")
    if len(wanted) > 1 and not output_path.is_dir():
        raise LocalError(f"{output_path} is not a folder. Make it, or ask for one format.")
    with connect(url, key, pauses=PATIENT) as client:
        if file_format:
            files = [client.download(architecture_id, cast(Format, name), output_path) for name in wanted]
        else:
            files = [*existing(FORMATS, lambda name: client.download(architecture_id, name, output_path)).values()]
    _show_files(files, as_json)


@results.command()
def pictures(
    search_id: SearchId,
    output_path: Annotated[Path, typer.Option("--output", "-o", help="Folder.")] = Path(),
    url: Url = LOCAL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Download the pictures of a finished search: losses over time, feature maps, loss against cost."""
    if not output_path.is_dir():
        raise LocalError(f"{output_path} is not a folder. Make it first.")
    with connect(url, key, pauses=PATIENT) as client:
        files = existing(PICTURES, lambda name: client.picture(search_id, name, output_path))
    _show_files([*files.values()], as_json)


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


def _show_files(files: Sequence[Downloaded], as_json: bool) -> None:
    if as_json:
        print_json([{"path": str(file.path), "size": file.size, "sha256": file.sha256} for file in files])
        return
    rows = [(str(file.path), output.size(file.size), file.sha256) for file in files]
    print_table(("file", "size", "sha256"), rows, right=("size",))
