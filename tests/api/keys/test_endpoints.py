"""Keys over HTTP: made, listed, changed and revoked by admins; what each may do and use."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from PIL import Image
from sqlalchemy import delete, select, update
from starlette.testclient import TestClient

from api.app import create_app
from api.keys.examples import CHANGES, KEYS
from api.settings import ApiSettings
from store import keys, steps
from store.blobs import BlobStore
from store.columns import new_id
from store.embedded import Servers
from store.limits import Scope
from store.session import Sessions, make_engine, make_sessions, transaction
from store.states import JobState
from store.tables import ApiKey, DeviceUse, IdempotencyKey, Job, OutboxMessage
from tests.api.problems import pointers, problem
from tests.checks import run_check
from tests.conftest import new_database

TUS = {"Tus-Resumable": "1.0.0"}


@pytest.fixture(scope="module")
def settings(servers: Servers, migrated: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiSettings]:
    with new_database(servers.database_url, template=migrated) as url:
        yield ApiSettings(
            database_url=url,
            redis_url=servers.redis_url,
            data_dir=tmp_path_factory.mktemp("api"),
            api_host="0.0.0.0",
            accepted_key_seconds=3600.0,
            key_device_hours=100.0,
        )


@pytest.fixture(scope="module")
def rows(settings: ApiSettings) -> Iterator[Sessions]:
    engine = make_engine(settings.database_url or "")
    yield make_sessions(engine)
    engine.dispose()


@pytest.fixture(scope="module")
def admin(settings: ApiSettings, rows: Sessions) -> Iterator[TestClient]:
    with transaction(rows) as session:
        _, secret = keys.create(session, "admin", scopes=[Scope.ADMIN])
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        client.headers["authorization"] = f"Bearer {secret}"
        yield client


def made(admin: TestClient, **fields: Any) -> dict[str, Any]:
    response = admin.post("/keys", json={"name": "team", **fields})
    assert response.status_code == 201, response.text
    body: dict[str, Any] = response.json()
    assert response.headers["location"] == f"/keys/{body['id']}"
    return body


def by(key: dict[str, Any]) -> dict[str, str]:
    return {"authorization": f"Bearer {key['key']}"}


@pytest.mark.parametrize("name", KEYS)
def test_the_examples_are_accepted(admin: TestClient, name: str) -> None:
    key = made(admin, **KEYS[name]["value"])
    for change in CHANGES.values():
        changed = admin.patch(f"/keys/{key['id']}", json=change["value"])
        assert changed.json()["limits"]["device_hours"] == 100
    assert (changed.json()["name"], changed.json()["scopes"]) == ("vision dashboard", ["read"])


def test_a_key_is_shown_once_and_opens_until_it_is_revoked(admin: TestClient, rows: Sessions) -> None:
    key = made(admin, project="vision")
    secret = key.pop("key")
    del key["project_created"]
    assert secret.startswith(f"dna_{key['prefix']}_")
    assert (key["project"], key["scopes"], key["revoked_at"]) == ("vision", ["read", "run"], None)
    listed = admin.get("/keys").json()["items"][0]
    assert listed == key
    shown = admin.get(f"/keys/{key['id']}").json()
    used = {"running_jobs": 0, "queued_jobs": 0, "device_hours": 0.0, "stored_bytes": 0}
    assert shown == key | {"used": used}
    assert secret not in admin.get("/keys").text + admin.get(f"/keys/{key['id']}").text
    with transaction(rows) as session:
        assert secret not in str(session.execute(select(ApiKey.__table__)).all())
    headers = {"authorization": f"Bearer {secret}"}
    assert admin.get("/searches", headers=headers).status_code == 200
    assert admin.delete(f"/keys/{key['id']}").status_code == 204
    assert "revoked" in problem(admin.get("/searches", headers=headers), 401, "unauthorized")["detail"]
    assert admin.get(f"/keys/{key['id']}").json()["revoked_at"]


def test_a_project_is_made_once_and_by_a_name_that_can_be_written(admin: TestClient) -> None:
    assert [made(admin, project="red.team_1")["project_created"] for _ in range(2)] == [True, False]
    assert made(admin, name="blue")["project_created"] is True
    for name in ("Red Team!", "-red", "r" * 101):
        refused = problem(admin.post("/keys", json={"name": "x", "project": name}), 422, "invalid_request")
        assert refused["errors"][0]["pointer"] == "#/project"
        assert "letters, digits" in refused["detail"]


def test_one_called_otherwise_before_is_joined_as_ever(admin: TestClient) -> None:
    assert made(admin, name="Old Team!")["project"] == "Old Team!"
    assert made(admin, project="Old Team!")["project_created"] is False


def test_keys_are_found_by_project_and_by_a_part_of_their_names(admin: TestClient) -> None:
    first, second = (made(admin, name=name, project="found")["id"] for name in ("Laptop one", "server"))
    made(admin, name="laptop two")

    def ids(**query: str) -> list[str]:
        return [key["id"] for key in admin.get("/keys", params=query).json()["items"]]

    assert ids(project="found") == [second, first]
    assert ids(project="found", q="LAPTOP") == [first]
    assert ids(project="nothing") == ids(q="no such name") == []


def test_what_projects_use_is_counted_over_their_keys(admin: TestClient, rows: Sessions) -> None:
    first, second, gone = (made(admin, project="charged") for _ in range(3))
    other = made(admin, project="other-charged")
    admin.delete(f"/keys/{gone['id']}")
    search = admin.post("/searches", json={"dataset": "digits"}, headers=by(first)).json()["id"]
    admin.post("/searches", json={"dataset": "digits"}, headers=by(second))
    today = datetime.now(UTC).date()
    days = ((first, today), (gone, today), (second, today - timedelta(days=40)), (other, today))
    with transaction(rows) as session:
        session.execute(update(Job).where(Job.id == UUID(search)).values(state=JobState.FAILED))
        for key, day in days:
            session.add(DeviceUse(key_id=UUID(key["id"]), day=day, seconds=1800.0))
    found = {project["name"]: project for project in admin.get("/projects").json()["items"]}
    assert {"default", "charged"} <= found.keys()
    assert "built-in" not in found
    charged = found["charged"]
    assert (charged["keys"], charged["device_hours"], charged["stored_bytes"]) == (2, 1.0, 0)
    assert charged["jobs"] == dict.fromkeys(JobState, 0) | {"failed": 1, "queued": 1}
    assert (found["other-charged"]["device_hours"], found["other-charged"]["jobs"]["queued"]) == (0.5, 0)
    page = admin.get("/projects", params={"limit": 1}).json()
    assert admin.get("/projects", params={"limit": 1, "cursor": page["next"]}).json()["items"] != page["items"]
    assert problem(admin.get("/projects", headers=by(first)), 403, "missing_scope")["scope"] == "admin"


def test_the_answer_with_a_key_is_not_kept(admin: TestClient, rows: Sessions) -> None:
    sent = {"Idempotency-Key": "a key"}
    first, second = (admin.post("/keys", json={"name": "once"}, headers=sent).json() for _ in range(2))
    assert first["key"] != second["key"]
    with transaction(rows) as session:
        assert session.scalar(select(IdempotencyKey.key).where(IdempotencyKey.key == "a key")) is None


def test_none_but_admins_see_and_make_keys(admin: TestClient) -> None:
    key = made(admin)
    for method, path in (("GET", "/keys"), ("POST", "/keys"), ("GET", f"/keys/{key['id']}"), ("GET", f"/keys/{new_id()}"), ("PATCH", f"/keys/{key['id']}"), ("DELETE", f"/keys/{key['id']}")):  # fmt: skip
        response = admin.request(method, path, headers=by(key), json={})
        assert problem(response, 403, "missing_scope")["scope"] == "admin"
    problem(admin.get(f"/keys/{new_id()}"), 404, "not_found")
    problem(admin.delete(f"/keys/{new_id()}"), 404, "not_found")
    problem(admin.patch(f"/keys/{new_id()}", json={"limits": {}}), 404, "not_found")


@pytest.mark.parametrize(
    ("scope", "method", "path", "needed"),
    [
        ("read", "POST", "/searches", "run"),
        ("read", "DELETE", "/searches/01a21949-0000-7000-8000-000000000000", "run"),
        ("read", "POST", "/architectures/01a21949-0000-7000-8000-000000000000/predict", "run"),
        ("run", "GET", "/searches", "read"),
        ("run", "POST", "/searches/estimate", "read"),
        ("run", "GET", "/metrics", "read"),
        ("admin", "GET", "/searches", "read"),
        ("admin", "POST", "/searches", "run"),
    ],
)
def test_a_key_without_the_scope_is_told_which_it_lacks(
    admin: TestClient, scope: str, method: str, path: str, needed: str
) -> None:
    response = admin.request(method, path, headers=by(made(admin, scopes=[scope])), json={"dataset": "digits"})
    found = problem(response, 403, "missing_scope")
    assert found["scope"] == needed
    assert needed in found["detail"]
    assert f'error="insufficient_scope", scope="{needed}"' in response.headers["www-authenticate"]


@pytest.mark.parametrize(
    ("scope", "keep", "needed"), [("read", True, "run"), ("admin", True, "run"), ("admin", False, "read")]
)
def test_a_selection_that_is_kept_needs_more_than_one_that_is_not(
    admin: TestClient, scope: str, keep: bool, needed: str
) -> None:
    path, key = f"/searches/{new_id()}/select", by(made(admin, scopes=[scope]))
    assert problem(admin.post(path, headers=key, json={"keep": keep}), 403, "missing_scope")["scope"] == needed


@pytest.mark.parametrize(("scope", "keep"), [("read", False), ("run", False), ("run", True)])
def test_whoever_may_select_is_told_that_there_is_no_such_search(admin: TestClient, scope: str, keep: bool) -> None:
    path, key = f"/searches/{new_id()}/select", by(made(admin, scopes=[scope]))
    problem(admin.post(path, headers=key, json={"keep": keep}), 404, "not_found")


@pytest.mark.parametrize("scope", Scope)
def test_every_key_may_ask_who_it_is(admin: TestClient, scope: Scope) -> None:
    response = admin.get("/keys/me", headers=by(made(admin, scopes=[scope])))
    assert (response.status_code, response.json()["scopes"]) == (200, [scope])


def test_a_key_that_expires_opens_no_longer(admin: TestClient, rows: Sessions) -> None:
    key = made(admin, expires_at=(datetime.now(UTC) + timedelta(hours=1)).isoformat())
    assert admin.get("/searches", headers=by(key)).status_code == 200
    with transaction(rows) as session:
        session.execute(update(ApiKey).where(ApiKey.id == UUID(key["id"])).values(expires_at=datetime.now(UTC)))
    admin.patch(f"/keys/{key['id']}", json={"limits": {}})  # It is looked up again.
    assert "expired" in problem(admin.get("/searches", headers=by(key)), 401, "unauthorized")["detail"]
    guessed = key["key"][:-10] + "0" * 10
    assert problem(admin.get("/searches", headers={"authorization": f"Bearer {guessed}"}), 401, "unauthorized")[
        "detail"
    ].startswith("The key is not valid.")


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({"name": ""}, "#/name"),
        ({"name": "a", "scopes": []}, "#/scopes"),
        ({"name": "a", "scopes": ["all"]}, "#/scopes/0"),
        ({"name": "a", "expires_at": "2020-01-01T00:00:00Z"}, "#/expires_at"),
        ({"name": "a", "expires_at": "2020-01-01T00:00:00"}, "#/expires_at"),
        ({"name": "a", "limits": {"jobs": 1}}, "#/limits/jobs"),
        ({"name": "a", "limits": {"priority": "urgent"}}, "#/limits/priority"),
        ({"name": "a", "limits": {"running_jobs": 0}}, "#/limits/running_jobs"),
        ({"name": "a", "limits": {"stored_bytes": False}}, "#/limits/stored_bytes"),
        ({"name": "a", "limits": {"device_hours": True}}, "#/limits/device_hours"),
        ({"name": "a", "limits": {"requests_per_second": 0.001}}, "#/limits/requests_per_second"),
    ],
)
def test_what_makes_no_key(admin: TestClient, body: dict[str, Any], at: str) -> None:
    assert at in pointers(problem(admin.post("/keys", json=body), 422, "invalid_request"))


def test_no_key_is_of_what_ships_with_the_service(admin: TestClient) -> None:
    problem(admin.post("/keys", json={"name": "a", "project": "built-in"}), 409, "name_taken")


def test_a_limit_that_is_left_out_is_that_of_the_settings(admin: TestClient) -> None:
    assert made(admin)["limits"]["device_hours"] == 100.0
    assert made(admin, limits={"device_hours": None, "running_jobs": 3})["limits"] == {
        "running_jobs": 3,
        "queued_jobs": None,
        "device_hours": None,
        "requests_per_second": None,
        "stored_bytes": None,
        "priority": "normal",
    }


def test_who_calls_is_told_what_it_may_and_has_used(admin: TestClient, rows: Sessions, shared: TestClient) -> None:
    key = made(admin, limits={"queued_jobs": 5})
    admin.post("/searches", json={"dataset": "digits"}, headers=by(key))
    admin.post("/uploads", headers=by(key) | TUS | {"Upload-Length": "1000"})
    with transaction(rows) as session:
        session.add(DeviceUse(key_id=UUID(key["id"]), day=datetime.now(UTC).date(), seconds=7200.0))
    mine = admin.get("/keys/me", headers=by(key)).json()
    assert {name: mine[name] for name in ("id", "name", "project", "scopes")} == {
        name: key[name] for name in ("id", "name", "project", "scopes")
    }
    assert mine["limits"]["queued_jobs"] == 5
    assert mine["used"] == {"running_jobs": 0, "queued_jobs": 1, "device_hours": 2.0, "stored_bytes": 1000}
    local = shared.get("/keys/me").json()
    assert (mine["key_needed"], local["key_needed"]) == (True, False)
    assert (local["id"], local["project"], local["scopes"], local["used"]) == (
        None,
        "default",
        ["read", "run", "admin"],
        None,
    )


def test_a_priority_that_the_key_may_not_give_is_refused_at_its_field(admin: TestClient) -> None:
    key = made(admin, limits={"priority": "low"})
    spec = {"dataset": "digits"}
    search = admin.post("/searches", json=spec, headers=by(key)).json()
    assert search["priority"] == "low"
    for refused in (
        admin.post("/searches", json=spec | {"priority": "normal"}, headers=by(key)),
        admin.patch(f"/searches/{search['id']}", json={"priority": "high"}, headers=by(key)),
    ):
        assert pointers(problem(refused, 403, "quota")) == ["#/priority"]
    other = made(admin, name="other", project=key["project"], limits={"priority": "high"})
    raised = admin.patch(f"/searches/{search['id']}", json={"priority": "high"}, headers=by(other)).json()
    assert raised["priority"] == "high", "the limit is that of who asks"


def test_only_who_may_gives_a_high_priority(admin: TestClient) -> None:
    usual, manager = made(admin), made(admin, name="manager", scopes=["read", "run", "admin"])
    assert (usual["limits"]["priority"], manager["limits"]["priority"]) == ("normal", None)
    urgent = {"dataset": "digits", "priority": "high"}
    refused = problem(admin.post("/searches", json=urgent, headers=by(usual)), 403, "quota")
    assert "normal at most" in refused["detail"]
    assert admin.post("/searches", json=urgent, headers=by(manager)).status_code == 201
    admin.patch(f"/keys/{manager['id']}", json={"scopes": ["read", "run"]})
    problem(admin.post("/searches", json=urgent, headers=by(manager)), 403, "quota")
    admin.patch(f"/keys/{manager['id']}", json={"scopes": ["run", "admin"]})
    assert admin.post("/searches", json=urgent, headers=by(manager)).status_code == 201
    admin.patch(f"/keys/{usual['id']}", json={"limits": {"priority": "high"}})
    assert admin.post("/searches", json=urgent, headers=by(usual)).status_code == 201
    said = admin.patch(f"/keys/{manager['id']}", json={"scopes": ["run"], "limits": {"priority": "low"}}).json()
    assert said["limits"]["priority"] == "low", "what is said goes first"


def test_more_requests_than_the_key_may_send_are_refused_for_a_moment(admin: TestClient) -> None:
    key, other = made(admin, limits={"requests_per_second": 1 / 30}), made(admin)
    assert admin.get("/keys/me", headers=by(key)).status_code == 200
    refused = admin.get("/keys/me", headers=by(key))
    problem(refused, 429, "too_many_requests")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert admin.get("/keys/me", headers=by(other)).status_code == 200


def test_a_key_without_a_rate_costs_no_question_to_redis(admin: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr("api.rates.KeyRates.count", lambda *_: asked.append(1))
    assert admin.get("/keys/me", headers=by(made(admin))).status_code == 200
    assert not asked


def test_a_full_queue_is_a_429_and_used_up_hours_a_403(admin: TestClient, rows: Sessions) -> None:
    key = made(admin, limits={"queued_jobs": 1, "device_hours": 1.0})
    body = {"dataset": "digits"}
    first = admin.post("/searches", json=body, headers=by(key))
    assert first.status_code == 201
    full = admin.post("/searches", json=body, headers=by(key))
    problem(full, 429, "too_many_requests")
    assert int(full.headers["retry-after"]) > 0
    with transaction(rows) as session:
        session.execute(update(Job).where(Job.id == UUID(first.json()["id"])).values(state=JobState.SUCCEEDED))
        session.add(DeviceUse(key_id=UUID(key["id"]), day=datetime.now(UTC).date(), seconds=3600.0))
    problem(admin.post("/searches", json=body, headers=by(key)), 403, "quota")
    assert admin.post("/searches/estimate", json=body, headers=by(key)).status_code == 200


def test_what_a_patch_leaves_out_stays(admin: TestClient) -> None:
    end = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    key = made(admin, limits={"queued_jobs": 5}, expires_at=end)
    path, shown = (
        f"/keys/{key['id']}",
        {name: value for name, value in key.items() if name not in ("key", "project_created")},
    )
    assert admin.patch(path, json={}).json() == shown
    merge = {"content-type": "application/merge-patch+json"}
    assert admin.patch(path, content=b'{"expires_at": null}', headers=merge).json() == shown | {"expires_at": None}
    assert admin.patch(path, json={"expires_at": end}).json() == shown
    problem(
        admin.patch(path, content=b"{}", headers={"content-type": "application/xml"}), 415, "unsupported_media_type"
    )


@pytest.mark.parametrize(
    ("patch", "at", "said"),
    [
        ({"limits": {"queued": 1}}, "#/limits/queued", "Did you mean queued_jobs?"),
        ({"scope": ["read"]}, "#/scope", "Did you mean scopes?"),
        ({"project": "other"}, "#/project", "There is no such field"),
        ({"name": None}, "#/name", ""),
        ({"scopes": []}, "#/scopes", ""),
        ({"scopes": None}, "#/scopes", ""),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "#/expires_at", "a time to come"),
    ],
)
def test_what_changes_no_key(admin: TestClient, patch: dict[str, Any], at: str, said: str) -> None:
    key = made(admin)
    refused = problem(admin.patch(f"/keys/{key['id']}", json=patch), 422, "invalid_request")
    assert at in pointers(refused)
    assert said in refused["detail"]
    assert admin.get("/keys/me", headers=by(key)).json()["name"] == "team"


def test_a_renamed_key_has_made_what_it_made_under_the_name_before(admin: TestClient) -> None:
    key = made(admin)

    def ask() -> dict[str, Any]:
        body: dict[str, Any] = admin.post("/searches", json={"dataset": "digits"}, headers=by(key)).json()
        return body

    before = ask()
    assert admin.get(f"/searches/{before['id']}", headers=by(key)).json()["created_by"] == "team"
    admin.patch(f"/keys/{key['id']}", json={"name": "crew"})
    assert admin.get(f"/searches/{before['id']}", headers=by(key)).json()["created_by"] == "team"
    assert ask()["created_by"] == "crew"


def test_other_scopes_hold_at_once(admin: TestClient) -> None:
    key = made(admin)
    assert admin.get("/searches", headers=by(key)).status_code == 200
    admin.patch(f"/keys/{key['id']}", json={"scopes": ["run"]})
    assert problem(admin.get("/searches", headers=by(key)), 403, "missing_scope")["scope"] == "read"


def test_the_last_key_of_an_admin_stays_one(admin: TestClient, rows: Sessions) -> None:
    with transaction(rows) as session:
        [last] = session.scalars(select(ApiKey.id).where(ApiKey.name == "admin"))
        session.execute(update(ApiKey).where(ApiKey.id != last).values(revoked_at=datetime.now(UTC)))
    gone = made(admin, scopes=["admin"], expires_at=(datetime.now(UTC) + timedelta(hours=1)).isoformat())
    with transaction(rows) as session:
        session.execute(update(ApiKey).where(ApiKey.id == UUID(gone["id"])).values(expires_at=datetime.now(UTC)))
    path = f"/keys/{last}"
    assert "dna key revoke" in problem(admin.delete(path), 409, "last_admin")["detail"]
    problem(admin.patch(path, json={"scopes": ["read"]}), 409, "last_admin")
    assert admin.get(path).json()["scopes"] == ["admin"]
    assert admin.patch(path, json={"scopes": ["read", "admin"]}).status_code == 200
    other = made(admin, scopes=["admin"])
    assert admin.patch(path, json={"scopes": ["admin"]}, headers=by(other)).status_code == 200
    assert admin.delete(f"/keys/{other['id']}", headers=by(other)).status_code == 204


@pytest.mark.parametrize(("most", "woken"), [(2, 1), (None, 2)])
def test_jobs_that_may_run_by_a_raised_limit_are_announced(
    admin: TestClient, rows: Sessions, most: int | None, woken: int
) -> None:
    key = made(admin, limits={"running_jobs": 1})
    first, *waiting = [admin.post("/searches", json={"dataset": "digits"}, headers=by(key)).json() for _ in range(3)]
    with transaction(rows) as session:
        session.execute(update(Job).where(Job.id == UUID(first["id"])).values(state=JobState.RUNNING))
        session.execute(delete(OutboxMessage))
    admin.patch(f"/keys/{key['id']}", json={"limits": {"running_jobs": 1}})
    with transaction(rows) as session:
        assert not session.scalars(select(OutboxMessage)).all()
    admin.patch(f"/keys/{key['id']}", json={"limits": {"running_jobs": most}})
    with transaction(rows) as session:
        messages = session.scalars(select(OutboxMessage)).all()
        told = {str(steps.get(session, UUID(message.payload["step_id"])).job_id) for message in messages}
        assert all(message.sent_at for message in messages)
    assert told == {job["id"] for job in waiting[:woken]}


def test_bytes_beyond_the_limit_are_a_403_and_nothing_of_them_stays(admin: TestClient, settings: ApiSettings) -> None:
    key = made(admin, limits={"stored_bytes": 1000})
    begin = by(key) | TUS
    assert admin.post("/uploads", headers=begin | {"Upload-Length": "900"}).status_code == 201
    problem(admin.post("/uploads", headers=begin | {"Upload-Length": "101"}), 403, "quota")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("owl/1.png", bytes(200))
    files = {"file": ("owls.zip", buffer.getvalue())}
    problem(admin.post("/datasets", files=files, headers=by(key)), 403, "quota")
    assert admin.get("/datasets", params={"ref": "owls"}, headers=by(key)).json()["items"] == []
    assert not [path for path in (settings.data_dir / "artifacts").rglob("*") if path.is_file()]


def test_a_dataset_that_unpacks_to_more_than_may_be_kept_is_rejected(
    admin: TestClient, settings: ApiSettings, rows: Sessions, tmp_path: Path
) -> None:
    key = made(admin, limits={"stored_bytes": 100_000})
    buffer, picture = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (200, 100)).save(picture, "BMP")
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(4):
            archive.writestr(f"{('owl', 'wren')[number % 2]}/{number}.bmp", picture.getvalue() + bytes([number]))
    sent = admin.post("/datasets", files={"file": ("owls.zip", buffer.getvalue())}, headers=by(key))
    assert sent.status_code == 202
    run_check(rows, BlobStore(settings.artifacts), sent.json()["id"], tmp_path)
    dataset = admin.get(sent.headers["location"], headers=by(key)).json()
    assert (dataset["state"], dataset["error"]["code"]) == ("rejected", "quota")
    assert "it may keep 100,000" in dataset["error"]["message"]
    assert admin.get("/keys/me", headers=by(key)).json()["used"]["stored_bytes"] < 10_000
    assert sum(path.stat().st_size for path in (settings.data_dir / "artifacts").rglob("*") if path.is_file()) < 10_000
    owl = admin.get(f"{sent.headers['location']}/samples", params={"class": "owl"}, headers=by(key))
    assert owl.status_code in (404, 409), owl.text
