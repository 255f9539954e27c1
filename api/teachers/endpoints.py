"""Routes of teachers: list, from the catalogue that the engine ships."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.auth import authenticate
from api.openapi import problems
from api.pagination import Cursor, Limit, Page, decode, encode
from api.teachers.schemas import TeacherOut
from dna_engine.catalogue import catalogue

router = APIRouter(
    prefix="/teachers",
    tags=["teachers"],
    dependencies=[Depends(authenticate)],
    responses=problems(401, 403, 422, 503),
)


@router.get("", response_model=Page[TeacherOut])
def list_teachers(
    q: Annotated[str, Query(max_length=200, description="Part of a name or family.", examples=["efficientnet"])] = "",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[TeacherOut]:
    """Usable teachers by name, with the blocks they are cut into: channels, reductions, strides."""
    after = decode(cursor) if cursor else ""
    asked = q.lower()
    found = [
        teacher
        for name, teacher in sorted(catalogue().items())
        if name > after and any(asked in text.lower() for text in (name, teacher.family, *teacher.names))
    ]
    items = [TeacherOut.model_validate(teacher) for teacher in found[:limit]]
    return Page(items=items, next=encode(items[-1].name) if len(found) > limit else None)
