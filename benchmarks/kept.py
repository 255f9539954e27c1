"""A study's folder holds one study: its settings are written when it begins, and compared whenever it goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dna_engine.errors import InvalidSpec


def keep_settings(folder: Path, settings: dict[str, Any]) -> None:
    """Writes the settings into the study's folder, or checks that they are those already there.

    Raises:
        InvalidSpec: the folder holds a study with other settings.
    """
    path, now = folder / "settings.json", json.loads(json.dumps(settings))
    folder.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.write_text(json.dumps(now, indent=1))
    before = json.loads(path.read_text())
    if changed := sorted(name for name in now if before.get(name) != now[name]):
        raise InvalidSpec(f"{folder} holds a study with other {', '.join(changed)}; give another --out.", param="out")
