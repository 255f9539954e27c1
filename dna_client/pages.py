"""Addresses of the dashboard's pages, for people."""

from __future__ import annotations

from urllib.parse import quote

#: What a page shows one of, as commands call it, and as addresses do.
PLACES = {
    "search": "searches",
    "training": "trainings",
    "tuning": "tunings",
    "network": "networks",
    "dataset": "datasets",
}


def front(url: str) -> str:
    """The address of the dashboard of the service at ``url``."""
    return f"{url.rstrip('/')}/"


def page(url: str, kind: str, id_: str) -> str:
    """The address of the page of one thing; ``kind`` is of ``PLACES``."""
    return f"{front(url)}#/{PLACES[kind]}/{quote(id_, safe='')}"
