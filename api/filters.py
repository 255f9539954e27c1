"""Parameters by which lists of several kinds are narrowed."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Query
from pydantic import AfterValidator, BeforeValidator


def _utc(moment: datetime) -> datetime:
    """A time without a zone is meant in UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _written(moment: str) -> str:
    """A number is none: nothing says from when it counts, and in what. And of a URL a plus is read as a space."""
    if re.search(r":\d\d(\.\d+)? \d\d:?\d\d$", moment):
        raise ValueError("in a URL + stands for a space: write %2B for it, as in 2026-01-31T12:00:00%2B01:00")
    if re.fullmatch(r"\s*[-+]?[\d_.]+(e[-+]?\d+)?\s*", moment, re.IGNORECASE):
        raise ValueError("write a time as 2026-01-31T12:00:00Z, or a day as 2026-01-31")
    return moment


Moment = Annotated[datetime, BeforeValidator(_written), AfterValidator(_utc)]
Part = Annotated[str | None, Query(max_length=200, description="Part of a name, whatever the case.")]
OfProject = Annotated[
    str | None,
    Query(
        max_length=200,
        description="Only what is of the project of that name. Who is no admin sees none but its own, and an empty list of any other, whether "
        "or not there is one.",
    ),
]
After = Annotated[Moment | None, Query(description="At that time or later (RFC 3339; without a zone in UTC).")]
Before = Annotated[Moment | None, Query(description="Before that time (RFC 3339; without a zone in UTC).")]
