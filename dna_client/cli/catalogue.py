"""Commands on what there is to search with beside images: space, teacher, workers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dna_client.cli import output
from dna_client.cli.options import LOCAL, AsJson, Key, Url, connect
from dna_client.cli.output import ERR, OUT, print_json, print_table
from dna_client.cli.tables import short_id
from dna_client.models import Recipe, Worker

space = typer.Typer(no_args_is_help=True, help="Search spaces that have names.")
teacher = typer.Typer(no_args_is_help=True, help="Networks that can supervise a search.")
workers = typer.Typer(no_args_is_help=True, help="Workers that are live.")

TeacherRef = Annotated[
    str, typer.Argument(help="Name of a timm model, or id or name of weights that were sent.", metavar="TEACHER")
]


def recipes(url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
    """List the recipes that networks are trained by, number by number; each may be written anew: --set mixup=0.2."""
    with connect(url, key, exact=as_json) as client:
        found = client.recipes()
    if as_json:
        print_json(found)
        return
    for recipe in found:
        OUT.print(f"{recipe['name']:8} {recipe['about']}{_default(recipe)}", markup=False)
    OUT.print()
    names = [recipe["name"] for recipe in found]
    rows = [(number, *(_number(recipe["numbers"][number]) for recipe in found)) for number in found[0]["numbers"]]
    print_table(("number", *names), rows, right=names)


def _default(recipe: Recipe) -> str:
    """When it is taken where none is named."""
    least, below = recipe["default_from"], recipe["default_below"]
    if least is None:
        return ""
    if below is None:
        return f" The default for {f'{least:,} training images and more' if least else 'any number of images'}."
    return f" The default for {least:,} to {below - 1:,} training images."


def _number(value: object) -> str:
    """What is off stands out by being short."""
    return "-" if value in (None, False, 0) else "yes" if value is True else str(value)


@space.command("list")
def list_spaces(
    input_size: Annotated[int, typer.Option(help="Side of the images in pixels, which costs depend on.")] = 224,
    classes: Annotated[int, typer.Option(help="Classes, which costs depend on.")] = 1000,
    url: Url = LOCAL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """List the spaces that a search can name, with the costs of their networks; --json has them whole, to make one's own of."""
    with connect(url, key, exact=as_json) as client:
        found = client.spaces(input_size, classes)
    if as_json:
        print_json(found)
        return
    rows = [
        (
            space["name"],
            f"{int(space['networks']):.1e}",
            output.count(space["paths"]),
            *(" to ".join(output.count(cost) for cost in costs) for costs in (space["flops"], space["params"])),
            " ".join(map(str, space["reductions"])),
        )
        for space in found
    ]
    columns = ("space", "networks", "paths", "flops", "params", "reductions")
    print_table(columns, rows, right=columns[1:5], droppable=("reductions", "paths"))


@teacher.command("list")
def list_teachers(
    query: Annotated[str, typer.Argument(help="Part of the name or family.")] = "",
    url: Url = LOCAL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """List teachers with their blocks: channels at reduction."""
    with connect(url, key, exact=as_json) as client:
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
    columns = ("teacher", "family", "params", "pretrained", "blocks")
    print_table(columns, rows, right=("params",), droppable=("family", "pretrained"))


@teacher.command("create")
def create_teacher(
    weights: Annotated[Path, typer.Argument(help="A safetensors file with all tensors of the model.")],
    model: Annotated[str, typer.Option(help="The timm model that they are of; dna teacher list shows them.")],
    name: Annotated[
        str | None, typer.Option(help="What searches will call it. Default: the file's name without its suffix.")
    ] = None,
    mean: Annotated[
        tuple[float, float, float] | None,
        typer.Option(help="Of the images that they are for. Default: as timm's weights."),
    ] = None,
    std: Annotated[tuple[float, float, float] | None, typer.Option(help="The same.")] = None,
    url: Url = LOCAL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Send weights of a timm model, for searches to begin with: --teacher-from NAME."""
    with connect(url, key, exact=as_json) as client:
        made = client.create_teacher(weights, model, name, mean=mean, std=std)
    if as_json:
        print_json(made)
        return
    OUT.print(f"{made['name']}: {made['model']} for {made['num_classes']:,} classes, {made['id']}", markup=False)


@teacher.command("show")
def show_teacher(teacher: TeacherRef, url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
    """Show a teacher: a timm model, or weights that were sent."""
    with connect(url, key, exact=as_json) as client:
        found = client.get_teacher(teacher)
    if as_json:
        print_json(found)
        return
    for field, value in found.items():
        if field == "blocks":
            value = [f"{block['module']} {block['channels']}@{block['reduction']}" for block in found["blocks"]]
        if value is not None:
            OUT.print(f"{field:12} {', '.join(map(str, value)) if isinstance(value, list) else value}", markup=False)


@teacher.command("delete")
def delete_teacher(teacher: TeacherRef, url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
    """Delete weights that were sent. Searches that have begun with them keep them."""
    with connect(url, key, exact=as_json) as client:
        client.delete_teacher(teacher)
    if as_json:
        print_json({"teacher": teacher, "deleted": True})
    else:
        ERR.print(f"The teacher {teacher} is deleted.", markup=False)


@workers.command("list")
def list_workers(url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
    """List live workers: what they take (gpu: steps that train or rate; cpu: select, export), their devices, what they run."""
    with connect(url, key, exact=as_json) as client:
        found = client.workers()
    if as_json:
        print_json(found)
        return
    rows = [(w["hostname"], w["pid"], ", ".join(w["queues"]), w["device"], w["device_name"], _runs(w)) for w in found]
    print_table(("host", "process", "takes", "device", "name", "runs"), rows, right=("process",), droppable=("name",))


def _runs(worker: Worker) -> str:
    if step := worker["step"]:
        runs = f"{step['key']} of {step.get('job_name') or short_id(step['job_id'])}"
    else:  # Whoever does not see another project's step shall not take its worker for idle.
        runs = "a step of another project" if worker.get("busy") else ""
    if worker.get("redis_answers") is False:
        return f"{runs}; takes nothing: Redis does not answer it".removeprefix("; ")
    return runs
