"""``python -m store``: an operator's commands, on a real database."""

from __future__ import annotations

import json
from datetime import datetime
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


def test_a_key_is_made_as_it_is_asked_for(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DNA_DATABASE_URL", database_url)
    monkeypatch.setenv("DNA_KEY_DEVICE_HOURS", "50")
    options = [
        "--scopes",
        "read,admin",
        "--project",
        "vision",
        "--expires",
        "90d",
        "--running-jobs",
        "2",
        "--stored-bytes",
        "10G",
        "--json",
    ]
    assert main(["key", "create", "ci", *options]) == 0
    made = json.loads(capsys.readouterr().out)
    assert (made["project"], made["scopes"]) == ("vision", ["read", "admin"])
    assert made["limits"] == {"running_jobs": 2, "device_hours": 50.0, "stored_bytes": 10**10}
    assert 89 < (datetime.fromisoformat(made["expires_at"]) - datetime.fromisoformat(made["created_at"])).days <= 90
    assert main(["key", "show", f"dna_{made['prefix']}", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {name: value for name, value in made.items() if name != "key"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--scopes", "all"], "read, run, admin"),
        (["--expires", "soon"], "90d"),
        (["--expires", "0d"], "90d"),
        (["--running-jobs", "1.5"], "--running-jobs"),
        (["--project", "built-in"], "built-in"),
        (["--project", "Red Team!"], "letters, digits"),
    ],
)
def test_what_makes_no_key(
    options: list[str],
    words: str,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DNA_DATABASE_URL", database_url)
    assert main(["key", "create", "me", *options]) == 2
    assert words in capsys.readouterr().err
