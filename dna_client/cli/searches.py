"""Commands on searches: create, estimate, list, show, watch, cancel, resume, delete."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from dna_client import report
from dna_client.cli import output
from dna_client.cli.options import (
    IMPATIENT,
    LOCAL,
    PATIENT,
    AsJson,
    Key,
    SearchId,
    Url,
    connect,
    labels,
    read_json,
    whole,
)
from dna_client.cli.output import ERR, OUT, print_json, print_table
from dna_client.client import Client, succeeded
from dna_client.errors import LocalError
from dna_client.models import Event, Search, State
from dna_client.watch import waits
from dna_client.watch import watch as show

search = typer.Typer(no_args_is_help=True, help="Make searches, follow them, stop them.")

SpecFile = Annotated[
    Path | None, typer.Argument(help="JSON file with the search, - for standard input. Options override it.")
]
Dataset = Annotated[str | None, typer.Option(help="Dataset to search on; dna dataset list shows them.")]
TeacherName = Annotated[str | None, typer.Option("--teacher", help="timm model; dna teacher list shows them.")]
Weights = Annotated[str | None, typer.Option(help="Teacher's weights: pretrained, or train on the dataset first.")]
SpaceName = Annotated[str | None, typer.Option("--space", help="Preset, or a JSON file that ends in .json.")]
Flops = Annotated[str | None, typer.Option(help="At most so many multiply-adds, such as 4e6 or 350M.")]
Params = Annotated[str | None, typer.Option(help="At most so many parameters, such as 5.3M.")]
Epochs = Annotated[int | None, typer.Option(help="Epochs of distillation.")]
RetrainEpochs = Annotated[int | None, typer.Option(help="Epochs of training the winner and its control.")]
Seed = Annotated[int | None, typer.Option(help="Same spec and seed, same result.")]
Name = Annotated[str | None, typer.Option(help="What to call the search.")]
Label = Annotated[list[str] | None, typer.Option(help="key=value; as often as needed.")]


@search.command()
def create(
    file: SpecFile = None,
    dataset: Dataset = None,
    teacher: TeacherName = None,
    weights: Weights = None,
    space: SpaceName = None,
    flops: Flops = None,
    params: Params = None,
    epochs: Epochs = None,
    retrain_epochs: RetrainEpochs = None,
    seed: Seed = None,
    name: Name = None,
    label: Label = None,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Follow it to its end, then show what it found.")
    ] = False,
    url: Url = LOCAL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Create a search; only a dataset is needed, everything else has defaults that suit it."""
    changes = _changes(dataset, teacher, weights, space, flops, params, epochs, retrain_epochs, seed, name, label)
    spec = _spec(file, changes)
    with connect(url, key, pauses=PATIENT if watch else IMPATIENT) as client:
        made = client.create_search(spec)
        if as_json:
            print_json(made, one_line=watch)
        else:
            ERR.print(f"Search {made['id']} ({made['name']})", markup=False)
            _print_waiting(made)
        if watch:
            _follow(client, made["id"], as_json=as_json)
        elif not as_json:
            OUT.print(made["id"])


@search.command()
def estimate(
    file: SpecFile = None,
    dataset: Dataset = None,
    teacher: TeacherName = None,
    weights: Weights = None,
    space: SpaceName = None,
    flops: Flops = None,
    params: Params = None,
    epochs: Epochs = None,
    retrain_epochs: RetrainEpochs = None,
    url: Url = LOCAL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Say what a search would be and cost: candidates, feasible range of each cost, steps, device time. Makes nothing."""
    spec = _spec(
        file, _changes(dataset, teacher, weights, space, flops, params, epochs, retrain_epochs, None, None, None)
    )
    with connect(url, key) as client:
        found = client.estimate_search(spec)
    if as_json:
        print_json(found)
        return
    OUT.print(f"{int(found['candidates']):,} networks, {found['paths']:,} paths to rate")
    print_table(
        ("cost", "smallest", "largest"),
        [(name, *map(output.count, span)) for name, span in found["feasible_range"].items()],
        right=("smallest", "largest"),
    )
    OUT.print("The budget is feasible." if found["feasible"] else f"Not feasible: {found['reason']}", markup=False)
    for warning in found["warnings"]:
        OUT.print(f"Warning: {warning}", markup=False)
    print_table(
        ("step", "of", "device time"),
        [
            (s["kind"], ", ".join(s["cells"] or s["networks"]), output.duration(s["device_seconds"]))
            for s in found["steps"]
        ],
        right=("device time",),
    )
    OUT.print(f"In all about {output.duration(found['device_seconds'])} on {found['device']}.", markup=False)


@search.command("list")
def list_searches(
    state: Annotated[str | None, typer.Option(help="queued, running, succeeded, failed or cancelled.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Only searches on this dataset.")] = None,
    label: Label = None,
    limit: Annotated[int, typer.Option(help="Most rows to show.", min=1, max=200)] = 20,
    cursor: Annotated[str | None, typer.Option(help="Continue a list: next of the page before.")] = None,
    url: Url = LOCAL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """List searches, newest first."""
    with connect(url, key) as client:
        page = client.list_searches(
            state=cast("State | None", state), dataset=dataset, labels=labels(label or []), cursor=cursor, limit=limit
        )
    if as_json:
        print_json(page)
        return
    columns = ("id", "state", "progress", "dataset", "flops", "test accuracy", "created", "name")
    rows = [
        (
            found["id"],
            output.state(found["state"]),
            f"{found['progress']:.0%}",
            found["dataset"],
            output.count(found["best"]["flops"]) if found["best"] else "",
            output.percent(found["best"]["test_accuracy"]) if found["best"] else "",
            found["created_at"][:19].replace("T", " "),
            found["name"],
        )
        for found in page["items"]
    ]
    print_table(columns, rows, right=("progress", "flops", "test accuracy"))
    for found in page["items"]:
        if reason := found.get("waiting_for"):
            OUT.print(f"{found['id']}{waits(reason)}", markup=False)
    if page["next"]:
        ERR.print(f"More with: --cursor {page['next']}", markup=False)


@search.command("show")
def show_search(search_id: SearchId, url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
    """Show a search: how far it is, its networks, and where its time went."""
    with connect(url, key) as client:
        found = client.get_search(search_id)
    if as_json:
        print_json(found)
    else:
        _print(found)


@search.command()
def watch(search_id: SearchId, url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
    """Follow a search to its end. With --json: its events, one in a line, then the search in one line."""
    with connect(url, key, pauses=PATIENT) as client:
        _follow(client, search_id, as_json=as_json)


@search.command()
def cancel(search_id: SearchId, url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
    """Stop a search within seconds. Its checkpoints are kept: resume goes on from them."""
    with connect(url, key) as client:
        _acknowledge(client.cancel_search(search_id), as_json=as_json)


@search.command()
def resume(search_id: SearchId, url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
    """Go on with a failed or cancelled search. What is finished is not done again."""
    with connect(url, key) as client:
        _acknowledge(client.resume_search(search_id), as_json=as_json)


@search.command()
def delete(search_id: SearchId, url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
    """Delete a finished search with its networks and files."""
    with connect(url, key) as client:
        client.delete_search(search_id)
    if as_json:
        print_json({"id": search_id, "deleted": True})
    else:
        ERR.print(f"Search {search_id} is deleted.", markup=False)


def _changes(
    dataset: str | None,
    teacher: str | None,
    weights: str | None,
    space: str | None,
    flops: str | None,
    params: str | None,
    epochs: int | None,
    retrain_epochs: int | None,
    seed: int | None,
    name: str | None,
    label: list[str] | None,
) -> dict[str, Any]:
    """The options that were given, laid out as the body of the request."""
    wanted: dict[str, Any] = {
        "name": name,
        "dataset": dataset,
        "teacher": {"model": teacher, "weights": weights},
        "space": read_json(Path(space)) if space and space.endswith(".json") else space,
        "budget": {"flops": flops and whole(flops), "params": params and whole(params)},
        "training": {"epochs": epochs},
        "retrain": {"epochs": retrain_epochs},
        "seed": seed,
        "labels": labels(label or []),
    }
    given = {
        name: _given(value) if isinstance(value, dict) and name != "space" else value for name, value in wanted.items()
    }
    return {name: value for name, value in given.items() if value not in (None, {})}


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _spec(file: Path | None, changes: dict[str, Any]) -> dict[str, Any]:
    """The file's search with the options laid over it, field by field."""
    spec = read_json(file) if file is not None else {}
    for name, value in changes.items():
        merge = name != "space" and isinstance(value, dict) and isinstance(spec.get(name), dict)
        spec[name] = {**spec[name], **value} if merge else value
    if "dataset" not in spec:
        raise LocalError("Name the dataset: --dataset digits, or a JSON file that has it. dna dataset list shows them.")
    return spec


def _follow(client: Client, search_id: str, *, as_json: bool) -> None:
    """Watches to the end and shows the outcome.

    Raises:
        SearchNotSucceeded: it failed or was cancelled.
    """
    try:
        if as_json:
            for _ in _printed(client.events(search_id)):
                pass
        else:
            show(client.events(search_id, waits=True), ERR)
    except KeyboardInterrupt:
        ERR.print(f"The search goes on. Watch it with: dna search watch {search_id}", markup=False)
        raise
    found = client.get_search(search_id)
    if as_json:
        print_json(found, one_line=True)
    elif found["state"] == "succeeded":
        _print(found)
    succeeded(found)


def _printed(events: Iterable[Event]) -> Iterator[Event]:
    for event in events:
        print_json(event, one_line=True)
        yield event


def _acknowledge(found: Search, *, as_json: bool) -> None:
    if as_json:
        print_json(found)
    else:
        ERR.print(
            f"Search {found['id']} is {found['state']}{', and stops' if found['cancel_requested'] else ''}.",
            markup=False,
        )


def _print_waiting(found: Search) -> None:
    """Why a search does not begin at once, if something holds it up."""
    if reason := found.get("waiting_for"):
        ERR.print(waits(reason), markup=False)


def _print(found: Search) -> None:
    OUT.print(output.state(found["state"]), f"{found['id']}  {found['name']}", markup=False)
    if found["state"] in ("queued", "running"):
        left = output.duration(found["eta_seconds"])
        OUT.print(
            f"phase {found['phase']}, {found['progress']:.0%}{f', about {left} left' if left else ''}", markup=False
        )
        _print_waiting(found)
    if found["error"]:
        OUT.print(f"error: {found['error']['message']}", markup=False)
    output.show(report.result(found))
