"""Whose things are, in the lists of who sees those of several projects: an API process with two teams."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from PIL import Image

from dna_client import Client
from store.embedded import Servers
from tests.conftest import new_database
from tests.dna_client.conftest import PAUSES, Dna, running_api

KINDS = ("search", "training", "tuning", "dataset", "architecture", "webhook")


@pytest.fixture(scope="module")
def url(servers: Servers, migrated: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("teams")
    with (
        new_database(servers.database_url, template=migrated) as database_url,
        running_api(database_url, servers.redis_url, folder) as url,
    ):
        yield url


@pytest.fixture(scope="module")
def team(url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A key of the project ``vision``, which has one of all that is listed."""
    made = httpx.post(f"{url}/keys", json={"name": "ci", "project": "vision"}).raise_for_status().json()
    photos = tmp_path_factory.mktemp("photos")
    (photos / "owl").mkdir()
    Image.new("L", (9, 9)).save(photos / "owl" / "1.png")
    with Client(url, made["key"], pauses=PAUSES) as client:
        given = client.create_architecture("dna-b")["id"]
        client.create_search({"dataset": "digits", "name": "of the team"})
        client.trainings.create({"architecture": given, "dataset": "digits"})
        client.tunings.create({"architecture": given, "dataset": "digits"})
        client.create_dataset(photos, "photos", wait=False)
        client.webhooks.create("http://127.0.0.1:9/hook")
    return str(made["key"])


@pytest.mark.parametrize("kind", KINDS)
def test_an_admin_sees_whose_it_is(
    kind: str, url: str, team: str, dna_here: Dna, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DNA_URL", url)
    heading, *rows = dna_here(kind, "list").out.splitlines()
    assert heading.split()[-2:] == ["project", "by"]
    [row] = [row.split() for row in rows if "vision" in row]
    assert row[-2:] == ["vision", "ci"]
    monkeypatch.setenv("DNA_API_KEY", team)
    heading = dna_here(kind, "list").out.splitlines()[0]
    assert not {"project", "by"} & {*heading.split()}, "all that it sees is its own"


def test_what_ships_with_the_service_is_nobodys(
    url: str, team: str, dna_here: Dna, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DNA_URL", url)
    [digits] = [row for row in dna_here("dataset", "list").out.splitlines() if row.startswith("digits")]
    assert "vision" not in digits
    with Client(url, team) as client:
        assert (client.me()["project"], client.me()["name"]) == ("vision", "ci")
