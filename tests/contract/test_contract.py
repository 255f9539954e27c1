"""The service keeps to its OpenAPI document, whatever is sent.

A few hundred requests here. ``python -m pytest tests/contract --requests 20000 -o timeout=0 -s`` sends that many and shows what came back;
with another ``--seed``, others, but for those that try every limit of every field, which come with seed 0.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from uuid import UUID

import pytest
from schemathesis.python.asgi import ASGIClient, get_client, shutdown_lifespans

from api.app import create_app
from api.settings import ApiSettings
from store import keys
from store.blobs import BlobStore
from store.limits import Scope
from store.session import Sessions, transaction
from store.settings import Settings
from tests.api.builders import birds, finish, new_training, new_tuning
from tests.contract.campaign import Campaign
from tests.contract.tally import Tallied, Tally

#: Seconds of CPU that the service may take over one request.
MOST = 2.0


@pytest.fixture
def api_settings(settings: Settings) -> ApiSettings:
    """As of a service for many, whose streams soon say something."""
    quick = settings.model_copy(update={"webhooks_allow_networks": "127.0.0.0/8"}).model_dump()
    return ApiSettings(**quick, events_ping_seconds=0.05, predictions_per_minute=10_000, webhooks_most=10_000)


@pytest.fixture
def key(sessions: Sessions) -> tuple[str, str]:
    """Its id, and itself."""
    with transaction(sessions) as session:
        row, key = keys.create(session, "contract", scopes=tuple(Scope))
        return str(row.id), key


@pytest.fixture
def tally() -> Tally:
    return Tally()


@pytest.fixture
def denormal_numbers() -> None:
    """Requests are drawn from numbers of every size; an engine that ran in this process before has the smallest flushed to zero."""
    if torch := sys.modules.get("torch"):
        torch.set_flush_denormal(False)


@pytest.fixture
def app(api_settings: ApiSettings, tally: Tally, denormal_numbers: None) -> Iterator[Tallied]:
    yield Tallied(create_app(api_settings), tally)
    shutdown_lifespans()


def fill(client: ASGIClient, sessions: Sessions, blobs: BlobStore) -> dict[str, list[str]]:
    """Makes something of every kind, and says what it is called."""
    searches = [client.post("/searches", json={"dataset": "digits"}).json()["id"] for _ in range(2)]
    finish(sessions, blobs, UUID(searches[0]))
    networks = [network["id"] for network in client.get(f"/searches/{searches[0]}").json()["architectures"]]
    trainings = [new_training(client, networks[0])["id"] for _ in range(2)]
    finish(sessions, blobs, UUID(trainings[0]))
    upload = client.post("/uploads", headers={"tus-resumable": "1.0.0", "upload-length": "100"}).headers["location"]
    webhook = client.post("/webhooks", json={"url": "http://127.0.0.1:9/"}).json()["id"]
    return {
        "path.search_id": searches,
        "path.architecture_id": networks,
        "path.training_id": trainings,
        "path.tuning_id": [new_tuning(client, networks[0])["id"]],
        "path.upload_id": [upload.rpartition("/")[2]],
        "path.webhook_id": [webhook],
        "path.delivery_id": [client.post(f"/webhooks/{webhook}/test").json()["id"]],
        "path.dataset": ["digits", "birds"],
        "header.tus-resumable": ["1.0.0"],
        "body.url": ["http://127.0.0.1:9/"],
        "body.dataset": ["digits", "birds"],
        "body.architecture": [networks[0], "dna-b"],
    }


def test_what_comes_back_is_what_the_document_says(
    app: Tallied,
    tally: Tally,
    key: tuple[str, str],
    sessions: Sessions,
    api_settings: ApiSettings,
    pytestconfig: pytest.Config,
) -> None:
    wanted, seed = pytestconfig.getoption("requests"), pytestconfig.getoption("seed")
    birds(sessions)
    key_id, secret = key
    with get_client(app) as client:
        client.headers["authorization"] = f"Bearer {secret}"
        while tally.requests < max(wanted, 1):
            known = fill(client, sessions, BlobStore(api_settings.artifacts))
            Campaign(
                secret, key_id, seed, examples=25 if wanted else 2, coverage=wanted > 0 and seed == 0, known=known
            ).run(app, tally)
            seed += 1
    print("\n".join(tally.lines()))
    assert not tally.failures, "\n\n".join(f"{what}\n{shown}" for what, shown in tally.failures.items())
    assert not [answer for answer in tally.answers if answer[2] >= 500]
    assert not wanted or tally.worst < MOST
