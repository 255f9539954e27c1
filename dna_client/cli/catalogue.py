"""Commands on what there is to search with: dataset, teacher, workers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dna_client.cli import output
from dna_client.cli.options import LOCAL, AsJson, Key, Url, connect
from dna_client.cli.output import OUT, print_json, print_table

dataset = typer.Typer(no_args_is_help=True, help="Images to search on.")
teacher = typer.Typer(no_args_is_help=True, help="Networks that can supervise a search.")
workers = typer.Typer(no_args_is_help=True, help="Workers that are live.")

_COLUMNS = ("name", "state", "classes", "train", "test", "pixels")


@dataset.command("list")
def list_datasets(url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
    """List datasets."""
    with connect(url, key) as client:
        found = list(client.datasets())
    if as_json:
        print_json(found)
        return
    rows = [(d["name"], d["state"], d["num_classes"], d["num_train"], d["num_test"], d["image_size"]) for d in found]
    print_table(_COLUMNS, rows, right=_COLUMNS[2:])


@dataset.command()
def create(
    images: Annotated[Path, typer.Argument(help="A zip or tar of class folders, or a folder of them.")],
    name: Annotated[
        str | None, typer.Option(help="What searches will call it. Default: the file's name without its suffix.")
    ] = None,
    on_server: Annotated[
        bool, typer.Option("--on-server", help="The folder lies on the server and its workers; send nothing.")
    ] = False,
    url: Url = LOCAL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Send images to search on: one folder for every class, or train/ and test/ (or val/) with such folders."""
    with connect(url, key) as client:
        if on_server:
            made = client.use_server_folder(str(images), name or images.name)
        else:
            made = client.create_dataset(images, name)
    if as_json:
        print_json(made)
        return
    OUT.print(
        f"{made['name']}: {made['num_train']:,} images to train and {made['num_test']:,} to test with, "
        f"{made['num_classes']} classes, {made['image_size']} pixels.",
        markup=False,
    )
    for sentence in made["left_out"]:
        OUT.print(sentence, markup=False)


@dataset.command()
def delete(
    name: Annotated[str, typer.Argument(help="Name or id of the dataset.")], url: Url = LOCAL, key: Key = None
) -> None:
    """Delete a dataset, and its images if they were sent. Searches that have succeeded keep all they found."""
    with connect(url, key) as client:
        client.delete_dataset(name)


@dataset.command()
def show(
    name: Annotated[str, typer.Argument(help="Name or id of the dataset.")],
    url: Url = LOCAL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Show a dataset."""
    with connect(url, key) as client:
        found = client.get_dataset(name)
    if as_json:
        print_json(found)
        return
    for field, value in found.items():
        OUT.print(f"{field:12} {', '.join(value) if isinstance(value, list) else value}", markup=False)


@teacher.command("list")
def list_teachers(
    query: Annotated[str, typer.Argument(help="Part of the name or family.")] = "",
    url: Url = LOCAL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """List teachers with their blocks: channels at reduction."""
    with connect(url, key) as client:
        found = list(client.teachers(query))
    if as_json:
        print_json(found)
        return
    rows = [
        (
            teacher["name"],
            teacher["family"],
            output.count(teacher["params"]),
            "yes" if teacher["pretrained"] else "no",
            " ".join(f"{block['channels']}@{block['reduction']}" for block in teacher["blocks"]),
        )
        for teacher in found
    ]
    print_table(("teacher", "family", "params", "pretrained", "blocks"), rows, right=("params",))


@workers.command("list")
def list_workers(url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
    """List live workers, their devices, and what they run."""
    with connect(url, key) as client:
        found = client.workers()
    if as_json:
        print_json(found)
        return
    rows = [(w["hostname"], w["device"], w["device_name"], w["step"]["key"] if w["step"] else "") for w in found]
    print_table(("host", "device", "name", "runs"), rows)
