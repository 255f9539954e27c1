"""``dna webhook`` against a real API process, a real sender and a real receiver."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from standardwebhooks import Webhook as Verifier

from dna_client import Client
from tests.dna_client.conftest import Api, Dna
from tests.receivers import Receiver, receiver
from worker.courier import Courier
from worker.settings import WorkerSettings


@pytest.fixture(autouse=True)
def sender(api: Api) -> Iterator[None]:
    """What a worker does for webhooks."""
    settings = WorkerSettings(webhooks_allow_networks="127.0.0.0/8", poll_seconds=0.02)
    with Courier(api.sessions, settings):
        yield
    with Client(api.url) as client:
        for webhook in list(client.webhooks.all()):
            client.webhooks.delete(webhook["id"])


@pytest.fixture
def told() -> Iterator[Receiver]:
    with receiver() as told:
        yield told


def test_a_webhook_is_made_and_tried(dna: Dna, told: Receiver) -> None:
    made = dna("webhook", "create", told.url, "--event", "search.*", "--label", "team=vision")
    _, _, secret = made.out.splitlines()[1].rpartition(" ")
    assert "not shown again" in made.err
    ref = made.out.split()[0][-8:]
    assert dna("webhook", "test", ref).out.startswith("It was taken: 204 in ")
    (request,) = told.wait(1)
    assert Verifier(secret).verify(request.body, request.headers)["type"] == "webhook.test"
    shown = dna("webhook", "show", ref).out
    assert "search.*" in shown
    assert "team=vision" in shown
    assert secret not in shown
    (logged,) = dna("webhook", "deliveries", ref, "--json").json
    assert (logged["event"], logged["status_code"]) == ("webhook.test", 204)
    assert "webhook.test" in dna("webhook", "deliveries", ref).out
    assert dna("webhook", "retry", ref, logged["id"]).code == 0
    told.wait(2)
    assert dna("webhook", "rotate", ref, "--json").json["secret"] != secret


def test_what_was_not_taken_is_said_with_an_exit_code(dna: Dna, told: Receiver) -> None:
    told.statuses = [503]
    ref = dna("webhook", "create", told.url, "--json").json["id"]
    answer = dna("webhook", "test", ref)
    assert (answer.code, "It answered 503." in answer.err) == (7, True)


def test_a_webhook_is_disabled_enabled_and_deleted(dna: Dna, told: Receiver) -> None:
    ref = dna("webhook", "create", told.url, "--json").json["id"]
    assert "disabled: by hand" in dna("webhook", "update", ref, "--disable").out
    assert "disabled: by hand" in dna("webhook", "list").out
    assert dna("webhook", "test", ref).code == 5
    assert dna("webhook", "update", ref, "--enable", "--event", "*.failed", "--json").json["events"] == ["*.failed"]
    assert dna("webhook", "delete", ref).code == 0
    assert dna("webhook", "list", "--json").json == []
    assert dna("webhook", "show", ref).code == 4
    refused = dna("webhook", "create", "http://10.0.0.1/")
    assert (refused.code, "no public address" in refused.err) == (2, True)
