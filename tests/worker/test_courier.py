"""Messages reach real receivers on loopback, signed; what a receiver does to its sender hurts nobody else."""

from __future__ import annotations

import json
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import select
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from store import deliveries, flow, notices, webhooks
from store.reach import Reach
from store.session import Sessions, transaction
from store.settings import Settings
from store.states import DeliveryState
from store.tables import Delivery, Webhook
from tests.receivers import Receiver, drip, receiver
from tests.store.builders import new_search, new_webhook
from worker.courier import Courier
from worker.settings import WorkerSettings

Wait = Callable[[Callable[[], bool]], None]

LOOPBACK = ["127.0.0.0/8"]


@pytest.fixture
def hurried(settings: Settings) -> WorkerSettings:
    """Three attempts within a tenth of a second; a receiver on loopback has a second and a half to answer."""
    hurry = {
        "webhooks_retry_seconds": "0.02 0.02",
        "webhooks_seconds": 1.5,
        "webhooks_allow_networks": "127.0.0.0/8",
        "webhooks_given_up": 1,
        "poll_seconds": 0.02,
    }
    return WorkerSettings.model_validate(settings.model_dump() | hurry)


@pytest.fixture
def told() -> Iterator[Receiver]:
    with receiver() as told:
        yield told


def hook(sessions: Sessions, url: str) -> Webhook:
    with transaction(sessions) as session:
        return new_webhook(session, url)


def say(sessions: Sessions, webhook: Webhook) -> UUID:
    """A message to the webhook."""
    with transaction(sessions) as session:
        return deliveries.put(session, webhook, notices.of_test(session, webhook.id)).id


def said(sessions: Sessions, delivery_id: UUID) -> Delivery:
    with transaction(sessions) as session:
        return session.get_one(Delivery, delivery_id)


def settled(sessions: Sessions, delivery_id: UUID, wait_for: Wait) -> Delivery:
    wait_for(lambda: said(sessions, delivery_id).state != DeliveryState.PENDING)
    return said(sessions, delivery_id)


def test_a_search_is_told_of_in_messages_that_a_library_verifies(
    sessions: Sessions, hurried: WorkerSettings, told: Receiver
) -> None:
    webhook = hook(sessions, told.url)
    with Courier(sessions, hurried):
        with transaction(sessions) as session:
            search = new_search(session, name="birds")
        told.wait(1)
        with transaction(sessions) as session:
            flow.cancel(session, search.id)
        created, cancelled = told.wait(2)
    first, second = (Verifier(webhook.secret).verify(each.body, each.headers) for each in (created, cancelled))
    assert (first["type"], second["type"]) == ("search.created", "search.cancelled")
    assert (first["data"]["id"], first["data"]["name"]) == (str(search.id), "birds")
    assert created.headers["content-type"] == "application/json"
    assert created.headers["user-agent"].startswith("DNA-AutoML/")
    with pytest.raises(WebhookVerificationError):
        Verifier(webhook.secret).verify(created.body + b" ", created.headers)


def test_an_attempt_is_repeated_under_the_same_id(
    sessions: Sessions, hurried: WorkerSettings, told: Receiver, wait_for: Wait
) -> None:
    told.statuses, told.body = [500, 503], b"so it was"
    webhook = hook(sessions, told.url)
    with Courier(sessions, hurried):
        delivery = settled(sessions, say(sessions, webhook), wait_for)
    assert (delivery.state, delivery.attempt, delivery.status_code) == (DeliveryState.DELIVERED, 3, 204)
    assert len({request.headers["webhook-id"] for request in told.seen}) == 1
    assert len({request.body for request in told.seen}) == 1
    for request in told.seen:
        Verifier(webhook.secret).verify(request.body, request.headers)


def test_a_receiver_that_is_busy_says_when_it_wants_more(
    sessions: Sessions, hurried: WorkerSettings, told: Receiver, wait_for: Wait
) -> None:
    told.statuses, told.headers = [503], {"Retry-After": "1000"}
    hurried = hurried.model_copy(update={"webhooks_retry_seconds": "0.02 9000", "webhooks_seconds": 60.0})
    begun = datetime.now(UTC)
    with Courier(sessions, hurried):
        message = say(sessions, hook(sessions, told.url))
        wait_for(lambda: said(sessions, message).status_code == 503)
    again = said(sessions, message).next_at
    assert again is not None
    assert again >= begun + timedelta(seconds=1000)
    assert len(told.seen) == 1


def test_what_is_never_taken_is_given_up_and_its_log_says_why(
    sessions: Sessions, hurried: WorkerSettings, told: Receiver, wait_for: Wait
) -> None:
    told.statuses, told.body = [500] * 9, b"\x00\xff" + b"a" * 50_000
    webhook = hook(sessions, told.url)
    with Courier(sessions, hurried):
        delivery = settled(sessions, say(sessions, webhook), wait_for)
    assert (delivery.state, delivery.attempt, delivery.error) == (DeliveryState.FAILED, 3, "It answered 500.")
    assert delivery.answer == "\ufffd\ufffd" + "a" * 998, "no more than its beginning, and what can be stored"
    with transaction(sessions) as session:
        assert not webhooks.get(session, webhook.id).enabled


def test_while_a_secret_is_replaced_either_verifies(
    sessions: Sessions, hurried: WorkerSettings, told: Receiver
) -> None:
    webhook = hook(sessions, told.url)
    with transaction(sessions) as session:
        new = webhooks.rotate(session, webhooks.get(session, webhook.id)).secret
    with Courier(sessions, hurried):
        say(sessions, webhook)
        (request,) = told.wait(1)
    assert len(request.headers["webhook-signature"].split(" ")) == 2
    for secret in (webhook.secret, new):
        Verifier(secret).verify(request.body, request.headers)


def test_redirects_are_not_followed(
    sessions: Sessions, hurried: WorkerSettings, told: Receiver, wait_for: Wait
) -> None:
    with receiver() as inner:
        told.statuses, told.headers = [302] * 9, {"location": inner.url}
        with Courier(sessions, hurried):
            delivery = settled(sessions, say(sessions, hook(sessions, told.url)), wait_for)
    assert (delivery.status_code, inner.seen) == (302, [])
    assert "redirects are not followed" in (delivery.error or "")


def test_proxies_of_the_environment_are_not_asked(
    sessions: Sessions, hurried: WorkerSettings, told: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiver() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        with Courier(sessions, hurried):
            say(sessions, hook(sessions, told.url))
            told.wait(1)
        assert proxy.seen == []


@pytest.mark.parametrize("slow", [drip, lambda _handler: time.sleep(30)], ids=["drips", "silent"])
def test_a_slow_receiver_holds_up_no_other(
    sessions: Sessions, hurried: WorkerSettings, told: Receiver, wait_for: Wait, slow: Callable[[object], None]
) -> None:
    """More messages wait for the slow one than are sent at once. All of the other's arrive before it has run out of its time once."""
    hurried = hurried.model_copy(update={"webhooks_at_once": 4, "webhooks_seconds": 20.0})
    with receiver() as other:
        told.behave = slow
        slow_hook, quick_hook = hook(sessions, told.url), hook(sessions, other.url)
        first, *_ = [say(sessions, slow_hook) for _ in range(6)]
        with Courier(sessions, hurried):
            told.wait(2)
            for _ in range(10):
                say(sessions, quick_hook)
            other.wait(10)
            assert said(sessions, first).status_code is None
            assert len(told.seen) == deliveries.AT_ONCE


def test_a_deadline_holds_for_an_answer_as_a_whole(
    sessions: Sessions, hurried: WorkerSettings, told: Receiver, wait_for: Wait
) -> None:
    told.behave = drip
    hurried = hurried.model_copy(update={"webhooks_seconds": 0.5, "webhooks_retry_seconds": ""})
    with Courier(sessions, hurried):
        delivery = settled(sessions, say(sessions, hook(sessions, told.url)), wait_for)
    assert (delivery.state, delivery.status_code) == (DeliveryState.FAILED, None)
    assert "0.5 s" in (delivery.error or "")


def test_a_body_that_drips_or_does_not_end_was_an_answer(
    sessions: Sessions, hurried: WorkerSettings, told: Receiver, wait_for: Wait
) -> None:
    def endless(handler: object) -> None:
        write = handler.wfile.write  # type: ignore[attr-defined]
        write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                write(b"a" * 10_000)
        except OSError:
            pass

    told.behave = endless
    with Courier(sessions, hurried):
        delivery = settled(sessions, say(sessions, hook(sessions, told.url)), wait_for)
    assert (delivery.state, len(delivery.answer or "")) == (DeliveryState.DELIVERED, 1000)


def test_no_inner_address_is_connected_to_unless_it_is_allowed(
    sessions: Sessions, hurried: WorkerSettings, told: Receiver, wait_for: Wait
) -> None:
    strict = hurried.model_copy(update={"webhooks_allow_networks": "", "webhooks_retry_seconds": ""})
    with Courier(sessions, strict):
        delivery = settled(sessions, say(sessions, hook(sessions, told.url)), wait_for)
    assert "no public address" in (delivery.error or "")
    assert told.seen == []


def test_a_name_that_leads_elsewhere_the_next_time_is_refused_then(
    sessions: Sessions, hurried: WorkerSettings, told: Receiver, wait_for: Wait
) -> None:
    """The name is resolved once for each attempt, and what was checked is what is connected to."""
    answers = iter([["127.0.0.1"], ["169.254.169.254"], ["127.0.0.1", "10.0.0.1"]])
    asked: list[str] = []

    def rebinding(host: str, _port: int) -> list[str]:
        asked.append(host)
        return next(answers)

    told.statuses = [500]
    webhook = hook(sessions, f"http://receiver.example:{told.port}/hook")
    with Courier(sessions, hurried, reach=Reach(LOOPBACK, rebinding)):
        delivery = settled(sessions, say(sessions, webhook), wait_for)
    assert asked == ["receiver.example"] * 3
    assert [request.headers["host"] for request in told.seen] == [f"receiver.example:{told.port}"]
    assert "no public address" in (delivery.error or "")
    assert "10.0.0.1" not in (delivery.error or ""), "what an inner name leads to is not told"


def test_of_several_addresses_the_first_that_answers_is_taken(
    sessions: Sessions, hurried: WorkerSettings, told: Receiver
) -> None:
    """Nothing listens at the first."""
    webhook = hook(sessions, f"http://receiver.example:{told.port}/hook")
    with Courier(sessions, hurried, reach=Reach(LOOPBACK, lambda *_: ["127.0.0.2", "127.0.0.1"])):
        say(sessions, webhook)
        told.wait(1)


def test_a_fault_of_our_own_ends_the_attempt_and_nothing_else(
    sessions: Sessions, hurried: WorkerSettings, told: Receiver, wait_for: Wait
) -> None:
    def faulty(host: str, _port: int) -> list[str]:
        if host == "faulty.example":
            raise ValueError("nobody foresaw it")
        return ["127.0.0.1"]

    with Courier(sessions, hurried, reach=Reach(LOOPBACK, faulty)):
        wrong = settled(sessions, say(sessions, hook(sessions, "https://faulty.example/")), wait_for)
        say(sessions, hook(sessions, f"http://right.example:{told.port}/"))
        told.wait(1)
    assert (wrong.state, wrong.error) == (DeliveryState.FAILED, "It could not be sent (ValueError).")


def certificate(folder: Path, *names: str) -> Path:
    """A file with a key and a certificate that it has signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "receivers")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    plain = serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    file.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return file


def test_certificates_are_checked_by_the_name_though_the_address_is_pinned(
    sessions: Sessions, hurried: WorkerSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wait_for: Wait
) -> None:
    file = certificate(tmp_path, "receiver.example")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(file)
    asked: list[str | None] = []
    tls.sni_callback = lambda _socket, name, _context: asked.append(name)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    reach = Reach(LOOPBACK, lambda *_: ["127.0.0.1"])
    with receiver(tls) as told, Courier(sessions, hurried, reach=reach):
        right = say(sessions, hook(sessions, f"https://receiver.example:{told.port}/hook"))
        assert settled(sessions, right, wait_for).state == DeliveryState.DELIVERED
        assert asked == ["receiver.example"]
        wrong = settled(sessions, say(sessions, hook(sessions, f"https://other.example:{told.port}/hook")), wait_for)
        assert len(told.seen) == 1
    assert (wrong.state, "certificate" in (wrong.error or "")) == (DeliveryState.FAILED, True)


def test_nodes_share_the_work(sessions: Sessions, hurried: WorkerSettings, told: Receiver, wait_for: Wait) -> None:
    webhook = hook(sessions, told.url)
    ids = {str(say(sessions, webhook)) for _ in range(12)}
    with ExitStack() as nodes:
        for _ in range(3):
            nodes.enter_context(Courier(sessions, hurried))
        seen = told.wait(12)
        wait_for(lambda: not pending(sessions))
    assert sorted(request.headers["webhook-id"] for request in seen) == sorted(ids)


def pending(sessions: Sessions) -> bool:
    with transaction(sessions) as session:
        query = select(Delivery.id).where(Delivery.state == DeliveryState.PENDING).limit(1)
        return session.scalar(query) is not None


def test_what_a_lost_node_was_sending_is_sent_by_another(
    sessions: Sessions, hurried: WorkerSettings, told: Receiver, wait_for: Wait
) -> None:
    delivery = say(sessions, hook(sessions, told.url))
    with transaction(sessions) as session:
        (lost,) = deliveries.take(session, limit=1, lease_seconds=0.2)
    with Courier(sessions, hurried):
        assert settled(sessions, delivery, wait_for).attempt == lost.attempt + 1
    assert [request.headers["webhook-id"] for request in told.seen] == [str(lost.id)]


def test_a_node_that_leaves_does_not_wait_for_receivers(
    sessions: Sessions, hurried: WorkerSettings, told: Receiver, wait_for: Wait
) -> None:
    told.behave = drip
    begun = threading.active_count()
    with Courier(sessions, hurried.model_copy(update={"webhooks_seconds": 600.0})):
        say(sessions, hook(sessions, told.url))
        told.wait(1)
    # The loop's helpers are told to end and not waited for; two are the receiver's own.
    wait_for(lambda: threading.active_count() <= begun + 2)


def test_a_message_is_json_as_it_is_documented(sessions: Sessions, hurried: WorkerSettings, told: Receiver) -> None:
    webhook = hook(sessions, told.url)
    with Courier(sessions, hurried):
        say(sessions, webhook)
        (request,) = told.wait(1)
    body = json.loads(request.body)
    assert notices.WebhookTestMessage.model_validate(body).data.webhook_id == webhook.id


def test_the_receiver_of_the_document_verifies_what_it_is_sent(
    sessions: Sessions, hurried: WorkerSettings, wait_for: Wait
) -> None:
    document = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    (script,) = re.findall(r"```python\n(import os\n.*?)```", document, re.DOTALL)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    webhook = hook(sessions, f"http://127.0.0.1:{port}/")
    environment = {**os.environ, "SECRET": webhook.secret, "PORT": str(port)}
    patient = hurried.model_copy(update={"webhooks_retry_seconds": " ".join(["0.1"] * 300)})  # It has to start first.
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", script], env=environment, stdout=pipe, stderr=pipe) as process:
        with Courier(sessions, patient):
            message = say(sessions, webhook)
            assert settled(sessions, message, wait_for).state == DeliveryState.DELIVERED
        with httpx.Client() as stranger:
            assert stranger.post(webhook.url, json={"type": "webhook.test"}).status_code == 401
        process.terminate()
        assert process.stdout is not None
        assert process.stdout.read().decode().split() == [str(message), "webhook.test", "None"]
