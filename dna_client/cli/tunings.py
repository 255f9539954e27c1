"""Commands on tunings: create, estimate, list, trials, and those that every job has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from dna_client import tuning_report
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
from dna_client.cli.output import ERR, OUT, print_json
from dna_client.cli.spec import takes_spec
from dna_client.cli.tables import FittingTable
from dna_client.cli.tuning_spec import TuningOptions
from dna_client.models import Trial, Tuning, TuningSummary

tuning = typer.Typer(no_args_is_help=True, help="Look for a recipe by which a network learns well.")


def _then(found: Tuning) -> str:
    network = found["architecture_id"] or "NETWORK"
    return f"To train by it: dna training create {network} --dataset {found['dataset']} --recipe {found['recipe']}"


KIND = Kind("tuning", "tunings", lambda client: client.tunings, tuning_report.result, _then)


@tuning.command()
@takes_spec
def create(
    options: TuningOptions, watch: Watch = False, url: Url = LOCAL, key: Key = None, as_json: AsJson = False
) -> None:
    """Train a network many times for a short time, each by another recipe, and find the best; what is given is the same each time."""
    written = options.request()
    jobs.create(KIND, lambda client: refs.named_in(client, written), url, key, watch=watch, as_json=as_json)


@tuning.command()
@takes_spec
def estimate(options: TuningOptions, url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
    """Say what a tuning would take: images held out, device time. Makes nothing."""
    written = options.request()
    with connect(url, key, exact=as_json) as client:
        found = client.tunings.estimate(refs.cloned(client.tunings, refs.named_in(client, written)))
    if as_json:
        print_json(found)
        return
    choices = [] if "from" in written else chosen(written, found["spec"], "tuning")
    say_plan(OUT, choices, found["warnings"])
    each, whole = (output.duration(found[name]) for name in ("trial_seconds", "device_seconds"))
    OUT.print(
        f"{found['trials']} trials of about {each}, in all {whole} on {found['device']}, less what is ended early."
    )


@tuning.command("list")
def list_tunings(
    state: InState = None,
    priority: OfPriority = None,
    dataset: Annotated[str | None, typer.Option(help="Only tunings on this dataset.")] = None,
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
    """List tunings, newest first."""
    with connect(url, key, exact=as_json) as client:
        page = jobs.read_page(
            client.tunings,
            state,
            priority,
            dataset,
            wanted_labels(label or []),
            q,
            sort,
            None if all_pages else (limit, cursor),
        )
        jobs.print_page(KIND, page, _table, client, as_json=as_json)


def _table(page: Sequence[TuningSummary]) -> FittingTable:
    rows = [
        (
            found["id"],
            output.state(found["state"]),
            f"{found['progress']:.0%}",
            found["dataset"],
            found["trials"],
            output.percent(found["best"]["value"] if found["best"] else None),
            refs.moment(found),
            found["name"],
        )
        for found in page
    ]
    return output.table(
        ("id", "state", "progress", "dataset", "trials", "held out", "created", "name"),
        rows,
        right=("progress", "trials", "held out"),
        ids=("id",),
        droppable=("created", "dataset", "progress", "trials", "held out"),
    )


add_commands(tuning, KIND)


@tuning.command()
def trials(job: str = KIND.reference, url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
    """Show the trials, the best first: what each tried and how right it was on held-out images; and which field mattered how much."""
    with connect(url, key, exact=as_json) as client:
        tuning_id = refs.job_id(client.tunings, job)
        found, shares = list(client.tunings.trials(tuning_id)), client.tunings.importance(tuning_id)
        fields = sorted(client.tunings.get(tuning_id)["spec"]["search"])
    if as_json:
        print_json({"trials": found, "importance": shares})
        return
    output.show(tuning_report.trials(sorted(found, key=_best_first), fields))
    if shares:
        output.show(tuning_report.importance(shares))
    else:
        ERR.print("Which field mattered is known once ten trials are complete.")


def _best_first(trial: Trial) -> tuple[bool, float, int]:
    """Of what is complete; then what was ended early."""
    return trial["state"] != "complete", -(trial["value"] or 0.0), trial["number"]
