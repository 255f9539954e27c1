"""A job like another: ``from`` in the place of a spec, with what is to be different beside it."""

from __future__ import annotations

from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.orm import Session

from api.errors import Invalid, invalid_fields
from api.patches import merged
from dna_engine.spec.parts import JobSpec
from store import jobs
from store.states import JobKind

Spec = TypeVar("Spec", bound=JobSpec)

#: Which of the two a body is, as parts of the place of an error: none that a field could be called.
NEW, CLONE = "a spec", "a clone"


#: Of a kind of which there are some that nobody wrote a spec for.
_NO_SPEC = {JobKind.TRAINING: " with a spec of its own: what a search trains is asked for by the search"}


class Clone(BaseModel):
    """The spec of another job of the kind, as it was written, with all other fields of this body merged over it (RFC 7396): an object
    field by field, and null takes out what the other has, so that the default holds. The result is checked as any spec is.
    """

    model_config = ConfigDict(
        extra="allow", json_schema_extra={"examples": [{"from": "0199d3f0-5a34-7c1e-b6a8-0d6f6f3f7a10", "seed": 1}]}
    )

    source: UUID = Field(alias="from", description="Id of the job whose spec it is.")


def way(body: Any) -> str:
    """Whether a body is a clone, or a spec itself."""
    return CLONE if isinstance(body, Clone) or (isinstance(body, dict) and "from" in body) else NEW


def written(session: Session, body: Spec | Clone, kind: JobKind, model: type[Spec]) -> tuple[Spec, UUID | None]:
    """The spec that is meant, and the job that it is cloned from; nobody deletes that until the transaction ends.

    Raises:
        Invalid: there is no such job, or what comes of it is no spec of the kind.
    """
    if not isinstance(body, Clone):
        return body, None
    found = jobs.written(session, kind, body.source)
    if found is None:
        message = f"There is no {kind} {body.source}{_NO_SPEC.get(kind, '')}"
        raise Invalid(f"{message}.", errors=[{"pointer": "#/from", "detail": message}])
    whole = merged(found, body.model_extra)
    try:
        return model.model_validate(whole), body.source
    except ValidationError as error:
        details = [{**detail, "loc": ("body", *detail["loc"])} for detail in error.errors(include_url=False)]
        raise invalid_fields(details, whole) from error
