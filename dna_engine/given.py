"""Teachers that there are already, to be named by ``teacher.from`` of a search. Torch-free."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from dna_engine.errors import InvalidSpec
from dna_engine.jsonfile import read_object
from dna_engine.plans import files
from dna_engine.spec import GivenTeacher, ResolvedSpec

#: The field of a search that names one.
PARAM = "teacher.from"


def of_search(kind: Literal["search", "folder"], source: str, spec: ResolvedSpec, *, sha256: str) -> GivenTeacher:
    """The teacher that a search has made. One that it was given itself is what it was.

    Args:
        sha256: of its weights.
    """
    teacher = spec.teacher
    if teacher.given is not None and teacher.weights == "given":
        return teacher.given.model_copy(update={"kind": kind, "source": source, "sha256": sha256})
    return GivenTeacher(
        kind=kind,
        source=source,
        model=teacher.model,
        weights=teacher.weights,
        taught=None if teacher.weights == "pretrained" else spec.dataset,
        sha256=sha256,
    )


def of_run(folder: Path) -> GivenTeacher:
    """The teacher of a run folder on this machine.

    Raises:
        InvalidSpec: it holds no search, or one whose teacher is not done.
    """
    folder = folder.resolve()
    try:
        spec = ResolvedSpec.model_validate(read_object(folder / files.SPEC, InvalidSpec))
        read_object(folder / files.TEACHER, InvalidSpec)
        with (folder / files.TEACHER_WEIGHTS).open("rb") as weights:
            sha256 = hashlib.file_digest(weights, "sha256").hexdigest()
    except (InvalidSpec, ValidationError, OSError) as error:
        raise InvalidSpec(
            f"{folder} is not the run folder of a search whose teacher is done: {str(error).splitlines()[0]}",
            param=PARAM,
        ) from error
    return of_search("folder", str(folder), spec, sha256=sha256)
