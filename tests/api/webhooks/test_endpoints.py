"""Webhooks over HTTP: made, read, changed, tried; what they were sent; what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import delete, select
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import ApiSettings
from store import deliveries, notices
from store.deliveries import Outcome, Patience
from store.session import Sessions, make_engine, make_sessions, transaction
from store.tables import IdempotencyKey, Webhook
from tests.api.conftest import LOCAL
from tests.api.problems import problem

URL = "http://127.0.0.1:9/hook"


@pytest.fixture(scope="module")
def hooks(shared_settings: ApiSettings) -> Iterator[TestClient]:
    """A service whose operator allows loopback, and three webhooks at most."""
    settings = shared_settings.model_copy(update={"webhooks_allow_networks": "127.0.0.0/8", "webhooks_most": 3})
    with TestClient(create_app(settings), base_url=LOCAL, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def rows(shared_settings: ApiSettings) -> Iterator[Sessions]:
    engine = make_engine(shared_settings.database_url or "")
    yield make_sessions(engine)
    engine.dispose()


@pytest.fixture(autouse=True)
def none_left(rows: Sessions) -> Iterator[None]:
    yield
    with transaction(rows) as session:
        session.execute(delete(Webhook))


def made(hooks: TestClient, **fields: Any) -> dict[str, Any]:
    response = hooks.post("/webhooks", json={"url": URL, **fields})
    assert response.status_code == 201, response.text
    body: dict[str, Any] = response.json()
    return body


def test_a_webhook_is_made_read_changed_and_deleted(hooks: TestClient) -> None:
    webhook = made(hooks, events=["search.*", "*.failed"], labels={"team": "vision"}, description="For the chat.")
    path = f"/webhooks/{webhook['id']}"
    secret = webhook.pop("secret")
    assert secret.startswith("whsec_")
    assert hooks.get(path).json() == webhook
    assert hooks.get("/webhooks").json() == {"items": [webhook], "next": None}
    changed = hooks.patch(path, json={"events": ["*"], "enabled": False}).json()
    assert changed == webhook | {"events": ["*"], "enabled": False}
    assert hooks.patch(path, json={}).json() == changed
    assert hooks.delete(path).status_code == 204
    for response in (hooks.get(path), hooks.patch(path, json={}), hooks.delete(path), hooks.get(f"{path}/deliveries")):
        problem(response, 404, "not_found")


def test_a_secret_is_shown_when_it_is_made_and_never_again(hooks: TestClient) -> None:
    webhook = made(hooks)
    path = f"/webhooks/{webhook['id']}"
    rotated = hooks.post(f"{path}/rotate").json()
    assert rotated["secret"] != webhook["secret"]
    assert rotated["previous_until"] > rotated["created_at"]
    for answer in (hooks.get(path), hooks.get("/webhooks"), hooks.patch(path, json={"description": "x"})):
        assert "whsec_" not in answer.text


def test_an_answer_with_a_secret_is_not_kept(hooks: TestClient, rows: Sessions) -> None:
    sent = {"Idempotency-Key": "a webhook"}
    first, second = (hooks.post("/webhooks", json={"url": URL}, headers=sent) for _ in range(2))
    rotated = [hooks.post(f"{first.headers['location']}/rotate", headers=sent) for _ in range(2)]
    assert len({answer.json()["secret"] for answer in (first, second, *rotated)}) == 4
    with transaction(rows) as session:
        assert session.scalar(select(IdempotencyKey.key).where(IdempotencyKey.key == "a webhook")) is None


def test_there_are_as_many_as_the_operator_allows(hooks: TestClient) -> None:
    for _ in range(3):
        made(hooks)
    problem(hooks.post("/webhooks", json={"url": URL}), 409, "illegal_transition")


def test_a_test_waits_to_be_sent_and_its_log_tells_what_came_of_it(hooks: TestClient, rows: Sessions) -> None:
    webhook = made(hooks)
    path = f"/webhooks/{webhook['id']}"
    sent = hooks.post(f"{path}/test")
    assert (sent.status_code, sent.json()["event"], sent.json()["state"]) == (202, "webhook.test", "pending")
    assert hooks.get(sent.headers["location"]).json() == sent.json()
    told = notices.WebhookTestMessage.model_validate_json(sent.json()["body"])
    assert str(told.data.webhook_id) == webhook["id"]
    with transaction(rows) as session:
        (taken,) = deliveries.take(session, limit=1, lease_seconds=60)
        deliveries.settle(session, taken, Outcome(0.5, 500, "Oh no", "It answered 500."), Patience([60.0], 5))
    (logged,) = hooks.get(f"{path}/deliveries").json()["items"]
    shown = {"attempt": 1, "status_code": 500, "seconds": 0.5, "answer": "Oh no", "error": "It answered 500."}
    assert logged == logged | shown
    assert logged["next_at"] > logged["attempted_at"]
    assert hooks.get(f"{path}/deliveries/{logged['id']}").json() == logged | {"body": sent.json()["body"]}
    assert hooks.get(f"{path}/deliveries", params={"state": "delivered"}).json()["items"] == []
    again = hooks.post(f"{path}/deliveries/{logged['id']}/retry")
    assert (again.status_code, again.json()["next_at"] < logged["next_at"]) == (202, True)


def test_the_log_is_paged(hooks: TestClient) -> None:
    path = f"/webhooks/{made(hooks)['id']}"
    ids = [hooks.post(f"{path}/test").json()["id"] for _ in range(3)]
    first = hooks.get(f"{path}/deliveries", params={"limit": 2}).json()
    rest = hooks.get(f"{path}/deliveries", params={"limit": 2, "cursor": first["next"]}).json()
    assert [item["id"] for item in first["items"] + rest["items"]] == ids[::-1]
    assert rest["next"] is None


def test_messages_of_another_webhook_are_not_its_own(hooks: TestClient) -> None:
    mine, other = (f"/webhooks/{made(hooks)['id']}" for _ in range(2))
    message = hooks.post(f"{mine}/test").json()["id"]
    problem(hooks.get(f"{other}/deliveries/{message}"), 404, "not_found")
    problem(hooks.post(f"{other}/deliveries/{message}/retry"), 404, "not_found")


def test_a_disabled_webhook_is_sent_nothing(hooks: TestClient) -> None:
    path = f"/webhooks/{made(hooks)['id']}"
    message = hooks.post(f"{path}/test").json()["id"]
    hooks.patch(path, json={"enabled": False})
    for response in (hooks.post(f"{path}/test"), hooks.post(f"{path}/deliveries/{message}/retry")):
        assert "Enable it first" in problem(response, 409, "illegal_transition")["detail"]


@pytest.mark.parametrize(
    ("fields", "pointer", "said"),
    [
        ({"url": "http://10.0.0.1/"}, "#/url", "no public address"),
        ({"url": "https://169.254.169.254/latest/meta-data/"}, "#/url", "no public address"),
        ({"url": "https://[::ffff:10.0.0.1]/"}, "#/url", "no public address"),
        ({"url": "http://1.1.1.1/"}, "#/url", "Without TLS"),
        ({"url": "ftp://127.0.0.1/"}, "#/url", "https://"),
        ({"url": "http://me:secret@127.0.0.1/"}, "#/url", "user or password"),
        ({"url": "http://127.0.0.1/" + "a" * 2000}, "#/url", "2000"),
        ({"events": []}, "#/events", "at least 1"),
        ({"events": ["search.succeded"]}, "#/events/0", "Did you mean search.succeeded?"),
        ({"events": ["network.*"]}, "#/events/0", "Nothing of that type"),
        ({"labels": {"a": 1}}, "#/labels/a", "string"),
        ({"event": ["*"]}, "#/event", "Did you mean events?"),
    ],
)
def test_what_cannot_be_is_refused(hooks: TestClient, fields: dict[str, Any], pointer: str, said: str) -> None:
    error = problem(hooks.post("/webhooks", json={"url": URL} | fields), 422, "invalid_request")["errors"][0]
    assert error["pointer"] == pointer
    assert said in error["detail"]


def test_a_change_is_held_to_the_same_rules(hooks: TestClient) -> None:
    path = f"/webhooks/{made(hooks)['id']}"
    assert (
        problem(hooks.patch(path, json={"url": "http://10.0.0.1/"}), 422, "invalid_request")["errors"][0]["pointer"]
        == "#/url"
    )
    assert hooks.get(path).json()["url"] == URL


def test_a_change_is_a_merge_patch(hooks: TestClient) -> None:
    path = f"/webhooks/{made(hooks, labels={'team': 'vision', 'site': 'north'}, description='x')['id']}"
    patch = {"labels": {"site": None, "stage": "test"}, "description": None}
    changed = hooks.patch(path, json=patch, headers={"content-type": "application/merge-patch+json"}).json()
    assert (changed["labels"], changed["description"]) == ({"team": "vision", "stage": "test"}, "")
    assert hooks.patch(path, json={"labels": None}).json()["labels"] == {}
    assert problem(hooks.patch(path, json={"url": None}), 422, "invalid_request")["errors"][0]["pointer"] == "#/url"
    labels = [{f"{part}{number}": "x" for number in range(20)} for part in "ab"]
    assert hooks.patch(path, json={"labels": labels[0]}).status_code == 200
    assert (
        problem(hooks.patch(path, json={"labels": labels[1]}), 422, "invalid_request")["errors"][0]["pointer"]
        == "#/labels"
    )
    assert hooks.patch(path, content=b"{}", headers={"content-type": "text/plain"}).status_code == 415


def test_messages_stand_in_the_document(hooks: TestClient) -> None:
    document = hooks.get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    for name, model in (("job", "JobMessage"), ("dataset", "DatasetMessage"), ("test", "WebhookTestMessage")):
        operation = document["webhooks"][name]["post"]
        body = operation["requestBody"]["content"]["application/json"]["schema"]
        assert body == {"$ref": f"#/components/schemas/{model}"}
        headers = [parameter["name"] for parameter in operation["parameters"]]
        assert headers == ["webhook-id", "webhook-timestamp", "webhook-signature"]
        assert list(operation["responses"]) == ["204"]
    assert "search.succeeded" in schemas["JobMessage"]["properties"]["type"]["enum"]
