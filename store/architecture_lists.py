"""Networks in lists: which are meant, and what they are ordered by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import Session

from store.filters import Filter, Period, Span, holds
from store.order import At, Key, Order, Page, page
from store.projects import of_project
from store.refs import meant
from store.states import Role
from store.tables import Architecture, Job, Training

ORDER = Order(
    Architecture.id,
    {
        "created": Key(Architecture.id),  # As it was called before.
        "name": Key(Architecture.name, known=False),
        "flops": Key(Architecture.flops),
        "params": Key(Architecture.params),
        "latency": Key(Architecture.latency_ns, known=False),
        "loss": Key(Architecture.loss, known=False),
        "accuracy": Key(Architecture.test_accuracy, known=False),
    },
)


@dataclass(frozen=True)
class Which:
    """Which networks a list shows: of a search, of some roles, found or trained on a dataset, within costs and accuracies, meant by
    ``ref``: a name or an end of an id; made in a period; with ``part`` in their names or those of
    their searches; of a project.
    """

    search_id: UUID | None = None
    roles: Sequence[Role] = ()
    dataset: str | None = None
    flops: Span = field(default_factory=Span)
    params: Span = field(default_factory=Span)
    latency_ns: Span = field(default_factory=Span)
    created: Period = field(default_factory=Period)
    part: str | None = None
    project: str | None = None
    accuracy: Span = field(default_factory=Span)
    ref: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        found = [
            *self.flops.of(Architecture.flops),
            *self.params.of(Architecture.params),
            *self.latency_ns.of(Architecture.latency_ns),
            *self.created.of(Architecture.created_at),
            *self.accuracy.of(Architecture.test_accuracy),
        ]
        if self.search_id is not None:
            found.append(Architecture.search_id == self.search_id)
        if self.roles:
            found.append(Architecture.role.in_(self.roles))
        if self.part:
            searches = select(Job.id).where(holds(Job.name, self.part))
            found.append(or_(holds(Architecture.name, self.part), Architecture.search_id.in_(searches)))
        if self.project is not None:
            found.append(of_project(Architecture, self.project))
        if self.dataset is not None:
            found.append(_on(self.dataset))
        if self.ref is not None:
            found.append(meant(self.ref, Architecture.id, Architecture.name))
        return found


def listing(session: Session, which: Which, at: At) -> Page[Architecture]:
    """A page of networks."""
    return page(session, select(Architecture).where(*which.conditions()), ORDER, at)


def _on(dataset: str) -> ColumnElement[bool]:
    """Found by a search on the dataset, or trained on it."""
    jobs = Filter(dataset=dataset).of(select(Job.id))
    trained = exists().where(Training.architecture_id == Architecture.id, Training.job_id.in_(jobs))
    return or_(Architecture.search_id.in_(jobs), trained)
