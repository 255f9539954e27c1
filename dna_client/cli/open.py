"""``dna open``: the page of something in the browser."""

from __future__ import annotations

import webbrowser
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from dna_client import pages
from dna_client.cli import refs
from dna_client.cli.options import LOCAL, AsJson, Key, Url, connect
from dna_client.cli.output import ERR, OUT, print_json
from dna_client.client import Client


def open_page(
    ref: Annotated[
        str | None,
        typer.Argument(
            help="Name or id of a search, training, tuning, network or dataset, an end of its id, or SEARCH/winner. Default: the front page.",
            metavar="ID",
        ),
    ] = None,
    url: Url = LOCAL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Open the page of something in the browser, and print its address; with --json print it alone."""
    with connect(url, key, exact=as_json) as client:
        address = pages.front(url) if ref is None else _page(client, url, ref)
    if as_json:
        print_json({"url": address})
        return
    OUT.print(address, markup=False, soft_wrap=True)
    if not webbrowser.open(address):
        ERR.print("No browser was found here: open the address in one.")


def _page(client: Client, url: str, ref: str) -> str:
    """The address of the page of what ``ref`` means.

    Raises:
        NotFound: it is nothing.
        LocalError: it may mean several things; says which.
    """
    if "/" in ref:
        return pages.page(url, "network", refs.network_id(client, ref))
    kind, found = refs.only(ref, list(_called(client, ref)))
    return pages.page(url, kind, found["id"])


def _called(client: Client, ref: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """All that may be meant, with its kind. A search's trainings are called as it is: by its name the search is meant."""
    for jobs in (client.searches, client.trainings, client.tunings):
        for job in jobs.list(ref=ref)["items"]:
            if not (job.get("search_id") and job["name"] == ref):
                yield jobs.name, job
    for network in client.list_architectures(ref=ref)["items"]:
        yield "network", network
    datasets = client.list_datasets(ref=ref)["items"]
    newest = [one for one in datasets if ref in (one["name"], f"{one['name']}@{one['version']}")][:1]
    for dataset in newest or datasets:
        yield "dataset", dataset
