"""The ids that paths name things by, and what is said where something else stands in the place of one."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Path

ArchitectureId = Annotated[UUID, Path(description="Id of the network.")]
SearchId = Annotated[UUID, Path(description="Id of the search.")]
TrainingId = Annotated[UUID, Path(description="Id of the training.")]
TuningId = Annotated[UUID, Path(description="Id of the tuning.")]
UploadId = Annotated[UUID, Path(description="Id of the upload, the last part of its `Location`.")]

_EXAMPLE = "0199d3f0-5a34-7c1e-b6a8-0d6f6f3f7a10"
_SHOWN = 60
#: What the id in a field or parameter is of, where the name of that does not say.
_OF = {"from": "job of this kind", "architecture": "network"}


def no_id(name: str, given: Any) -> str:
    """What to write instead of something that is no id, in a field, a parameter or a part of a path of that name."""
    named = name.removesuffix("_id")
    of = _OF.get(named, named.replace("_", " "))
    which = f"the id of {'an' if of[0] in 'aeiou' else 'a'} {of}"
    shown = given if isinstance(given, str) and len(given) <= _SHOWN else f"{str(given)[:_SHOWN]}..."
    return f"Write {which}, such as {_EXAMPLE}, not {shown!r}; lists say which ids there are"
