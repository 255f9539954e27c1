"""The events of a job as a list: which of them are asked for, and in which order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Query
from sqlalchemy.orm import Session

from api.jobs.events import EventPage, shown
from api.pagination import Cursor, Limit, encode, position
from store import events
from store.events import Wanted
from store.states import EventType

After = Annotated[int, Query(ge=0, lt=2**63, description="Only events behind this number, such as the last one seen.")]
OfTypes = Annotated[
    list[EventType],
    Query(
        alias="type",
        max_length=len(EventType),
        description="Only events of this type; of several, where it is given again.",
    ),
]
OfStep = Annotated[str | None, Query(max_length=200, description="Only events of the step of this key.")]
InOrder = Annotated[
    Literal["seq", "-seq"],
    Query(
        description="`-seq`: the newest first, such as the end of a long log.",
        json_schema_extra={"x-enum-varnames": ["SEQ", "SEQ_DESC"]},
    ),
]


@dataclass(frozen=True)
class Asked:
    """A page that is asked for."""

    wanted: Wanted
    limit: int


async def _asked(
    after: After = 0,
    cursor: Cursor = None,
    limit: Limit = 50,
    types: OfTypes = [],  # noqa: B006
    step: OfStep = None,
    sort: InOrder = "seq",
) -> Asked:
    newest = sort == "-seq"
    begin = position(cursor) if cursor else None
    behind = after if newest or begin is None else begin
    return Asked(Wanted(after=behind, before=begin if newest else None, types=types, step=step, newest=newest), limit)


AskedDep = Annotated[Asked, Depends(_asked)]


def page(session: Session, job_id: UUID, asked: Asked) -> EventPage:
    """The events of a job that are asked for."""
    rows = events.wanted(session, job_id, asked.wanted, limit=asked.limit + 1)
    more = encode(str(rows[asked.limit - 1].seq)) if len(rows) > asked.limit else None
    return EventPage(items=[shown(event) for event in rows[: asked.limit]], next=more)
