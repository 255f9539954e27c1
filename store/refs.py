"""Which rows a person means who writes a name, or the beginning or the end of an id instead of the whole.

Where one row is wanted, one rule holds everywhere: a whole id goes before a name, and a name in full before an end of an id. So no
name takes the place of a thing that is named by its id, and what is *named* like an id that nothing has is found by its name.

Ids are UUIDv7: those of one day begin alike, and their last digits are random. So people are shown the last ones.
"""

from __future__ import annotations

import re
from typing import TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, cast, func, or_
from sqlalchemy.orm import InstrumentedAttribute, Session

Row = TypeVar("Row")

#: Fewer digits of an id are no reference to it.
FEWEST = 4

_DIGITS = re.compile(rf"[0-9a-f]{{{FEWEST},32}}")


def whole(ref: str) -> UUID | None:
    """The id, where ``ref`` is a whole one."""
    try:
        return UUID(ref)
    except ValueError:
        return None


def named(
    session: Session, query: Select[Row], ref: str, ids: InstrumentedAttribute[UUID], name: ColumnElement[bool]
) -> list[Row]:
    """The row of the whole id ``ref``, or else the rows that ``name`` holds of, in the order of ``query``; at most two."""
    if (row_id := whole(ref)) is not None and (found := session.scalar(query.where(ids == row_id))) is not None:
        return [found]
    return list(session.scalars(query.where(name).limit(2)))


def meant(
    ref: str, ids: InstrumentedAttribute[UUID], *names: InstrumentedAttribute[str] | InstrumentedAttribute[str | None]
) -> ColumnElement[bool]:
    """The condition on rows that ``ref`` may mean: one of their ``names`` in full, or an end of their id, dashes or not."""
    ways: list[ColumnElement[bool]] = [name == ref for name in names]
    digits = ref.replace("-", "").lower()
    if _DIGITS.fullmatch(digits):
        ways.append(ids.between(UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))))
        ways.append(func.right(func.replace(cast(ids, Text), "-", ""), len(digits)) == digits)
    return or_(False, *ways)
