"""Keys: needed everywhere but on the machine of an embedded service."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from api.app import create_app
from api.auth import is_loopback, needs_key
from api.errors import ConfigurationError
from api.settings import ApiSettings
from store import keys
from store.keys import Caller
from store.session import Sessions, transaction
from tests.api.problems import problem

#: Not this machine, though one parser or another takes it for it, or fails.
NOT_LOCAL = (
    *(
        "a}b.evil.com",
        "{",
        "`",
        '"',
        "[",
        "[::1",
        "a b",
        "127.0.0.1@evil.com",
        "evil.com@127.0.0.1",
        "127.0.0.1#evil.com",
    ),
    *(
        "127.0.0.1:8000/evil.com",
        "localhost.",
        "localhost\\@evil.com",
        "127.0.0.1.nip.io",
        "0x7f.1",
        "0.0.0.0",
        "127.1",
    ),
    *("[::ffff:127.0.0.1]", "127.0.0.1:99999999", "127.0.0.1:", "localhost:8000:1", "a]"),
)

OPEN = ("/healthz", "/readyz", "/openapi.json", "/docs", "/static/swagger-ui/swagger-ui.css")


@pytest.fixture
def public_settings(api_settings: ApiSettings) -> ApiSettings:
    return api_settings.model_copy(update={"embedded": False, "api_host": "0.0.0.0"})


@pytest.fixture
def key(sessions: Sessions) -> str:
    with transaction(sessions) as session:
        return keys.create(session, "tests")[1]


@pytest.fixture
def public(public_settings: ApiSettings, key: str) -> Iterator[TestClient]:
    with TestClient(create_app(public_settings), base_url="http://dna.example") as client:
        yield client


def test_loopback_addresses() -> None:
    assert all(is_loopback(host) for host in ("127.0.0.1", "127.9.9.9", "::1", "localhost"))
    assert not any(
        is_loopback(host) for host in ("0.0.0.0", "::", "10.0.0.1", "example.com", "127.0.0.1.evil.com", "", None)
    )


def test_keys_are_needed_unless_embedded_on_loopback(api_settings: ApiSettings) -> None:
    assert not needs_key(api_settings)
    assert needs_key(api_settings.model_copy(update={"embedded": False}))
    assert needs_key(api_settings.model_copy(update={"api_host": "0.0.0.0"}))


def test_without_a_key_every_resource_is_closed(public: TestClient) -> None:
    paths = public.get("/openapi.json").json()["paths"]
    closed = [(path, method) for path, methods in paths.items() for method in methods if path not in OPEN]
    assert len(closed) > 15
    for path, method in closed:
        response = public.request(method, path.replace("{", "").replace("}", ""), json={})
        assert response.status_code == 401
        if method != "head":
            problem(response, 401, "unauthorized")
        assert response.headers["www-authenticate"].startswith("Bearer")
    assert all(public.get(path).status_code == 200 for path in OPEN)


def test_a_key_opens(public: TestClient, key: str, sessions: Sessions) -> None:
    headers = {"authorization": f"Bearer {key}"}
    assert public.get("/searches", headers=headers).status_code == 200
    assert public.get("/searches", headers={"authorization": f"bearer {key}"}).status_code == 200
    with transaction(sessions) as session:
        (row,) = keys.everyone(session)
        assert row.last_used_at is not None


def test_a_key_that_another_process_revokes_opens_nothing_where_each_request_looks(
    public_settings: ApiSettings, key: str, sessions: Sessions
) -> None:
    settings = public_settings.model_copy(update={"accepted_key_seconds": 0.0})
    with TestClient(create_app(settings), base_url="http://dna.example") as public:
        assert public.get("/searches", headers={"authorization": f"Bearer {key}"}).status_code == 200
        _revoke(sessions)
        problem(public.get("/searches", headers={"authorization": f"Bearer {key}"}), 401, "unauthorized")


def test_a_key_that_this_process_revokes_opens_nothing_at_once(
    public_settings: ApiSettings, key: str, sessions: Sessions
) -> None:
    settings = public_settings.model_copy(update={"accepted_key_seconds": 3600.0})
    app = create_app(settings)
    with TestClient(app, base_url="http://dna.example") as public:
        assert public.get("/searches", headers={"authorization": f"Bearer {key}"}).status_code == 200
        revoked = _revoke(sessions)
        # Nobody has told this process.
        assert public.get("/searches", headers={"authorization": f"Bearer {key}"}).status_code == 200
        app.state.resources.accepted.forget(revoked)
        problem(public.get("/searches", headers={"authorization": f"Bearer {key}"}), 401, "unauthorized")


def _revoke(sessions: Sessions) -> UUID:
    with transaction(sessions) as session:
        (row,) = keys.everyone(session)
        return keys.revoke(session, row.id).id


@pytest.mark.parametrize("header", ["Bearer dna_nonsense", "Bearer ", "Basic ZG5hOmRuYQ==", "Bearer dna_0_\u00e9"])
def test_other_credentials_do_not(public: TestClient, header: str) -> None:
    problem(public.get("/searches", headers={"authorization": header.encode("latin-1")}), 401, "unauthorized")


def test_a_wrong_key_is_refused_even_where_none_is_needed(shared: TestClient) -> None:
    problem(shared.get("/searches", headers={"authorization": "Bearer dna_wrong"}), 401, "unauthorized")


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"host": "localhost.evil.example"},
        *({"host": host} for host in NOT_LOCAL),
        *({"origin": f"http://{host}"} for host in NOT_LOCAL),
        {"origin": ""},
        {"origin": "//127.0.0.1"},
        {"origin": "file://"},
    ],
)
def test_pages_of_other_sites_are_refused_where_no_key_is_needed(shared: TestClient, headers: dict[str, str]) -> None:
    problem(shared.get("/searches", headers=headers), 403, "forbidden")


def test_two_hosts_are_none(shared: TestClient) -> None:
    response = shared.get("/searches", headers=[("host", "localhost"), ("host", "evil.example")])
    problem(response, 403, "forbidden")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8000", "127.1.2.3", "[::1]:80", "LocalHost:8000"])
def test_names_of_this_machine(shared: TestClient, host: str) -> None:
    assert shared.get("/searches", headers={"host": host, "origin": f"http://{host}"}).status_code == 200


@pytest.mark.parametrize("host", NOT_LOCAL)
def test_no_host_or_origin_breaks_what_needs_a_key(public: TestClient, key: str, host: str) -> None:
    headers = {"authorization": f"Bearer {key}", "host": host, "origin": f"http://{host}", "idempotency-key": host}
    assert public.post("/searches", headers=headers, json={"dataset": "digits"}).status_code == 201
    assert public.post("/searches/", headers=headers, json={}, follow_redirects=False).status_code < 500


def test_a_body_is_not_parsed_without_a_key(public: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[bytes] = []
    monkeypatch.setattr("api.body.parse_json", parsed.append)
    problem(public.post("/searches", json={"dataset": "digits"}), 401, "unauthorized")
    problem(public.post("/searches", content=b"{", headers={"content-type": "application/json"}), 401, "unauthorized")
    assert not parsed


def test_a_key_is_looked_up_once(public: TestClient, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = keys.authenticate

    def counted(session: Session, secret: str) -> Caller | None:
        asked.append(secret)
        return real(session, secret)

    monkeypatch.setattr(keys, "authenticate", counted)
    public.post("/searches", headers={"authorization": f"Bearer {key}"}, json={"dataset": "digits"})
    assert asked == [key]


def test_pages_of_this_machine_are_not(shared: TestClient) -> None:
    assert (
        shared.get("/searches", headers={"host": "localhost:8000", "origin": "http://localhost:8000"}).status_code
        == 200
    )


def test_an_open_door_is_refused_at_the_start(public_settings: ApiSettings) -> None:
    with pytest.raises(ConfigurationError, match="dna key create"), TestClient(create_app(public_settings)):
        pass
