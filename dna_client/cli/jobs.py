"""Commands that jobs of all kinds have: show, watch, cancel, resume, delete; and the parts that their create and list share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import typer
from rich.console import Console, RenderableType

from dna_client.chosen import chosen
from dna_client.cli import output, refs
from dna_client.cli.options import (
    IMPATIENT,
    LOCAL,
    PATIENT,
    AsJson,
    ChangedLabel,
    Key,
    Url,
    changed_labels,
    connect,
)
from dna_client.cli.output import ERR, OUT, print_json
from dna_client.cli.owners import with_owners
from dna_client.cli.tables import FittingTable, short_id
from dna_client.client import Client
from dna_client.errors import LocalError
from dna_client.jobs import Jobs
from dna_client.models import Event, JobKind, Page, Priority
from dna_client.watch import waits
from dna_client.watch import watch as show_events

Limit = Annotated[int, typer.Option(help="Most rows to show.", min=1, max=200)]
Cursor = Annotated[str | None, typer.Option(help="Continue a list: next of the page before.")]
InState = Annotated[
    list[str] | None,
    typer.Option(
        "--state",
        help="Only those that are queued, running, succeeded, failed or cancelled; of several, given again.",
        metavar="STATE",
    ),
]
OfPriority = Annotated[
    list[str] | None,
    typer.Option(
        "--priority", help="Only those of low, normal or high priority; of several, given again.", metavar="PRIORITY"
    ),
]
WithLabel = Annotated[
    list[str] | None,
    typer.Option(
        "--label",
        help="Only those with key=value, or with key whatever its value; as often as needed.",
        metavar="KEY[=VALUE]",
    ),
]
Part = Annotated[str | None, typer.Option("--q", help="Only those with this in their name.", metavar="TEXT")]
Sort = Annotated[
    str | None,
    typer.Option(
        help="created_at, finished_at, name, state, progress, accuracy ...; with - in front from the most on.",
        metavar="[-]FIELD",
    ),
]
All = Annotated[bool, typer.Option("--all", help="Read all pages.")]
Watch = Annotated[bool, typer.Option("--watch", "-w", help="Follow it to its end, then show what it found.")]


@dataclass(frozen=True)
class Kind:
    """What the commands on a kind of job have of their own.

    Attributes:
        name: of one, in sentences and commands.
        plural: of several.
        of: the jobs of this kind.
        result: what one has found so far.
        then: what to do with what it has found, as a sentence.
    """

    name: JobKind
    plural: str
    of: Callable[[Client], Jobs[Any, Any]]
    result: Callable[[Any], RenderableType]
    then: Callable[[Any], str]

    @property
    def reference(self) -> Any:
        """The argument that names one, as a default: annotations do not see what a function is given."""
        said = f"Name or id of the {self.name}, or the beginning or end of its id."
        return typer.Argument(..., help=said, metavar=self.name.upper(), show_default=False)


def add_commands(app: typer.Typer, kind: Kind) -> None:
    """Adds the commands on one job to those of its kind."""
    _add_reading(app, kind)
    _add_steering(app, kind)


def _add_reading(app: typer.Typer, kind: Kind) -> None:
    name, reference = kind.name, kind.reference

    @app.command(help=f"Show a {name}: how far it is, what it found, and where its time went.")
    def show(job: str = reference, url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
        with connect(url, key, exact=as_json) as client:
            found = kind.of(client).get(refs.job_id(kind.of(client), job))
        if as_json:
            print_json(found)
        else:
            _print(kind, found)

    @app.command(
        help=f"Follow a {name} to its end. With --json: its events, one in a line, then the {name} in one line."
    )
    def watch(job: str = reference, url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
        with connect(url, key, exact=as_json, pauses=PATIENT) as client:
            jobs = kind.of(client)
            _follow(kind, jobs, jobs.get(refs.job_id(jobs, job)), as_json=as_json)


def _add_steering(app: typer.Typer, kind: Kind) -> None:
    name, reference = kind.name, kind.reference

    @app.command(help=f"Stop a {name} within seconds. Its checkpoints are kept: resume goes on from them.")
    def cancel(job: str = reference, url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
        with connect(url, key, exact=as_json) as client:
            found = kind.of(client).cancel(refs.job_id(kind.of(client), job))
        what = "is cancelled" if found["state"] == "cancelled" else "stops within seconds"
        _acknowledge(kind, found, f"{what}. To go on with it: dna {name} resume {found['id']}", as_json=as_json)

    @app.command(help=f"Go on with a failed or cancelled {name}. What is finished is not done again.")
    def resume(job: str = reference, url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
        with connect(url, key, exact=as_json) as client:
            found = kind.of(client).resume(refs.job_id(kind.of(client), job))
        said = f"goes on from where it was. To follow it: dna {name} watch {found['id']}"
        _acknowledge(kind, found, said, as_json=as_json)

    @app.command(help=f"Rename a {name}, or change its labels or priority. What it computes stays as it was asked for.")
    def update(
        job: str = reference,
        new_name: Annotated[str | None, typer.Option("--name", help="What to call it.")] = None,
        label: ChangedLabel = None,
        priority: Annotated[Priority | None, typer.Option(help="Which jobs go before others.")] = None,
        url: Url = LOCAL,
        key: Key = None,
        as_json: AsJson = False,
    ) -> None:
        changes = changed_labels(label or [])
        if new_name is None and not changes and priority is None:
            raise LocalError(
                "Say what is to change: --name NAME, --label key=value, --label key- to take one away, or --priority high."
            )
        with connect(url, key, exact=as_json) as client:
            job_id = refs.job_id(kind.of(client), job)
            found = kind.of(client).update(job_id, name=new_name, labels=changes or None, priority=priority)
        shown = ", ".join(f"{key}={value}" for key, value in found["labels"].items()) or "none"
        said = f"is called {found['name']}; its labels: {shown}; its priority: {found['priority']}"
        _acknowledge(kind, found, said, as_json=as_json)

    @app.command(help=f"Delete a finished {name} with its files.")
    def delete(job: str = reference, url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
        with connect(url, key, exact=as_json) as client:
            job_id = refs.job_id(kind.of(client), job)
            kind.of(client).delete(job_id)
        if as_json:
            print_json({"id": job_id, "deleted": True})
        else:
            ERR.print(f"{name.capitalize()} {job_id} is deleted.", markup=False)


def create(
    kind: Kind, request: Callable[[Client], Mapping[str, Any]], url: str, key: str | None, *, watch: bool, as_json: bool
) -> None:
    """Creates a job, says what was chosen for it and what weakens it, and follows it if asked to."""
    with connect(url, key, exact=as_json, pauses=PATIENT if watch else IMPATIENT) as client:
        jobs, body = kind.of(client), refs.cloned(kind.of(client), request(client))
        made = jobs.create(body)
        if as_json:
            print_json(made, one_line=watch)
        else:
            ERR.print(f"{kind.name.capitalize()} {made['id']} ({made['name']})", markup=False)
            choices = [] if "from" in body else chosen(body, made["spec"], kind.name)
            say_plan(ERR, choices, made["warnings"])
            _print_waiting(made)
        if watch:
            _follow(kind, jobs, made, as_json=as_json)
        elif not as_json:
            OUT.print(made["id"])


def say_plan(console: Console, choices: Sequence[tuple[str, str]], warnings: Sequence[str]) -> None:
    """What was chosen where nothing was asked for, and what makes the job tell little."""
    if choices:
        console.print("Chosen, as nothing else was asked for:")
    for what, value in choices:
        console.print(f"  {what:<13} {value}", markup=False)
    output.warn(console, warnings)


def read_page(
    jobs: Jobs[Any, Any],
    state: Sequence[str] | None,
    priority: Sequence[str] | None,
    dataset: str | None,
    labels: Mapping[str, str | None],
    q: str | None,
    sort: str | None,
    page: tuple[int, str | None] | None,
) -> Page[Any]:
    """A page of jobs by its length and cursor; all of them, as one page, where it is None."""
    if page is None:
        found = jobs.every(state=state, priority=priority, dataset=dataset, labels=labels, q=q, sort=sort)
        return Page(items=list(found), next=None)
    limit, cursor = page
    return jobs.list(
        state=state, priority=priority, dataset=dataset, labels=labels, q=q, sort=sort, cursor=cursor, limit=limit
    )


def print_page(
    kind: Kind, page: Page[Any], table: Callable[[Sequence[Any]], FittingTable], client: Client, *, as_json: bool
) -> None:
    """A page of a list that the client has read, what those in it wait for, and how to see the next one."""
    if as_json:
        print_json(page)
        return
    if not page["items"]:
        ERR.print(f"There are no such {kind.plural}.")
        return
    output.show(with_owners(_with_priorities(table(page["items"]), page["items"]), page["items"], client))
    for found in page["items"]:
        if said := _waiting(found):
            name = short_id(found["id"]) if OUT.is_terminal else found["id"]
            OUT.print(f"{name}{said}", markup=False)
    if page["next"]:
        ERR.print(f"More with the same options and: --cursor {page['next']}", markup=False)


def _with_priorities(table: FittingTable, found: Sequence[Any]) -> FittingTable:
    """The table with a word for who goes before or behind others; nothing where all are of the same priority, the usual one."""
    unusual = ["" if one["priority"] == "normal" else one["priority"] for one in found]
    if not any(unusual):
        return table
    rows = [(*row, priority) for row, priority in zip(table.rows, unusual, strict=True)]
    return replace(table, columns=(*table.columns, "priority"), rows=rows, droppable=(*table.droppable, "priority"))


def _follow(kind: Kind, jobs: Jobs[Any, Any], job: Any, *, as_json: bool) -> None:
    """Watches to the end and shows the outcome.

    Raises:
        JobNotSucceeded: it failed or was cancelled.
    """
    job_id = job["id"]
    try:
        if as_json:
            for _ in _printed(jobs.events(job_id)):
                pass
        else:
            followed, _ = jobs.followed(job)
            show_events(jobs.events(job_id, waits=True), ERR, followed)
    except KeyboardInterrupt:
        ERR.print(f"The {kind.name} goes on. Watch it with: dna {kind.name} watch {job_id}", markup=False)
        raise
    found = jobs.get(job_id)
    if as_json:
        print_json(found, one_line=True)
    elif found["state"] == "succeeded":
        _print(kind, found)
        ERR.print(kind.then(found), markup=False)
    jobs.succeeded(found)


def _printed(events: Iterable[Event]) -> Iterator[Event]:
    for event in events:
        print_json(event, one_line=True)
        yield event


def _acknowledge(kind: Kind, found: Any, what: str, *, as_json: bool) -> None:
    if as_json:
        print_json(found)
    else:
        ERR.print(f"{kind.name.capitalize()} {found['id']} {what}", markup=False)


def _print_waiting(found: Any) -> None:
    """Why a job does not begin at once, if something holds it up."""
    if said := _waiting(found):
        ERR.print(said, markup=False)


def _waiting(found: Any) -> str | None:
    """What holds a job up, and its place in the queue where others are before it."""
    reason, place = found.get("waiting_for"), found.get("queue_position") or 1
    if reason is None and place == 1:
        return None
    return waits(reason or "a worker") + (f" (number {place:,} in the queue)" if place > 1 else "")


def _print(kind: Kind, found: Any) -> None:
    OUT.print(output.state(found["state"]), f"{found['id']}  {found['name']}", markup=False)
    if found["state"] in ("queued", "running"):
        left, priority = output.duration(found["eta_seconds"]), found.get("priority", "normal")
        said = [
            f"phase {found['phase']}, {found['progress']:.0%}",
            *([f"about {left} left"] if left else []),
            *([f"{priority} priority"] if priority != "normal" else []),
        ]
        OUT.print(", ".join(said), markup=False)
        _print_waiting(found)
    if found["error"]:
        OUT.print(f"error: {found['error']['message']}", markup=False)
    output.show(kind.result(found))
