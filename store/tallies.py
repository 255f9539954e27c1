"""Figures that only grow: how often something has happened, and how long it took, counted in the transaction in which it does.

So what is rolled back is not counted, what is committed is counted once, and no counter goes back when the job is deleted that it tells of.
Nobody waits for another's row: each time has a row of its own, which :func:`fold` adds to the others of its kind, now and then. They are the
same whichever process is asked.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from dna_engine.errors import EngineError
from dna_engine.plans import Kind
from store.states import FINISHED, JobKind
from store.tables import Tally


@dataclass(frozen=True)
class Figure:
    """What is counted.

    Attributes:
        labels: names of what tells its series apart. Each takes few values, none of which a user may choose.
        bounds: of the buckets, in seconds, for what takes time; empty for what is only counted.
        always: labels of series that are there before anything has happened: who asks by how much a counter has grown misses what made it.
    """

    name: str
    says: str
    labels: tuple[str, ...]
    bounds: tuple[float, ...] = ()
    always: tuple[tuple[str, ...], ...] = ()


_MINUTE, _HOUR = 60.0, 3600.0
_OF_WORK = (1.0, 5.0, 15.0, *(_MINUTE * n for n in (1, 5, 15)), *(_HOUR * n for n in (1, 4, 12, 48)))

STEP_SECONDS = Figure(
    "dna_step_seconds",
    "From claim to end, of each attempt at a step.",
    ("kind", "outcome"),
    _OF_WORK,
    always=tuple((kind, "failed") for kind in Kind),
)
STEP_FAILURES = Figure("dna_step_failures", "Attempts at steps that failed.", ("kind", "code"))
STEP_RETRIES = Figure(
    "dna_step_retries", "Attempts that failed and are made again.", ("kind",), always=tuple((kind,) for kind in Kind)
)
JOB_SECONDS = Figure(
    "dna_job_seconds",
    "From its request to its end, of each job that ended.",
    ("kind", "state"),
    _OF_WORK,
    always=tuple(product(JobKind, sorted(FINISHED))),
)
WEBHOOK_SECONDS = Figure(
    "dna_webhook_seconds",
    "Of each attempt to send a message to a webhook.",
    ("outcome",),
    (0.1, 0.5, 1.0, 5.0, 15.0),
    always=(("delivered",), ("retried",), ("failed",)),
)

FIGURES = (STEP_SECONDS, STEP_FAILURES, STEP_RETRIES, JOB_SECONDS, WEBHOOK_SECONDS)

#: Codes of errors that the engine does not name. Those that are in neither place are counted as :data:`OTHER_CODE`.
_CODES_OF_THE_SERVICE = frozenset(
    {
        "bad_input",
        "database_error",
        "engine_crashed",
        "engine_incomplete",
        "engine_killed",
        "unreadable_step",
        "worker_error",
        "worker_lost",
    }
)
OTHER_CODE = "other"


def observe(session: Session, figure: Figure, *labels: str, seconds: float = 0.0) -> None:
    """It has happened once more, and took so long."""
    assert len(labels) == len(figure.labels)
    place = bisect_left(figure.bounds, seconds)
    bound = figure.bounds[place] if place < len(figure.bounds) else math.inf
    session.add(Tally(figure=figure.name, labels=[str(label) for label in labels], bound=bound, count=1, total=seconds))


def code_of(error: Mapping[str, object]) -> str:
    """The code of an error, of those there are."""
    code = error.get("code")
    return code if isinstance(code, str) and code in _CODES_OF_THE_SERVICE | _codes(EngineError) else OTHER_CODE


def _codes(kind: type[EngineError]) -> frozenset[str]:
    below = (_codes(each) for each in kind.__subclasses__())
    return frozenset({kind.__dict__.get("code", EngineError.code)}).union(*below)


@dataclass
class Series:
    """What was observed under some labels.

    Attributes:
        buckets: how often it was at most the bound and above the one before, by bound.
    """

    buckets: dict[float, int] = field(default_factory=lambda: defaultdict(int))
    total: float = 0.0

    @property
    def count(self) -> int:
        return sum(self.buckets.values())


def read(session: Session, figures: Sequence[Figure] = FIGURES) -> Mapping[Figure, Mapping[tuple[str, ...], Series]]:
    """All that was counted since the database was made."""
    known = {figure.name: figure for figure in figures}
    found = {figure: defaultdict(Series, {labels: Series() for labels in figure.always}) for figure in figures}
    by = (Tally.figure, Tally.labels, Tally.bound)
    sums = select(*by, func.sum(Tally.count), func.sum(Tally.total)).where(Tally.figure.in_(known)).group_by(*by)
    for name, labels, bound, count, total in session.execute(sums):
        series = found[known[name]][tuple(labels)]
        series.buckets[bound] += int(count)
        series.total += total
    return found


def fold(session: Session) -> None:
    """Makes one row of those that tell of the same. In one statement, so that who reads meanwhile finds either those or this one."""
    gone = delete(Tally).returning(Tally.figure, Tally.labels, Tally.bound, Tally.count, Tally.total).cte("gone")
    by = (gone.c.figure, gone.c.labels, gone.c.bound)
    sums = select(*by, func.sum(gone.c.count), func.sum(gone.c.total)).group_by(*by)
    session.execute(insert(Tally).from_select(["figure", "labels", "bound", "count", "total"], sums))
