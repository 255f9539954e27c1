"""Rows of searches: making, reading, listing, deleting. How one moves through its phases is in ``store.flow``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from dna_engine.plans.steps import Kind, phase_steps
from dna_engine.spec import ResolvedSpec, SearchSpec
from store import events, steps
from store.columns import new_id
from store.errors import IllegalTransition, NotFound
from store.events import NewEvent
from store.files import release
from store.pages import Page, page
from store.refs import meant
from store.states import FINISHED, EventType, SearchState
from store.tables import Artifact, Search


def create(session: Session, spec: SearchSpec, resolved: ResolvedSpec, *, max_attempts: int) -> Search:
    """A queued search with the steps of its first phase, their wakes and its first event: all or nothing."""
    search = Search(
        id=new_id(),
        name=resolved.name,
        spec=spec.model_dump(mode="json", exclude_unset=True),
        resolved=resolved.model_dump(mode="json"),
        labels=resolved.labels,
        dataset=resolved.dataset.name,
        seed=resolved.seed,
    )
    session.add(search)
    session.flush()
    steps.add(session, search, phase_steps(Kind.TEACHER, resolved, []), max_attempts=max_attempts)
    announce(session, search)
    return search


def announce(session: Session, search: Search) -> None:
    """An event with what people watch of the search."""
    data = {
        "state": search.state,
        "phase": search.phase,
        "cancel_requested": search.cancel_requested,
        "error": search.error,
    }
    events.append(session, search.id, [NewEvent(EventType.STATE, data)])


def get(session: Session, search_id: UUID) -> Search:
    """The search, its ``steps`` loaded.

    Raises:
        NotFound: there is none of that id.
    """
    search = session.scalar(select(Search).where(Search.id == search_id).options(selectinload(Search.steps)))
    if search is None:
        raise NotFound("search", search_id)
    return search


def state(session: Session, search_id: UUID) -> SearchState:
    """The state alone, as it is now.

    Raises:
        NotFound: there is none of that id.
    """
    found = session.scalar(select(Search.state).where(Search.id == search_id))
    if found is None:
        raise NotFound("search", search_id)
    return found


@dataclass(frozen=True)
class End:
    """How far a search has come: the number of its last event, and whether none is to follow."""

    seq: int
    finished: bool


def ends(session: Session, ids: Sequence[UUID]) -> dict[UUID, End]:
    """The ends of those of the searches that exist."""
    rows = session.execute(select(Search.id, Search.event_seq, Search.state).where(Search.id.in_(ids)))
    return {search_id: End(seq, state in FINISHED) for search_id, seq, state in rows}


def with_work(session: Session, ids: Sequence[UUID]) -> set[UUID]:
    """Those of the searches that may have work to do, now or after a resume: neither succeeded nor deleted."""
    query = select(Search.id).where(Search.id.in_(ids), Search.state != SearchState.SUCCEEDED)
    return set(session.scalars(query))


def lock(session: Session, search_id: UUID) -> Search:
    """The search as it is now, locked until the transaction ends. Take it before any lock on its steps.

    The lock lets others refer to the row meanwhile (a worker's beat names its step), but not change it.

    Raises:
        NotFound: there is none of that id.
    """
    query = (
        select(Search)
        .where(Search.id == search_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    search = session.scalar(query)
    if search is None:
        raise NotFound("search", search_id)
    return search


@dataclass(frozen=True)
class Filter:
    """Which searches a list shows; every label given must be equal. ``ref`` is a name or an end of an id."""

    ref: str | None = None
    state: SearchState | None = None
    dataset: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


def listing(session: Session, where: Filter, *, after: UUID | None = None, limit: int = 20) -> Page[Search]:
    """A page of searches, newest first, without their steps."""
    query = select(Search)
    if where.ref is not None:
        query = query.where(meant(where.ref, Search.id, Search.name))
    if where.state is not None:
        query = query.where(Search.state == where.state)
    if where.dataset is not None:
        query = query.where(Search.dataset == where.dataset)
    if where.labels:
        query = query.where(Search.labels.contains(dict(where.labels)))
    return page(session, query, Search.id, after=after, limit=limit)


def delete(session: Session, search_id: UUID) -> list[str]:
    """Deletes a finished search and all that belongs to it; returns the locations of its files.

    The caller discards those after the commit: a file without a row is waste, a row without a file is a lie.

    Raises:
        NotFound: there is none of that id.
        IllegalTransition: it is not finished.
    """
    search = lock(session, search_id)
    if search.state not in FINISHED:
        raise IllegalTransition(f"The search is {search.state}. Cancel it, then delete it.")
    locations = list(session.scalars(select(Artifact.location).where(Artifact.search_id == search_id)))
    session.delete(search)
    session.flush()
    release(session, locations)
    return locations
