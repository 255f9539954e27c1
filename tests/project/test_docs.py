"""What a user can set or type is documented, and what the documents link to exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from api.settings import ApiSettings
from dna_client.__main__ import app
from serving.settings import ServingSettings
from store.settings import Settings
from worker.settings import WorkerSettings

ROOT = Path(__file__).parents[2]
DOCS = "\n".join(path.read_text() for path in sorted((ROOT / "docs").glob("*.md")))
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


@pytest.mark.parametrize(
    "settings", [Settings, ApiSettings, ServingSettings, WorkerSettings], ids=lambda model: model.__name__
)
def test_every_setting_is_documented(settings: type[BaseSettings]) -> None:
    missing = [f"DNA_{name.upper()}" for name in settings.model_fields if f"DNA_{name.upper()}" not in DOCS]
    assert not missing


def test_every_command_is_documented() -> None:
    names = [command.name or command.callback.__name__ for command in app.registered_commands if command.callback]
    names += [group.name for group in app.registered_groups if group.name]
    assert len(names) > 5
    assert [name for name in names if f"dna {name.replace('_', '-')}" not in DOCS] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []
