"""``python -m store``: an operator's commands, on a real database."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest

from store import keys
from store.__main__ import main
from store.errors import KeyEnded
from store.session import Sessions, transaction
from tests.store.builders import schema_is_current


@pytest.fixture(autouse=True)
def no_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DNA_DATABASE_URL", raising=False)
    monkeypatch.setenv("DNA_DATABASE_START_SECONDS", "0")


def test_migrates(empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DNA_DATABASE_URL", empty_database_url)
    assert main(["migrate"]) == 0
    assert schema_is_current(empty_database_url)


def test_a_key_is_made_listed_and_revoked(
    database_url: str, sessions: Sessions, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DNA_DATABASE_URL", database_url)
    assert main(["key", "create", "me", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    with transaction(sessions) as session:
        assert keys.authenticate(session, made["key"]) is not None
    assert main(["key", "list", "--json"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert (listed["id"], listed["name"]) == (made["id"], "me")
    assert "key" not in listed
    assert main(["key", "revoke", made["id"][-8:]]) == 0
    assert "revoked" in capsys.readouterr().out
    with transaction(sessions) as session, pytest.raises(KeyEnded):
        keys.authenticate(session, made["key"])


def test_for_people_only_the_key_itself_is_on_standard_output(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DNA_DATABASE_URL", database_url)
    assert main(["key", "create", "me"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("dna_")
    assert said.out.count("\n") == 1
    assert "cannot be shown again" in said.err


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (None, "Set DNA_DATABASE_URL"),
        ("nonsense", "cannot be used"),
        ("postgresql://nobody@127.0.0.1:1/none", "cannot be used"),
    ],
)
def test_says_what_is_wrong_with_the_database(
    url: str | None, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if url is not None:
        monkeypatch.setenv("DNA_DATABASE_URL", url)
    for command in (["migrate"], ["key", "list"], ["key", "revoke", str(uuid4())]):
        assert main(command) == 2
        assert words in capsys.readouterr().err


def test_a_key_needs_the_schema_and_an_id_that_exists(
    empty_database_url: str, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DNA_DATABASE_URL", empty_database_url)
    assert main(["key", "list"]) == 2
    assert main(["key", "--migrate", "list"]) == 0
    assert "dna migrate" in capsys.readouterr().err
    monkeypatch.setenv("DNA_DATABASE_URL", database_url)
    assert main(["key", "revoke", str(uuid4())]) == 2
    assert "There is no key" in capsys.readouterr().err
