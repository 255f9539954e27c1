"""Commands on searches: create, estimate, list, show, watch, cancel, resume, delete."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, cast

import typer
from rich.console import Console

from dna_client import report
from dna_client.chosen import chosen
from dna_client.cli import output, refs
from dna_client.cli.options import IMPATIENT, LOCAL, PATIENT, AsJson, Key, Label, SearchRef, Url, connect, labels
from dna_client.cli.output import ERR, OUT, print_json, print_table
from dna_client.cli.spec import SpecOptions, takes_spec
from dna_client.cli.tables import short_id
from dna_client.client import Client, succeeded
from dna_client.models import Estimate, Event, Search, State
from dna_client.watch import waits
from dna_client.watch import watch as show

search = typer.Typer(no_args_is_help=True, help="Make searches, follow them, stop them.")


@search.command()
@takes_spec
def create(
    options: SpecOptions,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Follow it to its end, then show what it found.")
    ] = False,
    url: Url = LOCAL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Create a search; only a dataset is needed, everything else has defaults that suit it."""
    request = options.request()
    with connect(url, key, pauses=PATIENT if watch else IMPATIENT) as client:
        made = client.create_search(request)
        if as_json:
            print_json(made, one_line=watch)
        else:
            ERR.print(f"Search {made['id']} ({made['name']})", markup=False)
            _say_plan(ERR, chosen(request, made["spec"]), made["warnings"])
            _print_waiting(made)
        if watch:
            _follow(client, made["id"], as_json=as_json)
        elif not as_json:
            OUT.print(made["id"])


@search.command()
@takes_spec
def estimate(options: SpecOptions, url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
    """Say what a search would be and cost: candidates, feasible range of each cost, steps, device time. Makes nothing."""
    request = options.request()
    with connect(url, key) as client:
        found = client.estimate_search(request)
    if as_json:
        print_json(found)
    else:
        _show_estimate(found, chosen(request, found["spec"]))


def _feasible(found: Estimate) -> str:
    if found["feasible"]:
        return "The budget is feasible."
    known = "Not feasible" if found["feasible"] is False else "Whether the budget is feasible is not known"
    return f"{known}: {found['reason']}"


def _show_estimate(found: Estimate, choices: list[tuple[str, str]]) -> None:
    OUT.print(f"{int(found['candidates']):,} networks, {found['paths']:,} paths to rate")
    _say_plan(OUT, choices, [])
    print_table(
        ("cost", "smallest", "largest"),
        [(name, *map(output.count, span)) for name, span in found["feasible_range"].items()],
        right=("smallest", "largest"),
    )
    OUT.print(_feasible(found), markup=False)
    _say_plan(OUT, [], found["warnings"])
    print_table(
        ("step", "device time", "of"),
        [
            (s["kind"], output.duration(s["device_seconds"]), ", ".join(s["cells"] or s["networks"]))
            for s in found["steps"]
        ],
        right=("device time",),
    )
    OUT.print(f"In all about {output.duration(found['device_seconds'])} on {found['device']}.", markup=False)


def _say_plan(console: Console, choices: list[tuple[str, str]], warnings: list[str]) -> None:
    """What was chosen where nothing was asked for, and what makes the search tell little."""
    if choices:
        console.print("Chosen, as nothing else was asked for:")
    for what, value in choices:
        console.print(f"  {what:<13} {value}", markup=False)
    output.warn(console, warnings)


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
    if not page["items"]:
        ERR.print("There are no such searches.")
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
            refs.moment(found),
            found["name"],
        )
        for found in page["items"]
    ]
    print_table(
        columns,
        rows,
        right=("progress", "flops", "test accuracy"),
        ids=("id",),
        droppable=("created", "flops", "dataset", "progress", "test accuracy"),
    )
    for found in page["items"]:
        if reason := found.get("waiting_for"):
            name = short_id(found["id"]) if OUT.is_terminal else found["id"]
            OUT.print(f"{name}{waits(reason)}", markup=False)
    if page["next"]:
        ERR.print(f"More with: --cursor {page['next']}", markup=False)


@search.command("show")
def show_search(search: SearchRef, url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
    """Show a search: how far it is, its networks, and where its time went."""
    with connect(url, key) as client:
        found = client.get_search(refs.search_id(client, search))
    if as_json:
        print_json(found)
    else:
        _print(found)


@search.command()
def watch(search: SearchRef, url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
    """Follow a search to its end. With --json: its events, one in a line, then the search in one line."""
    with connect(url, key, pauses=PATIENT) as client:
        _follow(client, refs.search_id(client, search), as_json=as_json)


@search.command()
def cancel(search: SearchRef, url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
    """Stop a search within seconds. Its checkpoints are kept: resume goes on from them."""
    with connect(url, key) as client:
        found = client.cancel_search(refs.search_id(client, search))
    what = "is cancelled" if found["state"] == "cancelled" else "stops within seconds"
    _acknowledge(found, f"{what}. To go on with it: dna search resume {found['id']}", as_json=as_json)


@search.command()
def resume(search: SearchRef, url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
    """Go on with a failed or cancelled search. What is finished is not done again."""
    with connect(url, key) as client:
        found = client.resume_search(refs.search_id(client, search))
    _acknowledge(found, f"goes on from where it was. To follow it: dna search watch {found['id']}", as_json=as_json)


@search.command()
def delete(search: SearchRef, url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
    """Delete a finished search with its networks and files."""
    with connect(url, key) as client:
        search_id = refs.search_id(client, search)
        client.delete_search(search_id)
    if as_json:
        print_json({"id": search_id, "deleted": True})
    else:
        ERR.print(f"Search {search_id} is deleted.", markup=False)


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
        ERR.print(f"To bring the network home: dna download {search_id}/winner", markup=False)
    succeeded(found)


def _printed(events: Iterable[Event]) -> Iterator[Event]:
    for event in events:
        print_json(event, one_line=True)
        yield event


def _acknowledge(found: Search, what: str, *, as_json: bool) -> None:
    if as_json:
        print_json(found)
    else:
        ERR.print(f"Search {found['id']} {what}", markup=False)


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
