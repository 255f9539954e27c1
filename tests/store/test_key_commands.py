"""``python -m store key``: keys with limits, and changed ones, on a real database."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete

from store import keys, outbox, steps
from store.__main__ import main
from store.session import Sessions, make_engine, make_sessions, transaction
from store.states import JobState
from store.tables import OutboxMessage
from tests.store.builders import new_search

Key = Callable[..., Any]


@pytest.fixture
def key(database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Key:
    """``python -m store key`` on a database, what it answers."""
    monkeypatch.setenv("DNA_DATABASE_URL", database_url)

    def answered(*arguments: str) -> Any:
        assert main(["key", *arguments, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return answered


def test_a_key_is_made_as_it_is_asked_for(key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
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
    ]
    made = key("create", "ci", *options)
    assert (made["project"], made["scopes"]) == ("vision", ["read", "admin"])
    assert made["limits"] == {"running_jobs": 2, "device_hours": 50.0, "stored_bytes": 10**10}
    assert 89 < (datetime.fromisoformat(made["expires_at"]) - datetime.fromisoformat(made["created_at"])).days <= 90
    assert key("show", f"dna_{made['prefix']}") == {name: value for name, value in made.items() if name != "key"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--scopes", "all"], "read, run, admin"),
        (["--expires", "soon"], "90d"),
        (["--expires", "0d"], "90d"),
        (["--running-jobs", "1.5"], "--running-jobs"),
        (["--device-hours", "inf"], "--device-hours"),
        (["--requests-per-second", "many"], "none is no limit"),
        (["--priority", "urgent"], "--priority"),
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


def test_of_a_key_only_what_is_named_changes(key: Key) -> None:
    made = key("create", "ci", "--expires", "90d", "--running-jobs", "2", "--device-hours", "0.5", "--priority", "low")
    made.pop("key")
    changed = key("update", "ci", "--priority", "high", "--device-hours", "none", "--stored-bytes", "10G")
    assert changed == made | {"limits": {"running_jobs": 2, "priority": "high", "stored_bytes": 10**10}}
    assert key("update", "ci", "--expires", "never", "--scopes", "admin,read") == changed | {
        "expires_at": None,
        "scopes": ["read", "admin"],
    }
    renamed = key("update", made["id"][-8:], "--name", "builds", "--expires", "12h")
    assert renamed["name"] == "builds"
    assert datetime.fromisoformat(renamed["expires_at"]) < datetime.fromisoformat(made["expires_at"])
    assert key("show", "builds") == renamed


def test_a_limit_of_the_settings_is_taken_off_a_new_key(key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DNA_KEY_RUNNING_JOBS", "2")
    assert key("create", "team")["limits"]["running_jobs"] == 2
    assert "running_jobs" not in key("create", "operator", "--running-jobs", "none")["limits"]
    assert key("create", "urgent")["limits"]["priority"] == "normal"
    assert "priority" not in key("create", "manager", "--scopes", "read,run,admin")["limits"]
    assert key("update", "manager", "--scopes", "read,run")["limits"]["priority"] == "normal"
    assert "priority" not in key("update", "manager", "--scopes", "admin")["limits"]
    monkeypatch.setenv("DNA_KEY_PRIORITY", "high")
    assert key("create", "all alike")["limits"]["priority"] == "high"


def test_jobs_that_may_run_now_are_announced(key: Key, sessions: Sessions, database_url: str) -> None:
    made = key("create", "team", "--running-jobs", "1")
    with transaction(sessions) as session:
        actor = keys.caller_of(keys.get(session, UUID(made["id"]))).actor
    engine = make_engine(database_url)
    with transaction(make_sessions(engine, actor)) as session:
        running, waiting = new_search(session), new_search(session)
        running.state = JobState.RUNNING
        session.flush()
        session.execute(delete(OutboxMessage))
    engine.dispose()
    key("update", "team", "--name", "others")
    with transaction(sessions) as session:
        assert not outbox.take_pending(session)
    key("update", "others", "--running-jobs", "2")
    with transaction(sessions) as session:
        announced = [steps.get(session, UUID(message.payload["step_id"])) for message in outbox.take_pending(session)]
        assert {step.job_id for step in announced} == {waiting.id}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["me"], "Say what is to change"),
        (["me", "--name", " "], "--name"),
        (["me", "--scopes", ""], "read, run, admin"),
        (["me", "--expires", "soon"], "never"),
        (["me", "--queued-jobs", "-1"], "--queued-jobs"),
        (["me", "--device-hours", "nan"], "--device-hours"),
        (["you", "--priority", "low"], "There is no key you"),
        (["gone", "--expires", "never"], "revoked"),
    ],
)
def test_what_changes_no_key(arguments: list[str], words: str, key: Key, capsys: pytest.CaptureFixture[str]) -> None:
    key("create", "me", "--queued-jobs", "3")
    key("create", "gone")
    key("revoke", "gone")
    before = key("list")
    assert main(["key", "update", *arguments]) == 2
    assert words in capsys.readouterr().err
    assert key("list") == before
