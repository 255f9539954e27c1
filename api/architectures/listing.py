"""The query of the list of networks: which are shown, in which order, from where on."""

from __future__ import annotations

import json
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from api.pagination import Cursor, Ref, decode, encode, invalid_cursor
from dna_engine.spec.count import Count
from store.architecture_lists import Place, Sort, Which
from store.filters import Span
from store.states import Role

#: Of a figure in a cursor: what a column of the database holds.
_LARGEST = 2**62

_Least = Annotated[Count | None, Query(description="This many at least, such as 5000000 or 5M.")]
_Most = Annotated[Count | None, Query(description="This many at most.")]
_Share = Annotated[float | None, Query(ge=0, le=1, description="Of the test accuracy that its search has reached.")]

Order = Annotated[
    Sort,
    Query(
        description="What they are ordered by; with - the largest or newest first. What has no such figure comes last."
    ),
]


async def _which(
    search: Annotated[UUID | None, Query(description="Only networks of this search.")] = None,
    role: Annotated[Role | None, Query(description="Only networks of this role.")] = None,
    dataset: Annotated[
        str | None, Query(max_length=200, description="Only networks that were found or trained on this dataset.")
    ] = None,
    ref: Ref = None,
    flops_min: _Least = None,
    flops_max: _Most = None,
    params_min: _Least = None,
    params_max: _Most = None,
    accuracy_min: _Share = None,
    accuracy_max: _Share = None,
) -> Which:
    return Which(
        search_id=search,
        role=role,
        dataset=dataset,
        flops=Span(flops_min, flops_max),
        params=Span(params_min, params_max),
        accuracy=Span(accuracy_min, accuracy_max),
        ref=ref,
    )


WhichDep = Annotated[Which, Depends(_which)]


async def _after(sort: Order = "-created", cursor: Cursor = None) -> Place | None:
    """The place in a cursor, which is one of lists of that order alone.

    Raises:
        Invalid: it is none.
    """
    if cursor is None:
        return None
    try:
        of, value, last = json.loads(decode(cursor))
        if of != sort or not (value is None or (type(value) in (int, float) and abs(value) <= _LARGEST)):
            raise ValueError  # NaN and infinity are read too, and are no figures.
        return Place(value, UUID(last))
    except (ValueError, TypeError, AttributeError) as error:
        raise invalid_cursor() from error


AfterDep = Annotated[Place | None, Depends(_after)]


def cursor_of(sort: Sort, place: Place | None) -> str | None:
    """The cursor that continues behind a place."""
    return encode(json.dumps([sort, place.value, str(place.id)])) if place else None
