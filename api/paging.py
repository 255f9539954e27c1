"""Which page of a list in which order, as a query asks for it. A cursor holds the place behind which its page begins, and what list it is of:
in another order, or among other rows, that place says nothing.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import Query, Request

from api.errors import Invalid
from api.pagination import Cursor, Limit, decode, encode, invalid_cursor
from store.order import At, Key, Order, Place

#: Characters that say which rows a list is of.
_DIGEST = 12
#: A column of the database holds no larger whole number.
_LARGEST = 2**63


@dataclass(frozen=True)
class Paging:
    """A page that is asked for; ``of`` tells the filters of its list from others."""

    at: At
    of: str

    def cursor(self, place: Place | None) -> str | None:
        """The cursor that continues behind a place."""
        if place is None:
            return None
        value = place.value.isoformat() if isinstance(place.value, datetime) else place.value
        return encode(json.dumps([self.at.sort, self.of, value, str(place.id)], default=str, ensure_ascii=False))


def paged(order: Order) -> Callable[..., Awaitable[Paging]]:
    """The dependency for a list that is offered in these orders."""

    async def paging(
        request: Request,
        cursor: Cursor = None,
        limit: Limit = 50,
        sort: str = Query(
            order.default,
            description="What the list is ordered by; with - before it from the most to the least, or the newest first. What is not known "
            "comes last.",
            json_schema_extra={"enum": list(order.offered), **called(order.offered)},
        ),
    ) -> Paging:
        if sort not in order.offered:
            raise _no_such_order(sort, order)
        of = _digest(request)
        return Paging(At(sort, _place(cursor, sort, of, order.key(sort)) if cursor else None, limit), of)

    return paging


def called(orders: Sequence[str]) -> dict[str, Any]:
    """What generated clients call the orders, for the schema: with ``-`` before it none is a name."""
    names = [f"{order.removeprefix('-').upper()}{'_DESC' if order.startswith('-') else ''}" for order in orders]
    return {"x-enum-varnames": names}


def _digest(request: Request) -> str:
    """Of what narrows the list: all of the query but its order and what of it is on the page."""
    narrows = sorted(pair for pair in request.query_params.multi_items() if pair[0] not in ("cursor", "limit", "sort"))
    return hashlib.sha256(json.dumps([request.url.path, narrows]).encode()).hexdigest()[:_DIGEST]


def _place(cursor: str, sort: str, of: str, key: Key) -> Place:
    """The place in a cursor.

    Raises:
        Invalid: it is no cursor, or one of another list.
    """
    try:
        made_sort, made_of, value, row_id = json.loads(decode(cursor))
        if isinstance(made_sort, str) and made_sort != sort:
            raise other_list(
                f"This cursor goes on with a list that is sorted by {made_sort!r:.40}, and {sort} is asked for"
            )
        if isinstance(made_of, str) and made_of != of:
            raise other_list(
                "This cursor goes on with a list of other filters: pass those that its page was asked for with"
            )
        return Place(_value(value, key), UUID(row_id))
    except (ValueError, TypeError, AttributeError) as error:
        raise invalid_cursor() from error


def _value(value: Any, key: Key) -> Any:
    """What a cursor says of a column, as one of its values.

    Raises:
        ValueError, TypeError: it is none.
    """
    if value is None and not key.known:
        return None
    kind = key.column.type.python_type
    if kind in (int, float):
        if type(value) not in (int, kind) or not math.isfinite(value) or abs(value) >= _LARGEST:
            raise ValueError(value)
        return value
    if not isinstance(value, str):
        raise TypeError(value)
    if kind is datetime:
        return datetime.fromisoformat(value)
    return UUID(value) if kind is UUID else kind(value)


def other_list(detail: str) -> Invalid:
    """What a cursor of a list of another order, or of other rows, is answered with."""
    return Invalid(f"{detail}.", errors=[{"parameter": "cursor", "detail": detail}])


def _no_such_order(sort: str, order: Order) -> Invalid:
    near = difflib.get_close_matches(sort[:100], order.offered, n=1)
    meant = f" Did you mean {near[0]}?" if near else ""
    detail = f"The list is not offered in that order.{meant} There are {', '.join(order.offered)}"
    return Invalid(f"sort: {detail}.", errors=[{"parameter": "sort", "detail": detail}])
