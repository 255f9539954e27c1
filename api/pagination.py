"""Pages of a list: ``{"items": [...], "next": "cursor or null"}``. A cursor is opaque; it stays valid while rows are added."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from api.errors import Invalid

Item = TypeVar("Item")

#: A number of so many digits is one that a database holds.
_DIGITS = 18


class Page(BaseModel, Generic[Item]):
    """One page of a list."""

    model_config = ConfigDict(json_schema_extra={"description": "One page of a list."})

    items: list[Item] = Field(description="In the order of the list; none on a page behind the last.")
    next: str | None = Field(description="Pass as `cursor` for the next page; null on the last.")


def joined(items: Iterable[bytes], following: str | None) -> bytes:
    """A page of items that are JSON already."""
    return b'{"items":[%b],"next":%b}' % (b",".join(items), json.dumps(following).encode())


Limit = Annotated[int, Query(ge=1, le=200, description="Most items on the page.")]
Cursor = Annotated[str | None, Query(max_length=2000, description="`next` of the page before.")]


Ref = Annotated[
    str | None,
    Query(max_length=200, description="A name, or at least four digits of the beginning or the end of an id."),
]


def encode(position: str) -> str:
    """A cursor that continues after ``position``."""
    return base64.urlsafe_b64encode(position.encode()).decode().rstrip("=")


def decode(cursor: str) -> str:
    """The position in a cursor.

    Raises:
        Invalid: it was not made by :func:`encode`.
    """
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise invalid_cursor() from error


def position(cursor: str) -> int:
    """The number in a cursor of a list whose items are counted.

    Raises:
        Invalid: it was not made of a number.
    """
    number = decode(cursor)
    if not number.isascii() or not number.isdecimal() or len(number) > _DIGITS:
        raise invalid_cursor()
    return int(number)


def invalid_cursor() -> Invalid:
    """What a cursor of another list, or none at all, is answered with."""
    detail = "Not a cursor of this list; pass `next` of a page, unchanged"
    return Invalid(f"{detail}.", errors=[{"parameter": "cursor", "detail": detail}])


class Paging(BaseModel):
    """Where a page of rows begins, by id, and how long it is."""

    after: UUID | None
    limit: int


async def row_paging(cursor: Cursor = None, limit: Limit = 50) -> Paging:
    """``cursor`` and ``limit`` of the query, for lists of rows."""
    try:
        return Paging(after=UUID(decode(cursor)) if cursor else None, limit=limit)
    except ValueError as error:
        raise invalid_cursor() from error


RowPaging = Annotated[Paging, Depends(row_paging)]
