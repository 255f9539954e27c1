"""``dna demo``: the whole product in some minutes. One real search on handwritten digits, through HTTP, on this machine."""

from __future__ import annotations

import json
import shlex
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from dna_client import pages, processes, report
from dna_client.cli import output
from dna_client.cli.options import LOCAL, PATIENT, AsJson
from dna_client.cli.output import ERR, OUT, print_json
from dna_client.cli.results import FORMATS, PICTURES, existing
from dna_client.cli.service import show_trouble, tell
from dna_client.client import Client
from dna_client.download import Downloaded
from dna_client.errors import ClientError
from dna_client.models import Event, Format, Frontier, Search
from dna_client.processes import python
from dna_client.times import times
from dna_client.up import Service
from dna_client.watch import watch

LABELS = {"made-by": "dna demo"}
SPEC: dict[str, Any] = {"name": "demo", "dataset": "digits", "space": "mbconv-small", "labels": LABELS}

FRONTIER_ROWS = 10

#: Exit code of ``dna_client.onnx_digits`` where a package that it needs is missing.
_NOT_INSTALLED = 3


def demo(
    folder: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for the downloads and, in service/, the service's data.")
    ] = Path("demo-output"),
    seed: Annotated[int, typer.Option(help="Another seed, another search.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Search for a network on handwritten digits: start the service, watch, compare, download, stop."""
    try:
        _run(folder, seed, as_json=as_json)
    except KeyboardInterrupt:
        ERR.print(_interrupted(folder / "service"), markup=False, soft_wrap=True)
        raise


def _interrupted(data_dir: Path) -> str:
    service = shlex.quote(str(data_dir))
    return f"\nInterrupted. What was done so far is kept: dna up --data-dir {service} goes on with it, dna demo begins anew."


def _run(folder: Path, seed: int, *, as_json: bool) -> None:
    began = time.monotonic()
    with (
        processes.interrupt_on_signals(),
        Service(folder / "service", port=0, tell=tell) as service,
        Client(service.addresses.url, pauses=PATIENT, printable=True) as client,
    ):
        ERR.print(f"The dashboard is at {pages.front(service.addresses.url)} until the demo ends.\n", markup=False)
        _cancel_leftovers(client)
        found = _search(client, service, {**SPEC, "seed": seed})
        points = client.frontier(found["id"])
        files = _download(client, found, folder)
        pictures = existing(PICTURES, lambda name: client.picture(found["id"], name, folder / f"{name}.svg"))
    tried = _try_onnx(files)
    if as_json:
        described = {name: _described(file) for name, file in files.items()}
        shown = [_described(file) for file in pictures.values()]
        print_json({"search": found, "frontier": points, "files": described, "pictures": shown, "onnx": tried})
    else:
        _show(found, points)
        _show_files([*files.values(), *pictures.values()], tried)
        OUT.print(f"\nDone in {output.duration(time.monotonic() - began)}, from the start of the service to its end.")
        OUT.print(see_again(found["id"], folder / "service"), markup=False, soft_wrap=True)


def see_again(search: str, data_dir: Path) -> str:
    """How to come back to the search once the demo's service has ended: the data is kept."""
    return f"\nTo see the search in a browser:\n  dna up --data-dir {shlex.quote(str(data_dir))}\n  {pages.page(LOCAL, 'search', search)}"


def _cancel_leftovers(client: Client) -> None:
    """Searches of demos that were interrupted would go on first."""
    for state in ("queued", "running"):
        for left in client.list_searches(state=state, labels=LABELS)["items"]:
            client.cancel_search(left["id"])


def _search(client: Client, service: Service, spec: dict[str, Any]) -> Search:
    """Posts the search and watches it to its end.

    Raises:
        JobNotSucceeded: it failed; says why.
        ServiceFailed: a process of the service ended.
    """
    planned = client.estimate_search(spec)
    low, high = planned["feasible_range"]["flops"]
    budget = planned["spec"]["budget"]["flops"]
    ERR.print(
        f"{int(planned['candidates']):,} candidate networks of {low:,} to {high:,} flops; {planned['paths']:,} paths of "
        f"{len(planned['spec']['space']['blocks'])} blocks are rated, which rates every network.\n"
        f"Budget: {budget:,} flops, the middle of the range.\n",
        markup=False,
    )
    made = client.create_search(spec)
    ERR.print(
        f"Watch it in a browser: {pages.page(service.addresses.url, 'search', made['id'])}\n",
        markup=False,
        soft_wrap=True,
    )
    watch(_supervised(client.events(made["id"]), service), ERR)
    ERR.print()
    return client.searches.succeeded(client.get_search(made["id"]))


def _supervised(events: Iterable[Event], service: Service) -> Iterator[Event]:
    """The same events; the service is looked after between them."""
    for event in events:
        show_trouble(service)
        yield event


def _download(client: Client, found: Search, folder: Path) -> dict[Format, Downloaded]:
    assert found["best"] is not None
    network = found["best"]["architecture_id"]
    return existing(FORMATS, lambda name: client.download(network, name, folder))


def _try_onnx(files: Mapping[Format, Downloaded]) -> dict[str, Any] | None:
    """What the downloaded network says to the test digits; None where there is no ONNX file, onnxruntime or digits.

    Raises:
        ClientError: the file does not run.
    """
    if "onnx" not in files:
        return None
    command = python("dna_client.onnx_digits", str(files["json"].path), str(files["onnx"].path))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == _NOT_INSTALLED:
        ERR.print(f"The ONNX file was not tried: {done.stderr.strip()}.", markup=False)
        return None
    if done.returncode:
        raise ClientError(f"The downloaded ONNX file does not run: {done.stderr.strip()}")
    return cast(dict[str, Any], json.loads(done.stdout))


def _show(found: Search, points: Frontier) -> None:
    OUT.print(f"Frontier: {FRONTIER_ROWS} of {len(points['points']):,} networks that no other beats\n", style="bold")
    output.show(report.frontier(points["points"], "flops", shown=FRONTIER_ROWS))
    OUT.print(
        "\nThe winner beside a random control of as many multiply-adds, trained alike, and the teacher\n", style="bold"
    )
    output.show(report.networks(found))
    budget = found["spec"]["budget"]["flops"]
    assert found["best"] is not None
    OUT.print(f"\nThe winner takes {found['best']['flops']:,} of {budget:,} flops.", markup=False)
    OUT.print("\nWhere the time went\n", style="bold")
    output.show(times(found["steps"]))


def _show_files(files: Sequence[Downloaded], tried: Mapping[str, Any] | None) -> None:
    OUT.print("\nDownloaded, each checked against the SHA-256 that the service announced\n", style="bold")
    output.print_files(files)
    if tried is not None:
        said = " ".join(f"{label}:{answer}" for label, answer in tried["examples"])
        OUT.print(
            f"\nThe ONNX file in onnxruntime: {output.percent(tried['accuracy'])} of {tried['images']} test digits right. "
            f"The first, as label:answer: {said}",
            markup=False,
        )


def _described(file: Downloaded) -> dict[str, Any]:
    return {"path": str(file.path), "size": file.size, "sha256": file.sha256}
