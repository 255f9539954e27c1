"""Commands on datasets: send, check, follow, show, delete."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from dna_client.checks import CHECKED, accepted
from dna_client.cli import output, refs
from dna_client.cli.options import LOCAL, PATIENT, AsJson, Key, Url, connect
from dna_client.cli.output import ERR, OUT, print_json
from dna_client.cli.owners import with_owners
from dna_client.cli.tables import FittingTable
from dna_client.client import Client
from dna_client.dataset_report import report_lines
from dna_client.errors import Conflict, DatasetRejected, LocalError, NotFound
from dna_client.models import Dataset, Report
from dna_client.processes import python
from dna_client.upload import Told, unheard
from dna_client.watch import watch as show_events

dataset = typer.Typer(no_args_is_help=True, help="Images to search on and to train with.")

DatasetRef = Annotated[
    str,
    typer.Argument(
        help="Name of the dataset (the newest of that name), name@version, or id, or the beginning or end of an id.",
        metavar="DATASET",
    ),
]

Layout = Annotated[
    str | None, typer.Option(help="classes: the folders at the top are the classes, whatever they are called.")
]
Encoding = Annotated[
    str | None, typer.Option(help="Of names in a zip that do not say theirs, such as cp932 or gb18030.")
]

_COLUMNS = ("name", "version", "state", "classes", "train", "test", "pixels")
_COUNTS = ("num_classes", "num_train", "num_test", "image_size")


@dataset.command("list")
def list_datasets(url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
    """List datasets, each version by itself."""
    with connect(url, key, exact=as_json) as client:
        found = list(client.datasets())
        if as_json:
            print_json(found)
        else:
            output.show(with_owners(_table(found), found, client))


def _table(found: Sequence[Dataset]) -> FittingTable:
    rows = [(d["name"], d["version"], d["state"], *(output.count(d[field]) for field in _COUNTS)) for d in found]  # type: ignore[literal-required]
    return output.table(
        _COLUMNS, rows, right=("version", *_COLUMNS[3:]), droppable=("pixels", "test", "state", "version")
    )


@dataset.command()
def create(
    images: Annotated[
        str,
        typer.Argument(
            help="A zip or tar of class folders, or a folder of them; or the URL of shards that lie elsewhere, such as s3://bucket/birds/."
        ),
    ],
    name: Annotated[
        str | None,
        typer.Option(help="What searches and trainings will call it. Default: the file's name without its suffix."),
    ] = None,
    layout: Layout = None,
    encoding: Encoding = None,
    licence: Annotated[
        str | None, typer.Option(help="What may be done with the images, such as CC BY 4.0; cards of networks say it.")
    ] = None,
    on_server: Annotated[
        bool,
        typer.Option(
            "--on-server",
            help="The folder lies on the server and its workers, or the name is one of timm's, such as torch/cifar10; send nothing.",
        ),
    ] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Do not wait for the check.")] = False,
    url: Url = LOCAL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Send images to search on, wait until every one was opened, and print what was found. A name that there is gets a new version.

    One folder for every class; train/, val/ and test/ with such folders; or images with a table of labels. A broken connection is taken up again where it broke.
    """
    with connect(url, key, exact=as_json, pauses=PATIENT) as client:
        if "://" in images or (on_server and not images.startswith("/")):
            made = client.use_url(images, name, licence=licence, wait=False)
        elif on_server:
            made = client.use_server_folder(
                images, name or Path(images).name, layout=layout, licence=licence, wait=False
            )
        else:
            with _bar("sending", DownloadColumn(), TransferSpeedColumn()) as told:
                made = client.create_dataset(
                    Path(images), name, layout=layout, encoding=encoding, licence=licence, wait=False, told=told
                )
        if not detach:
            _conclude(client, _follow(client, made), as_json=as_json)
        elif as_json:
            print_json(made)
        else:
            OUT.print(f"{_called(made)} is being checked: dna dataset watch {_called(made)}", markup=False)


@contextmanager
def _bar(what: str, *figures: ProgressColumn) -> Iterator[Told]:
    """A bar for what is done of a whole, where somebody sees it."""
    if not ERR.is_terminal:
        yield unheard
        return
    with Progress(TextColumn("{task.description}"), BarColumn(), *figures, console=ERR, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _follow(client: Client, made: Dataset) -> Dataset:
    """As it is once its check has ended."""
    if made["state"] not in CHECKED:
        show_events(client.checks.events(made["id"], waits=True), ERR, "check")
    return client.get_dataset(made["id"])


def _conclude(client: Client, found: Dataset, *, as_json: bool) -> None:
    """Prints what its check came to.

    Raises:
        DatasetRejected: it cannot be used; says why where no report does.
    """
    if as_json:
        print_json(found)
    elif (report := _report(client, found)) is not None:
        _print_report(report)
        if found["state"] == "rejected":
            raise DatasetRejected(f"{_called(found)} is rejected; the errors above say what to do.")
    accepted(found)
    if not as_json and found["state"] == "ready":
        OUT.print(f"{_called(found)} is ready.", markup=False)


def _report(client: Client, found: Dataset) -> Report | None:
    """None where the check could not be done, or is not done yet."""
    try:
        return client.checks.report(found["id"])
    except (NotFound, Conflict):
        return None


@dataset.command()
def watch(dataset: DatasetRef, url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
    """Follow the check of a dataset to its end, then print what was found."""
    with connect(url, key, exact=as_json, pauses=PATIENT) as client:
        found = _follow(client, client.get_dataset(refs.dataset_id(client, dataset)))
        _conclude(client, found, as_json=as_json)


@dataset.command()
def report(dataset: DatasetRef, url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
    """What the check of a dataset has found: counts, sizes, and what to do about it."""
    with connect(url, key, exact=as_json) as client:
        found = client.checks.report(refs.dataset_id(client, dataset))
    print_json(found) if as_json else _print_report(found)


@dataset.command()
def check(
    images: Annotated[Path, typer.Argument(help="A folder of class folders, or a zip or tar of them.")],
    layout: Layout = None,
    encoding: Encoding = None,
    as_json: AsJson = False,
) -> None:
    """Check images of this machine as the service would, without one: nothing is sent and nothing kept."""
    if not images.exists():
        raise LocalError(f"There is no file or folder {images}.")
    how = [part for name, value in (("--layout", layout), ("--encoding", encoding)) if value for part in (name, value)]
    command = [*python("dna_engine", "check"), "--json", *how, str(images)]
    with _bar("checking", MofNCompleteColumn(), TimeRemainingColumn()) as told:
        said = _answer(command, told)
    try:
        found = json.JSONDecoder().raw_decode(said)[0]  # Where there are errors, they are said once more behind it.
    except ValueError as error:
        raise LocalError(
            "The check did not end. Is the engine installed here (pip install 'dna-automl[engine]')?"
        ) from error
    if "findings" not in found:
        raise LocalError(found["error"]["message"])
    print_json(found) if as_json else _print_report(found)
    if any(finding["level"] == "error" for finding in found["findings"]):
        raise DatasetRejected(f"{images} cannot be used as it is; the errors above say what to do.")


def _answer(command: list[str], told: Told) -> str:
    """What a command of the engine prints; its progress is told, and whatever else it says of itself passed on."""
    with (
        tempfile.TemporaryFile("w+") as printed,  # Not a pipe: nobody empties it while the events are read.
        subprocess.Popen(command, stdout=printed, stderr=subprocess.PIPE, text=True) as run,
    ):
        assert run.stderr is not None
        for line in run.stderr:
            if line.startswith('{"event":"progress"'):
                event = json.loads(line)
                told(event["done"], event["total"])
            else:
                sys.stderr.write(line)
        run.wait()
        printed.seek(0)
        return printed.read()


@dataset.command()
def delete(dataset: DatasetRef, url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
    """Delete a dataset, and its images if they were sent. Searches that have succeeded keep all they found."""
    with connect(url, key, exact=as_json) as client:
        dataset_id = refs.dataset_id(client, dataset)
        client.delete_dataset(dataset_id)
    if as_json:
        print_json({"id": dataset_id, "deleted": True})
    else:
        ERR.print(f"The dataset {dataset} is deleted.", markup=False)


@dataset.command()
def show(dataset: DatasetRef, url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
    """Show a dataset."""
    with connect(url, key, exact=as_json) as client:
        found = client.get_dataset(refs.dataset_id(client, dataset))
    if as_json:
        print_json(found)
        return
    for field, value in found.items():
        if value is not None and value != []:
            OUT.print(f"{field:13} {_in_words(value)}", markup=False)


def _in_words(value: object) -> str:
    match value:
        case list():
            return ", ".join(_in_words(part) for part in value)
        case {"message": message}:
            return str(message)
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.3g}"
        case _:
            return str(value)


def _print_report(found: Report) -> None:
    for line in report_lines(found):
        OUT.print(line)


def _called(found: Dataset) -> str:
    return f"{found['name']}@{found['version']}"
