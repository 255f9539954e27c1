"""Commands on searches: create, estimate, list, and those that every job has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from dna_client import report
from dna_client.chosen import chosen
from dna_client.cli import jobs, output, refs
from dna_client.cli.jobs import (
    All,
    Cursor,
    InState,
    Kind,
    Limit,
    OfPriority,
    Part,
    Sort,
    Watch,
    WithLabel,
    add_commands,
    say_plan,
)
from dna_client.cli.options import LOCAL, AsJson, Key, Url, connect, wanted_labels
from dna_client.cli.output import OUT, print_json, print_table
from dna_client.cli.search_spec import SearchOptions
from dna_client.cli.spec import takes_spec
from dna_client.cli.tables import FittingTable
from dna_client.models import Estimate, Search, SearchSummary

search = typer.Typer(no_args_is_help=True, help="Make searches, follow them, stop them.")


def _then(found: Search) -> str:
    return f"To bring the network home: dna download {found['id']}/winner"


KIND = Kind("search", "searches", lambda client: client.searches, report.result, _then)


@search.command()
@takes_spec
def create(
    options: SearchOptions, watch: Watch = False, url: Url = LOCAL, key: Key = None, as_json: AsJson = False
) -> None:
    """Create a search; only a dataset is needed, everything else has defaults that suit it."""
    request = options.request()
    jobs.create(KIND, lambda _: request, url, key, watch=watch, as_json=as_json)


@search.command()
@takes_spec
def estimate(options: SearchOptions, url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
    """Say what a search would be and cost: candidates, feasible range of each cost, steps, device time. Makes nothing."""
    written = options.request()
    with connect(url, key, exact=as_json) as client:
        request = refs.cloned(client.searches, written)
        found = client.estimate_search(request)
    if as_json:
        print_json(found)
    else:
        _show_estimate(found, [] if "from" in request else chosen(request, found["spec"]))


def _feasible(found: Estimate) -> str:
    if found["feasible"]:
        return "The budget is feasible."
    known = "Not feasible" if found["feasible"] is False else "Whether the budget is feasible is not known"
    return f"{known}: {found['reason']}"


def _show_estimate(found: Estimate, choices: list[tuple[str, str]]) -> None:
    OUT.print(f"{int(found['candidates']):,} networks, {found['paths']:,} paths to rate")
    say_plan(OUT, choices, [])
    print_table(
        ("cost", "smallest", "largest"),
        [(name, *map(output.count, span)) for name, span in found["feasible_range"].items()],
        right=("smallest", "largest"),
    )
    OUT.print(_feasible(found), markup=False)
    OUT.print(f"Recipe of winner and control: {found['recipe']['name']}. {found['recipe']['why']}", markup=False)
    say_plan(OUT, [], found["warnings"])
    print_table(
        ("step", "device time", "of"),
        [
            (s["kind"], output.duration(s["device_seconds"]), ", ".join(s["cells"] or s["networks"]))
            for s in found["steps"]
        ],
        right=("device time",),
    )
    OUT.print(f"In all about {output.duration(found['device_seconds'])} on {found['device']}.", markup=False)


@search.command("list")
def list_searches(
    state: InState = None,
    priority: OfPriority = None,
    dataset: Annotated[str | None, typer.Option(help="Only searches on this dataset.")] = None,
    label: WithLabel = None,
    q: Part = None,
    sort: Sort = None,
    all_pages: All = False,
    limit: Limit = 20,
    cursor: Cursor = None,
    url: Url = LOCAL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """List searches, newest first."""
    with connect(url, key, exact=as_json) as client:
        page = jobs.read_page(
            client.searches,
            state,
            priority,
            dataset,
            wanted_labels(label or []),
            q,
            sort,
            None if all_pages else (limit, cursor),
        )
        jobs.print_page(KIND, page, _table, client, as_json=as_json)


def _table(page: Sequence[SearchSummary]) -> FittingTable:
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
        for found in page
    ]
    return output.table(
        ("id", "state", "progress", "dataset", "flops", "test accuracy", "created", "name"),
        rows,
        right=("progress", "flops", "test accuracy"),
        ids=("id",),
        droppable=("created", "flops", "dataset", "progress", "test accuracy"),
    )


add_commands(search, KIND)
