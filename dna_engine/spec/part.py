"""What every part of a spec is: numbers are numbers, a field that does not exist is refused. Torch-free."""

from __future__ import annotations

from pydantic import ConfigDict

from dna_engine.fields import Whole as Whole
from dna_engine.fields import Written


class Part(Written):
    """Numbers are numbers here, and true is none: a text that looks like one is a mistake that would go unnoticed."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False, strict=True, serialize_by_alias=True)
