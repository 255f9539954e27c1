"""Commands on trainings: create, list, download, and those that every job has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, get_args

import typer

from dna_client import training_report
from dna_client.cli import jobs, output, refs
from dna_client.cli.jobs import Cursor, InState, Kind, Limit, OfPriority, Part, Sort, Watch, WithLabel, add_commands
from dna_client.cli.options import LOCAL, PATIENT, AsJson, Key, Url, connect, make_folder, wanted_labels
from dna_client.cli.predictions import PICTURES, TopK, show_answers
from dna_client.cli.results import Formats, Output, bring_home, existing, known, show_files
from dna_client.cli.spec import takes_spec
from dna_client.cli.tables import FittingTable
from dna_client.cli.training_spec import TrainingOptions
from dna_client.models import Confusion, Training, TrainingSummary

CONFUSIONS: tuple[Confusion, ...] = get_args(Confusion)

training = typer.Typer(no_args_is_help=True, help="Train networks again: longer, otherwise, on other images.")


def _then(found: Training) -> str:
    return f"To bring the network home: dna training download {found['id']}"


KIND = Kind("training", "trainings", lambda client: client.trainings, training_report.result, _then)


@training.command()
@takes_spec
def create(
    options: TrainingOptions, watch: Watch = False, url: Url = LOCAL, key: Key = None, as_json: AsJson = False
) -> None:
    """Train a network on the dataset that is named; what is not said has defaults that suit it."""
    written = options.request()
    jobs.create(KIND, lambda client: refs.named_in(client, written), url, key, watch=watch, as_json=as_json)


@training.command("list")
def list_trainings(
    state: InState = None,
    priority: OfPriority = None,
    dataset: Annotated[str | None, typer.Option(help="Only trainings on this dataset.")] = None,
    label: WithLabel = None,
    q: Part = None,
    sort: Sort = None,
    architecture: Annotated[
        str | None, typer.Option("--architecture", help="Only trainings of this network.", metavar="ARCHITECTURE")
    ] = None,
    search: Annotated[
        str | None, typer.Option("--search", help="Only trainings of networks of this search.", metavar="SEARCH")
    ] = None,
    limit: Limit = 20,
    cursor: Cursor = None,
    url: Url = LOCAL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """List trainings, newest first: those made alone, and winners and controls of searches."""
    with connect(url, key, exact=as_json) as client:
        page = client.trainings.list(
            state=state,
            priority=priority,
            dataset=dataset,
            labels=wanted_labels(label or []),
            q=q,
            sort=sort,
            architecture=refs.network_id(client, architecture) if architecture else None,
            search=refs.search_id(client, search) if search else None,
            cursor=cursor,
            limit=limit,
        )
        jobs.print_page(KIND, page, _table, client, as_json=as_json)


def _table(page: Sequence[TrainingSummary]) -> FittingTable:
    rows = [
        (
            found["id"],
            output.state(found["state"]),
            f"{found['progress']:.0%}",
            found["dataset"],
            found["network"],
            found["architecture_id"] or "",
            output.percent(found["test_accuracy"]),
            refs.moment(found),
            found["name"],
        )
        for found in page
    ]
    return output.table(
        ("id", "state", "progress", "dataset", "network", "architecture", "test accuracy", "created", "name"),
        rows,
        right=("progress", "test accuracy"),
        ids=("id", "architecture"),
        droppable=("created", "architecture", "dataset", "progress", "network", "test accuracy"),
    )


add_commands(training, KIND)


@training.command()
def confusion(
    job: str = KIND.reference,
    output_path: Annotated[Path, typer.Option("--output", "-o", help="Folder, made if need be.")] = Path(),
    url: Url = LOCAL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Download which test images the network took for which class: the confusion matrix, as JSON and as a picture."""
    with connect(url, key, exact=as_json, pauses=PATIENT) as client:
        training_id = client.trainings.get(refs.job_id(client.trainings, job))["id"]
        make_folder(output_path)
        files = existing(CONFUSIONS, lambda shown: client.trainings.confusion(training_id, shown, output_path))
    show_files([*files.values()], as_json)


@training.command()
def predict(
    job: str = KIND.reference,
    pictures: list[Path] = PICTURES,
    top_k: TopK = 5,
    url: Url = LOCAL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Ask the network, as this training left it, what is on pictures: its likeliest classes with their probabilities."""
    with connect(url, key, exact=as_json) as client:
        training_id = client.trainings.get(refs.job_id(client.trainings, job))["id"]
        answers = [(str(each), client.trainings.predict(training_id, each, top_k=top_k)) for each in pictures]
    show_answers(answers, as_json=as_json)


@training.command()
def download(
    job: str = KIND.reference,
    file_format: Formats = None,
    output_path: Output = ".",
    url: Url = LOCAL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Download the network as this training left it; each file is checked against its SHA-256.

    Without a format, all that there are.
    """
    formats = known(file_format)
    with connect(url, key, exact=as_json, pauses=PATIENT) as client:
        training_id = client.trainings.get(refs.job_id(client.trainings, job))["id"]
        files = bring_home(
            formats, output_path, lambda name, target: client.trainings.download(training_id, name, target)
        )
    show_files(files, as_json)
