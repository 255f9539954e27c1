"""What a person means who writes a name, or the beginning or the end of an id, where an id is taken."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dna_client.cli.options import read_json
from dna_client.cli.tables import short_id
from dna_client.client import Client
from dna_client.errors import LocalError, NotFound
from dna_client.jobs import Jobs
from dna_client.models import ArchitectureSummary, Dataset, Webhook

_WHOLE_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_TOO_SHORT = re.compile(r"[0-9a-f]{1,3}", re.IGNORECASE)

#: Networks that the service knows by name though nobody has sent them.
_PUBLISHED = re.compile(r"dna-[a-z]")

#: What stands before a tuning, in the place of the name of a recipe.
_OF_TUNING = "tuning:"

#: So many are looked at, and named where they cannot be told apart.
_LOOKED_AT = 50
_NAMED = 10


def search_id(client: Client, ref: str) -> str:
    """Id of the search that ``ref`` means.

    Raises:
        NotFound: there is none.
        LocalError: there are several; says which.
    """
    return job_id(client.searches, ref)


def job_id(jobs: Jobs[Any, Any], ref: str) -> str:
    """Id of the job of that kind that ``ref`` means.

    Raises:
        NotFound: there is none.
        LocalError: there are several; says which.
    """
    found = jobs.list(ref=ref, limit=_LOOKED_AT)["items"]
    return _only(jobs.name, jobs.plural, ref, found, _job, f"dna {jobs.name} list shows them")


def network_id(client: Client, ref: str) -> str:
    """Id of the network that ``ref`` means: an end of its id, or ``SEARCH/winner``, ``SEARCH/control``.

    Raises:
        NotFound: there is none, or the search has not found it yet.
        LocalError: there are several; says which.
    """
    of, slash, role = ref.rpartition("/")
    found = _with_role(client, search_id(client, of), role) if slash else client.list_architectures(ref=ref)["items"]
    return _only("network", "networks", ref, found, _network, "SEARCH/winner names the one that a search found")


def training_id(client: Client, ref: str) -> str:
    """Id of the training that ``ref`` means: as of any job, or ``SEARCH/winner``, ``SEARCH/control``.

    Raises:
        NotFound, LocalError: as :func:`job_id`.
    """
    of, slash, network = ref.rpartition("/")
    if not slash:
        return job_id(client.trainings, ref)
    search = search_id(client, of)
    found = client.trainings.list(search=search, limit=_LOOKED_AT)["items"]
    meant = [one for one in found if one["search_id"] == search and one["network"] == network]
    return _only(
        "training", "trainings", ref, meant, _job, "SEARCH/winner names that of a search's winner, once it trains"
    )


def to_train(client: Client, ref: str) -> str | dict[str, Any]:
    """What ``POST /trainings`` takes for the network that ``ref`` means: as :func:`network_id`, or a published name, or a JSON file.

    Raises:
        NotFound, LocalError: as :func:`network_id`; or the file cannot be read.
    """
    if ref == "-" or ref.endswith(".json"):
        return read_json(Path(ref))
    return ref if _PUBLISHED.fullmatch(ref) else network_id(client, ref)


def named_in(client: Client, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """The request for a training or a tuning, with what a person calls a network, a training or a tuning as the API takes it.

    Raises:
        NotFound, LocalError: as :func:`to_train` and :func:`job_id`.
    """
    network, start, recipe = (request.get(field) for field in ("architecture", "start", "recipe"))
    named: dict[str, Any] = {"architecture": to_train(client, network)} if isinstance(network, str) else {}
    if isinstance(start, dict) and isinstance(start.get("training"), str):
        named["start"] = {**start, "training": training_id(client, start["training"])}
    if isinstance(recipe, str) and recipe.startswith(_OF_TUNING):
        named["recipe"] = _OF_TUNING + job_id(client.tunings, recipe.removeprefix(_OF_TUNING))
    return {**request, **named}


def cloned(jobs: Jobs[Any, Any], request: Mapping[str, Any]) -> Mapping[str, Any]:
    """The request for a job, with the id of the one that it is to be made from.

    Raises:
        NotFound, LocalError: as :func:`job_id`.
    """
    source = request.get("from")
    return {**request, "from": job_id(jobs, source)} if isinstance(source, str) else request


def _with_role(client: Client, search: str, role: str) -> list[ArchitectureSummary]:
    """The search's networks of this role.

    Raises:
        NotFound: it has none of any role yet; says how far it is.
    """
    at = client.get_search(search)
    networks = at["architectures"]
    if not networks:
        said = f"The search has found no network yet: it is {at['state']}, in phase {at['phase']}."
        raise NotFound(404, {"title": "Not Found", "detail": said})
    # There may be hundreds that were selected; two tell that one is not meant alone.
    meant = [network["id"] for network in networks if role == network["role"]][:2]
    meant = meant or [network["id"] for network in networks if role == network.get("name")][:2]
    return [client.get_architecture(found) for found in meant]


def dataset_id(client: Client, ref: str) -> str:
    """Id of the dataset that ``ref`` means: of those of a name the newest.

    Raises:
        NotFound: there is none.
        LocalError: there are several; says which.
    """
    found = client.list_datasets(ref=ref)["items"]
    whole = [one for one in found if one["id"] == ref.lower()]
    called = whole or [one for one in found if ref in (one["name"], f"{one['name']}@{one['version']}")]
    return _only("dataset", "datasets", ref, called[:1] or found, _dataset, "dna dataset list shows them")


def webhook_id(client: Client, ref: str) -> str:
    """Id of the webhook that ``ref`` means: one that begins or ends so.

    Raises:
        NotFound: there is none.
        LocalError: there are several; says which.
    """
    if _WHOLE_ID.fullmatch(ref):
        return ref
    hooks = [] if _TOO_SHORT.fullmatch(ref) else client.webhooks.all()
    found = [one for one in hooks if one["id"].startswith(ref) or one["id"].endswith(ref)]
    return _only("webhook", "webhooks", ref, found, _webhook, "dna webhook list shows them")


def only(ref: str, called: Sequence[tuple[str, Mapping[str, Any]]]) -> tuple[str, Mapping[str, Any]]:
    """The one that ``ref`` means of things of several kinds, each with its kind.

    Raises:
        NotFound: there is none.
        LocalError: there are several; says which.
    """
    kinds = {found["id"]: kind for kind, found in called}
    things = [found for _, found in called]
    meant = _only(
        "search, training, tuning, network or dataset",
        "things",
        ref,
        things,
        lambda found: f"{kinds[found['id']]}, {_DESCRIBED[kinds[found['id']]](found)}",
        "dna search list shows searches, dna training list trainings",
    )
    if meant not in kinds:
        raise NotFound(404, {"title": "Not Found", "detail": f"Nothing here has the id {ref}."})
    return next((kind, found) for kind, found in called if found["id"] == meant)


def _only(
    kind: str,
    kinds: str,
    ref: str,
    found: Sequence[Any],
    describe: Callable[[Any], str],
    hint: str,
) -> str:
    """The one that is meant. A whole id goes before a name, and a name in full before an end of an id."""
    same = [one for one in found if one["id"] == ref.lower()]
    found = same or [one for one in found if one.get("name") == ref] or found
    if not found and _WHOLE_ID.fullmatch(ref):
        return ref  # The service says of what there is none, and what may be done.
    if not found:
        short = "an end of an id has four digits or more, and " if _TOO_SHORT.fullmatch(ref) else ""
        raise NotFound(404, {"title": "Not Found", "detail": f"There is no {kind} {ref!r}; {short}{hint}."})
    if len(found) > 1:
        lines = [f"  {short_id(one['id'])}  {describe(one)}" for one in found[:_NAMED]]
        more = [f"  and {len(found) - _NAMED} more"] if len(found) > _NAMED else []
        raise LocalError("\n".join([f"{ref!r} may mean several {kinds}; write one of these ids:", *lines, *more]))
    return str(found[0]["id"])


def _job(found: Mapping[str, Any]) -> str:
    part = f", {found['network']} of its search" if found.get("search_id") else ""
    return f"{found['state']}, made {moment(found)}, {found['name']}{part}"


def _network(found: ArchitectureSummary) -> str:
    of = f"of search {short_id(found['search_id'])}" if found["search_id"] else found.get("name") or "without a name"
    return f"{found['role']} {of}, made {moment(found)}"


def _dataset(found: Dataset) -> str:
    return f"{found['name']}@{found['version']}"


def _webhook(found: Webhook) -> str:
    return found["url"]


def moment(found: Mapping[str, Any]) -> str:
    """When it was made, in UTC to the second."""
    return str(found["created_at"])[:19].replace("T", " ")


_DESCRIBED: Mapping[str, Callable[[Any], str]] = {
    "search": _job,
    "training": _job,
    "tuning": _job,
    "network": _network,
    "dataset": _dataset,
}
