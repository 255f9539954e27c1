"""Spaces as the options of benchmarks name them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def space_of(text: str | None) -> str | dict[str, Any] | None:
    """What a search is told: the space in a ``.json`` file, else the preset of that name."""
    if text is None or not text.endswith(".json"):
        return text
    described: dict[str, Any] = json.loads(Path(text).read_text())
    return described
