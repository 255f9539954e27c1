"""Rows of searches: making, reading, listing. What they share with other jobs is in ``store.jobs``."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Double, cast, select
from sqlalchemy.orm import Session, defer, selectinload, undefer
from sqlalchemy.types import TypeEngine

from dna_engine.plans import Kind
from dna_engine.spec import ResolvedSpec, SearchSpec
from store import given, jobs
from store.columns import Json, new_id
from store.errors import NotFound
from store.filters import JOB_KEYS, Filter
from store.order import At, Key, Order, Page, page
from store.revisions import SEARCH, Revision
from store.states import JobKind, StepState
from store.tables import Job, Search, Step

#: What a list tells of the resolved spec.
_SHOWN = (undefer(Search.teacher), undefer(Search.budget))


def create(
    session: Session,
    spec: SearchSpec,
    resolved: ResolvedSpec,
    *,
    max_attempts: int,
    cloned_from: UUID | None = None,
) -> Search:
    """A queued search with the steps of its first phase, their wakes and its first event: all or nothing.

    The files of a teacher that it is given are its own from now on.

    Raises:
        IllegalTransition: that teacher is gone.
    """
    search = Search(id=new_id(), spec=spec.model_dump(mode="json", exclude_unset=True), cloned_from=cloned_from)
    jobs.add(session, search, resolved, max_attempts=max_attempts)
    if resolved.teacher.given is not None:
        given.share(session, resolved.teacher.given, search.id)
    return search


def get(session: Session, search_id: UUID) -> Search:
    """The search, its ``steps`` loaded.

    Raises:
        NotFound: there is none of that id.
    """
    shown = (selectinload(Search.steps), *_SHOWN)
    search = session.scalar(select(Search).where(Search.id == search_id).options(*shown))
    if search is None:
        raise NotFound("search", search_id)
    return search


def selected(session: Session, search_id: UUID) -> Json | None:
    """What its step has found that selects; None before it has."""
    query = select(Step.values).where(
        Step.job_id == search_id, Step.kind == Kind.SELECT, Step.state == StepState.SUCCEEDED
    )
    return session.scalar(query)


def _best(cost: str, kind: type[TypeEngine[Any]]) -> Key:
    return Key(cast(Search.best[cost].astext, kind), known=False)


#: As jobs are ordered, and by the best network so far.
ORDER = Order(
    Job.id,
    {
        **JOB_KEYS,
        "accuracy": _best("test_accuracy", Double),
        "flops": _best("flops", BigInteger),
        "params": _best("params", BigInteger),
        "latency": _best("latency_ns", BigInteger),
    },
    joined=Search.__table__.c.id,
)


def listing(session: Session, where: Filter, at: At) -> Page[Revision]:
    """A page of searches: which they are, and what tells whether they have changed."""
    return page(session, where.of(select(SEARCH).where(Job.kind == JobKind.SEARCH)), ORDER, at)


def listed(session: Session, ids: Collection[UUID]) -> list[Search]:
    """Those of the searches that there are, with what a list shows of them."""
    query = select(Search).where(Search.id.in_(ids))
    return list(session.scalars(query.options(defer(Search.spec), defer(Search.resolved), *_SHOWN)))
