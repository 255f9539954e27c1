"""What is one project's does not exist for another: the same answer as for what nobody has, by every route and every way to name it."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import ApiSettings
from dna_engine.space.architecture import published
from store import keys, teachers
from store.blobs import Blob, BlobStore, location_of
from store.columns import new_id
from store.embedded import Servers
from store.limits import Scope
from store.session import make_engine, make_sessions, transaction
from tests.api.builders import FEW_TRIED, finish
from tests.api.problems import problem
from tests.conftest import new_database

#: Where nobody listens.
HOOK = "http://127.0.0.1:9/hook"

TUS = {"Tus-Resumable": "1.0.0"}

#: Parameters of a query or header that a route needs, where any value of their type will not do.
NEEDED = {"class": "owl", "series": "loss", "Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Upload-Length": "10"}

#: What a project has, by the parameter of a path that names it. A new kind of thing is to be added here, and made below.
THINGS = (
    "search_id",
    "training_id",
    "tuning_id",
    "architecture_id",
    "dataset",
    "teacher",
    "upload_id",
    "webhook_id",
    "delivery_id",
)

#: Parameters of paths that name no project's things.
OTHERS = {"picture": "loss", "label": "0", "number": "0"}

#: Routes that are for admins, who see every project.
ADMINS = ("/keys", "/projects")


@dataclass(frozen=True)
class Side:
    """A project's client, and what is its own, by the parameters of paths."""

    client: TestClient
    headers: dict[str, str]
    things: dict[str, str]

    def ask(self, method: str, path: str, **said: Any) -> httpx.Response:
        return self.client.request(method, path, headers=self.headers | said.pop("headers", {}), **said)


@dataclass(frozen=True)
class Sides:
    """Two projects; ``theirs`` has everything."""

    mine: Side
    theirs: Side
    admin: Side


@pytest.fixture(scope="module")
def sides(servers: Servers, migrated: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sides]:
    with new_database(servers.database_url, template=migrated) as url:
        settings = ApiSettings(
            database_url=url,
            redis_url=servers.redis_url,
            data_dir=tmp_path_factory.mktemp("api"),
            api_host="0.0.0.0",
            webhooks_allow_networks="127.0.0.0/8",
        )
        engine = make_engine(url)
        secrets, actors = {}, {}
        with transaction(make_sessions(engine)) as session:
            for name in ("mine", "theirs", "admin"):
                row, secrets[name] = keys.create(session, name, scopes=tuple(Scope) if name == "admin" else keys.USUAL)
                actors[name] = keys.caller_of(row).actor
        with TestClient(create_app(settings), raise_server_exceptions=False) as client:
            made = {name: Side(client, {"authorization": f"Bearer {secret}"}, {}) for name, secret in secrets.items()}
            sessions = make_sessions(engine)
            made["theirs"].things["search_id"] = made["theirs"].ask("POST", "/searches", json=_SEARCH).json()["id"]
            finish(sessions, BlobStore(settings.artifacts), UUID(made["theirs"].things["search_id"]))
            with transaction(sessions, actors["theirs"]) as session:
                made["theirs"].things["teacher"] = _teacher(session)
            _make(made["theirs"])
            assert set(made["theirs"].things) == set(THINGS)
            yield Sides(**made)
        engine.dispose()


_SEARCH = FEW_TRIED | {"name": "their search", "labels": {"their": "label"}}


def _teacher(session: Session) -> str:
    stored = [_blob() for _ in range(2)]
    half = [0.5] * 3
    made = teachers.create(
        session,
        "a-their-teacher",
        "resnet18.a1_in1k",
        num_classes=10,
        mean=half,
        std=half,
        weights=stored[0],
        about=stored[1],
    )
    return str(made.id)


def _blob() -> Blob:
    blob_id = new_id()
    return Blob(blob_id, location_of(blob_id), 1, "0" * 64)


def _make(side: Side) -> None:
    """What a project has beside its search."""
    things = side.things
    network = side.ask("GET", f"/searches/{things['search_id']}").json()["best"]["architecture_id"]
    things["architecture_id"] = network
    body = {"architecture": network, "dataset": "digits", "name": "their job"}
    things["training_id"] = side.ask("POST", "/trainings", json=body).json()["id"]
    things["tuning_id"] = side.ask("POST", "/tunings", json=body | {"trials": 2}).json()["id"]
    assert side.ask("POST", f"/architectures/{network}/latency").status_code == 202
    assert side.ask("POST", "/architectures", json={"architecture": "dna-a"}).status_code == 201
    sent = side.ask("POST", "/datasets", files={"file": ("their-birds.zip", archive())})
    things["dataset"] = sent.json()["id"]
    begun = side.ask("POST", "/uploads", headers=TUS | {"Upload-Length": "10"})
    things["webhook_id"] = side.ask("POST", "/webhooks", json={"url": HOOK}).json()["id"]
    sent = side.ask("POST", f"/webhooks/{things['webhook_id']}/test")
    things["delivery_id"] = sent.json()["id"]
    things["upload_id"] = begun.headers["location"].rpartition("/")[2]


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("owl/1.png", b"no picture")
    return buffer.getvalue()


def operations(client: TestClient) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every route of the document: method, path, what it says of itself."""
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        for method, said in methods.items():
            if not path.startswith(ADMINS):
                yield method.upper(), path, said


def asked(side: Side, method: str, path: str, said: dict[str, Any], **names: str) -> httpx.Response:
    """The answer where the parameters of the path are those, and what else is needed is something."""
    query: dict[str, str] = {}
    headers: dict[str, str] = {}
    for parameter in said.get("parameters", []):
        name = parameter["name"]
        if parameter["required"] and parameter["in"] != "path":
            known = {known.lower(): value for known, value in NEEDED.items()}
            (query if parameter["in"] == "query" else headers)[name] = known[name.lower()]
    body, kind = _body(said)
    headers |= {"content-type": kind} if kind else {}
    headers |= TUS if path.startswith("/uploads") else {}
    return side.ask(method, path.format(**(OTHERS | names)), params=query, headers=headers, content=body)


def _body(said: dict[str, Any]) -> tuple[bytes, str | None]:
    """A body that the route takes, and its media type."""
    content = said.get("requestBody", {}).get("content", {})
    if kind := next((kind for kind in content if kind.endswith("json")), None):
        examples = content[kind].get("examples") or {"": {"value": {}}}
        return json.dumps(next(iter(examples.values()))["value"]).encode(), kind
    return b"0123456789" if content else b"", next((kind for kind in content if "*" not in kind), None)


def alike(response: httpx.Response, *ids: str) -> tuple[int, dict[str, str], str]:
    """The answer but for those ids, and for what tells requests apart."""
    text, headers = response.text, {name: value for name, value in response.headers.items() if name not in _OWN}
    for known in ids:
        text, headers = text.replace(known, "ID"), {name: value.replace(known, "ID") for name, value in headers.items()}
    return response.status_code, headers, json.loads(text) | {"request_id": None} if text.startswith("{") else text


_OWN = ("x-request-id", "date", "content-length")


def test_every_route_answers_to_another_projects_id_as_to_none(sides: Sides) -> None:
    seen = set()
    for method, path, said in operations(sides.mine.client):
        in_path = {parameter["name"] for parameter in said.get("parameters", []) if parameter["in"] == "path"}
        named = [name for name in in_path if name not in OTHERS]
        assert set(named) <= set(THINGS), f"{path}: say above what a project has of it"
        for name in named:
            others = {name: thing for name, thing in sides.theirs.things.items() if name in named}
            foreign, missing = sides.theirs.things[name], str(new_id())
            theirs = asked(sides.mine, method, path, said, **others)
            nobodys = asked(sides.mine, method, path, said, **others | {name: missing})
            assert nobodys.status_code == 404, (method, path, nobodys.text)
            assert alike(theirs, foreign) == alike(nobodys, missing), (method, path)
            seen.add(name)
            if method == "GET" and not path.endswith(
                ("/events", "/points")
            ):  # A stream, and a series that there is not.
                own = asked(sides.theirs, method, path, said, **others)
                assert own.status_code in (200, 409), (path, own.text)
                assert asked(sides.admin, method, path, said, **others).status_code == own.status_code
    assert seen == set(THINGS)


def test_no_list_shows_another_projects_things(sides: Sides) -> None:
    shown = ""
    for method, path, said in operations(sides.mine.client):
        if method == "GET" and "{" not in path and "application/json" in said["responses"]["200"]["content"]:
            mine, theirs = sides.mine.ask(method, path), sides.theirs.ask(method, path)
            assert mine.status_code == theirs.status_code == 200, path
            shown += theirs.text
            assert not [thing for thing in sides.theirs.things.values() if thing in mine.text], path
            assert "their" not in mine.text.replace("their ", ""), path
            for parameter in said.get("parameters", []):
                for foreign in sides.theirs.things.values():
                    if parameter["in"] == "query" and parameter["name"] not in ("cursor", "limit"):
                        nobodys = sides.mine.ask(method, path, params={parameter["name"]: (missing := str(new_id()))})
                        found = sides.mine.ask(method, path, params={parameter["name"]: foreign})
                        assert alike(found, foreign) == alike(nobodys, missing), (path, parameter["name"])
    unlisted = {"upload_id", "delivery_id"}
    assert {name for name, thing in sides.theirs.things.items() if thing in shown} == set(THINGS) - unlisted


def test_what_was_made_for_its_own_project_is_not_kept_for_another(sides: Sides) -> None:
    search = f"/searches/{sides.theirs.things['search_id']}"
    for _ in range(2):
        assert sides.theirs.ask("GET", search).status_code == 200
        assert sides.theirs.things["search_id"] in sides.theirs.ask("GET", "/searches").text
        assert sides.mine.ask("GET", search).status_code == 404
        assert sides.theirs.things["search_id"] not in sides.mine.ask("GET", "/searches").text


@pytest.mark.parametrize("ref", ["their-birds", "their-birds@1", "a-their-teacher"])
def test_names_of_another_project_name_nothing(sides: Sides, ref: str) -> None:
    kind = "teachers" if "teacher" in ref else "datasets"
    assert sides.theirs.ask("GET", f"/{kind}/{ref}").status_code == 200
    assert alike(sides.mine.ask("GET", f"/{kind}/{ref}"), ref) == alike(
        sides.mine.ask("GET", f"/{kind}/nothing"), "nothing"
    )
    assert sides.mine.ask("DELETE", f"/{kind}/{ref}").status_code == 404


REFERENCES: dict[str, tuple[str, Callable[[dict[str, str]], Any], str | None]] = {
    "dataset": ("/searches", lambda things: {"dataset": "their-birds"}, "their-birds"),
    "teacher of a search": ("/searches", lambda things: {"dataset": "digits", "teacher": {"from": things["search_id"]}}, None),
    "sent teacher": ("/searches", lambda things: {"dataset": "digits", "teacher": {"from": things["teacher"]}}, None),
    "sent teacher by name": ("/searches", lambda things: {"dataset": "digits", "teacher": {"from": "a-their-teacher"}}, "a-their-teacher"),
    "tuning": ("/searches", lambda things: {"dataset": "digits", "retrain": {"recipe": f"tuning:{things['tuning_id']}"}}, None),
    "network": ("/trainings", lambda things: {"dataset": "digits", "architecture": things["architecture_id"]}, None),
    "network of a tuning": ("/tunings", lambda things: {"dataset": "digits", "architecture": things["architecture_id"]}, None),
    "network of an estimate": ("/tunings/estimate", lambda things: {"dataset": "digits", "architecture": things["architecture_id"]}, None),
    "training": ("/trainings", lambda things: {"dataset": "digits", "start": {"training": things["training_id"]}}, None),
    "estimate": ("/searches/estimate", lambda things: {"dataset": "their-birds"}, "their-birds"),
    "recipe of a training": ("/trainings", lambda things: {"dataset": "digits", "architecture": "dna-a", "recipe": f"tuning:{things['tuning_id']}"}, None),
}  # fmt: skip


@pytest.mark.parametrize("way", REFERENCES)
def test_a_body_cannot_name_another_projects_things(sides: Sides, way: str) -> None:
    path, body, name = REFERENCES[way]
    nobodys = dict.fromkeys(THINGS, str(new_id()))
    found = sides.mine.ask("POST", path, json=body(sides.theirs.things))
    missing = json.dumps(body(nobodys)).replace(name, "nothing") if name else json.dumps(body(nobodys))
    none = sides.mine.ask("POST", path, content=missing, headers={"content-type": "application/json"})
    assert none.status_code == 422, none.text
    assert alike(found, *sides.theirs.things.values(), *([name] if name else [])) == alike(
        none, *nobodys.values(), "nothing"
    )


def test_an_upload_of_another_project_makes_no_dataset(sides: Sides) -> None:
    missing = str(new_id())
    form = {"upload": (None, sides.theirs.things["upload_id"]), "name": (None, "x")}
    found = sides.mine.ask("POST", "/datasets", files=form)
    none = sides.mine.ask("POST", "/datasets", files=form | {"upload": (None, missing)})
    assert alike(found, sides.theirs.things["upload_id"]) == alike(none, missing)
    assert found.status_code == 404


def test_names_and_keys_of_requests_are_free_to_take(sides: Sides) -> None:
    again = {"Idempotency-Key": "once"}
    for side in (sides.theirs, sides.mine):
        made = side.ask("POST", "/datasets", files={"file": ("owls.zip", archive())}, headers=again)
        assert (made.status_code, made.json()["version"]) == (202, 1)
        assert "idempotent-replayed" not in made.headers
        assert made.json()["created_by"] == ("mine" if side is sides.mine else "theirs")
    given = [side.ask("POST", "/architectures", json={"architecture": "dna-c"}) for side in (sides.theirs, sides.mine)]
    assert [response.status_code for response in given] == [201, 201]
    assert given[0].json()["id"] != given[1].json()["id"]


def test_an_admin_sees_all_and_makes_in_its_own_project(sides: Sides) -> None:
    theirs = sides.theirs.things["search_id"]
    assert sides.admin.ask("GET", f"/searches/{theirs}").json()["created_by"] == "theirs"
    chosen = sides.admin.ask("POST", f"/searches/{theirs}/select", json={"top_k": 3}).json()["architectures"]
    assert all(sides.theirs.ask("GET", f"/architectures/{network['id']}").status_code == 200 for network in chosen)
    assert sides.admin.ask("GET", "/datasets/their-birds").status_code == 404
    made = sides.admin.ask("POST", "/searches", json={"dataset": "digits"}).json()["id"]
    assert sides.mine.ask("GET", f"/searches/{made}").status_code == 404


#: Lists of things that projects have.
LISTS = ("searches", "trainings", "tunings", "datasets", "teachers", "architectures", "webhooks")


@pytest.mark.parametrize("kind", LISTS)
def test_an_admin_is_told_whose_a_thing_is_and_asks_for_those_of_a_project(sides: Sides, kind: str) -> None:
    of_theirs = sides.admin.ask("GET", f"/{kind}", params={"project": "theirs"}).json()["items"]
    assert of_theirs
    assert {thing["project"] for thing in of_theirs} == {"theirs"}
    ids = {thing["id"] for thing in sides.theirs.ask("GET", f"/{kind}").json()["items"] if thing["project"] is not None}
    assert {thing["id"] for thing in of_theirs} == ids
    assert all(sides.admin.ask("GET", f"/{kind}/{each}").json()["project"] == "theirs" for each in ids)
    nobodys = sides.mine.ask("GET", f"/{kind}", params={"project": "nobody"})
    foreign = sides.mine.ask("GET", f"/{kind}", params={"project": "theirs"})
    assert alike(foreign) == alike(nobodys)
    assert foreign.json() == {"items": [], "next": None}


def test_what_ships_with_the_service_is_of_no_project(sides: Sides) -> None:
    assert sides.admin.ask("GET", "/datasets/digits").json()["project"] is None
    assert sides.admin.ask("GET", "/datasets", params={"project": "built-in"}).json()["items"] == []
    assert sides.admin.ask("GET", "/teachers/resnet18").json()["project"] is None
    [timing] = sides.admin.ask("GET", f"/architectures/{sides.theirs.things['architecture_id']}/latency").json()[
        "items"
    ]
    assert timing["project"] == "theirs"


@pytest.mark.parametrize("path", ["/searches", "/searches/estimate", "/trainings"])
def test_no_job_works_on_a_dataset_of_another_project(sides: Sides, path: str) -> None:
    body = {"dataset": sides.theirs.things["dataset"]}
    if path == "/trainings":
        body["architecture"] = "dna-a"
    refused = problem(sides.admin.ask("POST", path, json=body), 422, "invalid_spec")
    assert "their-birds@1 is another project's" in refused["detail"]


def test_names_mean_an_admins_own_things_in_bodies_too(sides: Sides) -> None:
    sent = {"architecture": published("dna-b", input_size=48).to_json(), "name": "their-net"}
    assert sides.theirs.ask("POST", "/architectures", json=sent).status_code == 201
    body = {"dataset": "digits", "architecture": "their-net"}
    assert sides.theirs.ask("POST", "/trainings", json=body).status_code == 201
    refused = problem(sides.admin.ask("POST", "/trainings", json=body), 422, "invalid_request")
    assert "There is no network 'their-net'" in refused["detail"]
    body = {"dataset": "digits", "architecture": "dna-a", "recipe": "tuning:their job"}
    known = problem(sides.theirs.ask("POST", "/trainings", json=body), 422, "invalid_spec")
    assert known["detail"].startswith(f"No trial of the tuning {sides.theirs.things['tuning_id']}")
    refused = problem(sides.admin.ask("POST", "/trainings", json=body), 422, "invalid_spec")
    assert refused["detail"].startswith("There is no tuning their job")


def test_figures_are_of_what_the_key_sees_and_name_nothing(sides: Sides) -> None:
    mine, theirs = (side.ask("GET", "/metrics").text for side in (sides.mine, sides.theirs))
    assert 'dna_searches{state="succeeded"} 0.0' in mine
    assert 'dna_searches{state="succeeded"} 1.0' in theirs
    for name in ("their", *sides.theirs.things.values()):
        assert name not in theirs


def test_figures_of_requests_are_for_who_sees_every_project(sides: Sides) -> None:
    assert 'dna_http_requests_total{method="POST",route="/datasets"' in sides.admin.ask("GET", "/metrics").text
    assert "dna_http" not in sides.mine.ask("GET", "/metrics").text
