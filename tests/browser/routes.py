"""Every page of the dashboard by an address at which it has something to show."""

from __future__ import annotations

from tests.browser.filled import Filled

#: By the pattern that ``routes.js`` has for it; ``{...}`` is an id of :class:`Filled`.
ROUTES = {
    "searches": "#/searches",
    "searches/new": "#/searches/new",
    "searches/:id": "#/searches/{search}",
    "compare": "#/compare?searches={search}&searches={other}",
    "networks": "#/networks",
    "networks/:id": "#/networks/{network}",
    "trainings": "#/trainings",
    "trainings/new": "#/trainings/new?architecture={network}",
    "trainings/:id": "#/trainings/{training}",
    "tunings": "#/tunings",
    "tunings/new": "#/tunings/new?architecture={network}",
    "tunings/:id": "#/tunings/{tuning}",
    "datasets": "#/datasets",
    "datasets/:id": "#/datasets/{dataset}",
    "workers": "#/workers",
    "keys": "#/keys",
    "webhooks": "#/webhooks",
    "webhooks/:id": "#/webhooks/{webhook}",
    "projects": "#/projects",
    "settings": "#/settings",
}

#: Pages that look otherwise while a job runs, or since it has failed.
STATES = {
    "a running search": "#/searches/{running}",
    "a failed search": "#/searches/{failed}",
    "a queued search": "#/searches/{queued}",
    "a waiting training": "#/trainings/{waiting}",
    "no such search": "#/searches/00000000-0000-7000-8000-000000000000",
    "no such page": "#/nothing",
}


def address(name: str, ids: Filled) -> str:
    """The route of a page of ``ROUTES`` or ``STATES``."""
    return (ROUTES | STATES)[name].format(**vars(ids))
