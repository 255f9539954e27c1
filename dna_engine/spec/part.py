"""What every part of a spec is: numbers are numbers, a field that does not exist is refused. Torch-free."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict

from dna_engine.fields import Written


def _whole(value: Any) -> Any:
    """Many write 350e6 or 20.0: in JSON these are whole numbers too."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[int, BeforeValidator(_whole)]


class Part(Written):
    """Numbers are numbers here, and true is none: a text that looks like one is a mistake that would go unnoticed."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False, strict=True, serialize_by_alias=True)
