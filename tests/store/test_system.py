"""Keys, idempotent answers, workers, datasets, settings."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import ValidationError
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from dna_engine.dataset import DIGITS
from dna_engine.errors import UnknownName
from store import architectures, artifacts, datasets, idempotency, keys, steps, trainings, workers
from store.errors import IdempotencyMismatch, NameTaken, NotFound
from store.session import clock, driver_url
from store.settings import Settings
from store.states import Role
from store.tables import ApiKey, Dataset, Worker
from tests.store.builders import new_search, new_worker


def test_a_key_opens_until_it_is_revoked(session: Session) -> None:
    row, key = keys.create(session, "laptop")
    assert key.startswith(f"dna_{row.prefix}_")
    assert key not in session.scalars(select(ApiKey.sha256)).all()
    assert keys.any_active(session)
    assert keys.authenticate(session, key) is row
    assert row.last_used_at is not None
    keys.revoke(session, row.id)
    assert keys.authenticate(session, key) is None
    assert not keys.any_active(session)
    assert keys.listing(session) == [row]


def test_a_wrong_key_opens_nothing(session: Session) -> None:
    _, key = keys.create(session, "laptop")
    _, other = keys.create(session, "server")
    mixed = other[:12] + key[12:]
    for wrong in ("", "dna_", key[:-1], key + "0", key.replace(key[-9], "x"), mixed, "\x00", key.upper()):
        assert keys.authenticate(session, wrong) is None
    with pytest.raises(NotFound):
        keys.revoke(session, uuid4())


def test_idempotent_answers_are_replayed_and_forgotten(session: Session) -> None:
    request = {"owner": "me", "key": "k", "request_sha256": "1"}
    assert idempotency.begin(session, **request) is None
    idempotency.finish(session, **request, status=201, headers={}, body=b"\x00\xff")
    answer = idempotency.begin(session, **request)
    assert answer is not None
    assert answer.body == b"\x00\xff"
    with pytest.raises(IdempotencyMismatch, match="new key"):
        idempotency.begin(session, owner="me", key="k", request_sha256="2")
    assert idempotency.purge(session, keep=timedelta(hours=1)) == 0
    session.expire_all()
    assert idempotency.begin(session, **request, keep=timedelta(seconds=-1)) is None


def test_workers_count_as_live_while_they_beat(session: Session) -> None:
    worker, silent, left = (new_worker(session, hostname=name) for name in ("a", "b", "c"))
    step = steps.of_search(session, new_search(session).id)[0]
    long_ago = clock(session) - timedelta(minutes=5)
    session.execute(update(Worker).values(last_seen_at=long_ago))
    workers.beat(session, worker.id, current_step_id=step.id)
    workers.beat(session, left.id, current_step_id=None)
    workers.leave(session, left.id)
    assert workers.live(session, within=timedelta(seconds=30)) == [worker]
    assert worker.current_step_id == step.id
    assert workers.live(session, within=timedelta(hours=1)) == [worker, silent]


def test_builtin_datasets_are_there_however_often_they_are_ensured(session: Session) -> None:
    datasets.ensure_builtin(session)
    session.execute(update(Dataset).values(fingerprint="old"))
    datasets.ensure_builtin(session)
    (digits,) = datasets.listing(session).items
    assert digits.fingerprint == datasets.fingerprint(DIGITS)
    assert datasets.get(session, digits.id) is digits
    assert datasets.ready(session, "digits") == DIGITS


def test_dataset_names_are_unique_and_unknown_ones_are_answered_with_those_that_exist(session: Session) -> None:
    datasets.ensure_builtin(session)
    info = DIGITS.model_copy(update={"name": "mine", "kind": "folder", "location": "/data/mine"})
    assert datasets.create(session, info, fingerprint="f").name == "mine"
    with pytest.raises(NameTaken, match="'mine'"):
        datasets.create(session, info, fingerprint="f")
    with pytest.raises(UnknownName, match=r"Did you mean 'digits'.*Known: digits, mine"):
        datasets.ready(session, "digit")
    with pytest.raises(NotFound):
        datasets.get(session, uuid4())


def test_selected_networks_are_kept_once(session: Session) -> None:
    search = new_search(session)
    network = {"format": "dna-architecture/1", "blocks": [{"cell": 1}]}
    first = architectures.select_network(session, search.id, network, loss=1.0, flops=2, params=3)
    again = architectures.select_network(session, search.id, dict(network), loss=1.0, flops=2, params=3)
    assert first is again
    assert architectures.of_search(session, search.id, role=Role.SELECTED) == [first]
    assert architectures.of_search(session, search.id, role=Role.WINNER) == []
    assert architectures.get(session, first.id) is first


@pytest.mark.parametrize("module", [architectures, artifacts, datasets, steps, trainings])
def test_what_is_missing_is_not_found(session: Session, module: object) -> None:
    with pytest.raises(NotFound, match="There is no"):
        module.get(session, uuid4())  # type: ignore[attr-defined]


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DNA_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DNA_MAX_ATTEMPTS", "5")
    settings = Settings()
    assert settings.max_attempts == 5
    assert settings.artifacts == (tmp_path / "artifacts").as_uri()
    monkeypatch.setenv("DNA_ARTIFACTS_URL", "memory://x")
    assert Settings().artifacts == "memory://x"
    monkeypatch.setenv("DNA_LEASE_SECONDS", "15")
    with pytest.raises(ValidationError, match="DNA_LEASE_SECONDS"):
        Settings()


def test_every_setting_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_urls_get_the_driver(scheme: str) -> None:
    assert driver_url(f"{scheme}://u:p%40@h/d") == "postgresql+psycopg://u:p%40@h/d"
