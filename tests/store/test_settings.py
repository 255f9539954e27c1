"""Settings from the environment."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from store.settings import Settings, wrong_settings


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DNA_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DNA_MAX_ATTEMPTS", "5")
    settings = Settings()
    assert settings.max_attempts == 5
    assert settings.artifacts == (tmp_path / "artifacts").as_uri()
    monkeypatch.setenv("DNA_ARTIFACTS_URL", "memory://x")
    assert Settings().artifacts == "memory://x"
    monkeypatch.setenv("DNA_LEASE_SECONDS", "15")
    with pytest.raises(ValidationError) as caught:
        Settings()
    assert wrong_settings(caught.value) == "DNA_LEASE_SECONDS must be at least twice DNA_LEASE_RENEW_SECONDS."


def test_what_a_wrong_setting_holds_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DNA_LEASE_SECONDS", "hunter2")
    monkeypatch.setenv("DNA_MAX_ATTEMPTS", "0")
    with pytest.raises(ValidationError) as caught:
        Settings()
    assert wrong_settings(caught.value).splitlines() == [
        "DNA_LEASE_SECONDS: Input should be a valid number, unable to parse string as a number.",
        "DNA_MAX_ATTEMPTS: Input should be greater than 0.",
    ]


def test_networks_are_held_to_their_form(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the start: a network that was meant otherwise must neither open nor close anything."""
    monkeypatch.setenv("DNA_WEBHOOKS_ALLOW_NETWORKS", "10.1.0.0/16 fd00::/8")
    assert Settings().reach.target("http://10.1.2.3/").addresses == ["10.1.2.3"]
    for wrong in ("10.1.0.1/16", "10.1.0.0/16,fd00::/8", "intranet"):
        monkeypatch.setenv("DNA_WEBHOOKS_ALLOW_NETWORKS", wrong)
        with pytest.raises(ValidationError, match="webhooks_allow_networks"):
            Settings()


def test_every_setting_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
