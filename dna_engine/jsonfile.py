"""Reads the JSON objects that people hand to the engine. Torch-free."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dna_engine.errors import EngineError


def read_object(path: Path, error: type[EngineError]) -> dict[str, Any]:
    """The object in a file.

    Raises:
        error: there is no such file, or it holds something else; the message names it.
    """
    try:
        value = json.loads(path.read_text())
    except OSError as reason:
        raise error(f"{path} cannot be read: {reason.strerror}.") from reason
    except ValueError as reason:
        raise error(f"{path} is not JSON: {reason}.") from reason
    if not isinstance(value, dict):
        raise error(f"{path} holds no JSON object.")
    return value
