"""Teachers that a search may begin with, and what it takes of them: files that last as long as either."""

from __future__ import annotations

from uuid import UUID

from pydantic import ValidationError
from sqlalchemy.orm import Session

from dna_engine.errors import InvalidSpec
from dna_engine.given import PARAM, of_search
from dna_engine.plans import files
from dna_engine.spec import GivenTeacher, ResolvedSpec
from store import artifacts, teachers
from store.artifacts import StoredFile
from store.blobs import Blob
from store.errors import IllegalTransition, NotFound
from store.states import JobKind
from store.tables import Job, Teacher

#: What the files of a search's teacher are called where another search begins with it.
_CALLED = {files.TEACHER_WEIGHTS: files.GIVEN_WEIGHTS, files.TEACHER: files.GIVEN}


def find(session: Session, source: str) -> GivenTeacher:
    """The teacher that ``teacher.from`` names; nobody deletes it until the transaction ends.

    Raises:
        InvalidSpec: there is none.
        IllegalTransition: the search that is named has none yet, or no more.
    """
    try:
        return _uploaded(teachers.find(session, source, hold=True))
    except NotFound:
        return _of_search(session, source)


def _uploaded(teacher: Teacher) -> GivenTeacher:
    return GivenTeacher(
        kind="upload",
        source=str(teacher.id),
        model=teacher.model,
        weights="upload",
        taught=None,
        num_classes=teacher.num_classes,
        sha256=teacher.weights["sha256"],
    )


def _of_search(session: Session, source: str) -> GivenTeacher:
    try:
        job = session.get(Job, UUID(source), with_for_update={"read": True, "key_share": True})
        if job is None or job.kind != JobKind.SEARCH:
            raise ValueError
        spec = ResolvedSpec.model_validate(job.resolved)
    except ValidationError as error:
        raise InvalidSpec(f"The search {source} is of a version that this one cannot read.", param=PARAM) from error
    except ValueError as error:
        raise InvalidSpec(
            f"There is no search and no teacher {source}: take the id of a search whose teacher step is done (GET /searches), or a "
            "teacher that was sent (POST /teachers).",
            param=PARAM,
        ) from error
    found = artifacts.named(session, job.id, list(_CALLED))
    if len(found) < len(_CALLED):
        raise _without_teacher(job.id)
    return of_search("search", str(job.id), spec, sha256=found[files.TEACHER_WEIGHTS].sha256)


def share(session: Session, given: GivenTeacher, job_id: UUID) -> None:
    """Gives a search the files of a teacher that :func:`find` has found in the same transaction.

    Raises:
        IllegalTransition: they are gone.
    """
    source = UUID(given.source)
    if given.kind == "upload":
        teacher = teachers.find(session, given.source, hold=True)
        stored = {files.GIVEN_WEIGHTS: teacher.weights, files.GIVEN: teacher.about}
        artifacts.refer(session, job_id, [StoredFile(name, Blob.from_json(blob)) for name, blob in stored.items()])
    elif artifacts.share(session, source, job_id, list(_CALLED), called=_CALLED):
        raise _without_teacher(source)


def _without_teacher(search_id: UUID) -> IllegalTransition:
    return IllegalTransition(
        f"The search {search_id} has no finished teacher, or keeps it no more. Wait until its step teacher has succeeded, or name another in {PARAM}."
    )
