"""Which rows a person means who writes a name, or the beginning or the end of an id instead of the whole.

Ids are UUIDv7: those of one day begin alike, and their last digits are random. So people are shown the last ones.
"""

from __future__ import annotations

import re
from uuid import UUID

from sqlalchemy import ColumnElement, Text, cast, func, or_
from sqlalchemy.orm import InstrumentedAttribute

#: Fewer digits of an id are no reference to it.
FEWEST = 4

_DIGITS = re.compile(rf"[0-9a-f]{{{FEWEST},32}}")


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
