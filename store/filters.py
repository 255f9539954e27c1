"""Which rows a list shows: what people ask of jobs, and the parts that such questions are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, and_, cast, exists, func, literal, or_
from sqlalchemy.orm import InstrumentedAttribute

from dna_engine.spec import Priority
from store.columns import CheckedText
from store.order import Key
from store.owned import EVERYBODYS
from store.projects import of_project
from store.refs import meant, whole
from store.states import JobState
from store.tables import Dataset, Job

Row = TypeVar("Row")


@dataclass(frozen=True)
class Span:
    """From ``least`` to ``most``, both included; None for no limit."""

    least: float | None = None
    most: float | None = None

    def of(self, column: ColumnElement[Any] | InstrumentedAttribute[Any]) -> list[ColumnElement[bool]]:
        """The conditions on a column; what is not known lies in no span but the whole one."""
        least = [column >= self.least] if self.least is not None else []
        return [*least, column <= self.most] if self.most is not None else least


@dataclass(frozen=True)
class Period:
    """From ``after``, which is included, to ``before``, which is not; None for no limit."""

    after: datetime | None = None
    before: datetime | None = None

    def of(self, column: ColumnElement[Any] | InstrumentedAttribute[Any]) -> list[ColumnElement[bool]]:
        """The conditions on a column; what has not happened lies in no period but the whole one."""
        after = [column >= self.after] if self.after is not None else []
        return [*after, column < self.before] if self.before is not None else after


def holds(column: InstrumentedAttribute[Any], part: str) -> ColumnElement[bool]:
    """The condition that a text has that part, whatever the case."""
    return func.strpos(func.lower(column), literal(part.lower(), CheckedText())) > 0


@dataclass(frozen=True)
class Stands:
    """Where rows say how far they are that are jobs, or joined with them.

    Attributes:
        ids: theirs.
        in_states: the condition that one is in one of these states.
    """

    ids: InstrumentedAttribute[UUID]
    in_states: Callable[[Sequence[JobState]], ColumnElement[bool]]
    created_at: ColumnElement[datetime] | InstrumentedAttribute[datetime]
    finished_at: ColumnElement[Any] | InstrumentedAttribute[Any]


#: Of jobs themselves.
JOBS = Stands(Job.id, Job.state.in_, Job.created_at, Job.finished_at)


#: What jobs of every kind may be ordered by. ``progress`` has no index: it would be written with every beat of a worker.
JOB_KEYS = {
    "name": Key(Job.name),
    "state": Key(Job.state),
    "progress": Key(Job.progress),
    "finished_at": Key(Job.finished_at, known=False),
}


@dataclass(frozen=True)
class Filter:
    """Which jobs a list shows.

    Attributes:
        ref: a name in full, or an end of an id.
        part: of a name, whatever the case.
        project: the name of theirs.
        states: one of them; none for all.
        priorities: the same.
        dataset: a name, or one with its version, ``birds@2``, or an id.
        labels: every one must be equal.
        keys: of labels that a job must have, whatever they are.
    """

    ref: str | None = None
    part: str | None = None
    project: str | None = None
    states: Sequence[JobState] = ()
    priorities: Sequence[Priority] = ()
    dataset: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    keys: Sequence[str] = ()
    created: Period = field(default_factory=Period)
    finished: Period = field(default_factory=Period)

    def of(self, query: Select[Row], rows: Stands = JOBS) -> Select[Row]:
        """The rows of ``query`` that it lets through."""
        query = query.where(*self.created.of(rows.created_at), *self.finished.of(rows.finished_at))
        if self.states:
            query = query.where(rows.in_states(self.states))
        if self.priorities:
            query = query.where(Job.priority.in_(self.priorities))
        if self.ref is not None:
            query = query.where(meant(self.ref, rows.ids, Job.name))
        if self.part:
            query = query.where(holds(Job.name, self.part))
        if self.project is not None:
            query = query.where(of_project(Job, self.project))
        if self.dataset is not None:
            query = query.where(_on(self.dataset))
        if self.labels:
            query = query.where(Job.labels.contains(dict(self.labels)))
        return query.where(*(Job.labels.has_key(literal(key, CheckedText())) for key in self.keys))


def _on(dataset: str) -> ColumnElement[bool]:
    """Jobs on the dataset. Those of versions that knew none are on the first."""
    version_of = func.coalesce(Job.resolved["dataset"]["version"].astext, "1")
    name, _, version = dataset.partition("@")
    named = and_(Job.dataset == name, *([version_of == literal(version, CheckedText())] if version else []))
    if (dataset_id := whole(dataset)) is None:
        return named
    of_it = (Dataset.name == Job.dataset, Dataset.project_id.in_((Job.project_id, EVERYBODYS)))
    same = (Dataset.id == dataset_id, *of_it, cast(Dataset.version, Text) == version_of)
    return or_(named, exists().where(*same))
