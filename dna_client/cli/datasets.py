"""Commands on datasets: send, check, follow, show, delete."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, cast

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from dna_client.checks import CHECKED, accepted
from dna_client.cli import output, refs
from dna_client.cli.options import LOCAL, PATIENT, AsJson, Key, Url, connect
from dna_client.cli.output import ERR, OUT, print_json, print_table
from dna_client.client import Client
from dna_client.dataset_report import report_lines
from dna_client.errors import DatasetRejected, LocalError
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
    with connect(url, key) as client:
        found = list(client.datasets())
    if as_json:
        print_json(found)
        return
    rows = [(d["name"], d["version"], d["state"], *(output.count(d[field]) for field in _COUNTS)) for d in found]  # type: ignore[literal-required]
    print_table(_COLUMNS, rows, right=("version", *_COLUMNS[3:]), droppable=("pixels", "test", "state", "version"))


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
    with connect(url, key, pauses=PATIENT) as client:
        if "://" in images or (on_server and not images.startswith("/")):
            made = client.use_url(images, name, wait=False)
        elif on_server:
            made = client.use_server_folder(images, name or Path(images).name, layout=layout, wait=False)
        else:
            with _sending() as told:
                made = client.create_dataset(
                    Path(images), name, layout=layout, encoding=encoding, wait=False, told=told
                )
        if not detach:
            made = _follow(client, made)
        if as_json:
            print_json(made)
        elif detach:
            OUT.print(f"{_called(made)} is being checked: dna dataset watch {_called(made)}", markup=False)
        else:
            _print_report(client.checks.report(made["id"]))
        accepted(made)
    if not as_json and not detach:
        OUT.print(f"{_called(made)} is ready.", markup=False)


@contextmanager
def _sending() -> Iterator[Told]:
    """A bar for what is sent, where somebody sees it."""
    if not ERR.is_terminal:
        yield unheard
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=ERR, transient=True) as bar:
        task = bar.add_task("sending", total=None)
        yield lambda sent, size: bar.update(task, completed=sent, total=size)


def _follow(client: Client, made: Dataset) -> Dataset:
    """As it is once its check has ended."""
    if made["state"] not in CHECKED:
        show_events(client.checks.events(made["id"], waits=True), ERR, "check")
    return client.get_dataset(made["id"])


@dataset.command()
def watch(dataset: DatasetRef, url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
    """Follow the check of a dataset to its end, then print what was found."""
    with connect(url, key, pauses=PATIENT) as client:
        found = _follow(client, client.get_dataset(refs.dataset_id(client, dataset)))
        if as_json:
            print_json(found)
        elif found["state"] in CHECKED:
            _print_report(client.checks.report(found["id"]))
    accepted(found)


@dataset.command()
def report(dataset: DatasetRef, url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
    """What the check of a dataset has found: counts, sizes, and what to do about it."""
    with connect(url, key) as client:
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
    said = [part for name, value in (("--layout", layout), ("--encoding", encoding)) if value for part in (name, value)]
    command = [*python("dna_engine", "check"), "--json", *said, str(images)]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    try:
        found = cast(Report, json.JSONDecoder().raw_decode(run.stdout)[0])
        errors = [finding for finding in found["findings"] if finding["level"] == "error"]
    except (ValueError, KeyError) as error:
        raise LocalError(
            "The check did not end. Is the engine installed here (pip install 'dna-automl[engine]')?"
        ) from error
    print_json(found) if as_json else _print_report(found)
    if errors:
        raise DatasetRejected(f"{images} cannot be used as it is: {errors[0]['text']}")


@dataset.command()
def delete(dataset: DatasetRef, url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
    """Delete a dataset, and its images if they were sent. Searches that have succeeded keep all they found."""
    with connect(url, key) as client:
        dataset_id = refs.dataset_id(client, dataset)
        client.delete_dataset(dataset_id)
    if as_json:
        print_json({"id": dataset_id, "deleted": True})
    else:
        ERR.print(f"The dataset {dataset} is deleted.", markup=False)


@dataset.command()
def show(dataset: DatasetRef, url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
    """Show a dataset."""
    with connect(url, key) as client:
        found = client.get_dataset(refs.dataset_id(client, dataset))
    if as_json:
        print_json(found)
        return
    for field, value in found.items():
        if value is None:
            continue
        OUT.print(f"{field:12} {', '.join(value) if isinstance(value, list) else value}", markup=False)


def _print_report(found: Report) -> None:
    for line in report_lines(found):
        OUT.print(line)


def _called(found: Dataset) -> str:
    return f"{found['name']}@{found['version']}"
