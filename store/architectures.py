"""Rows of networks: those a search found, and those chosen afterwards from its ratings."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.columns import Json, new_id
from store.errors import NotFound
from store.pages import Page, page
from store.refs import meant
from store.states import Role
from store.tables import Architecture, Job


def get(session: Session, architecture_id: UUID) -> Architecture:
    """The network of that id.

    Raises:
        NotFound: there is none.
    """
    architecture = session.get(Architecture, architecture_id)
    if architecture is None:
        raise NotFound("architecture", architecture_id)
    return architecture


def hold(session: Session, architecture_id: UUID) -> Architecture:
    """The network of that id, which nobody deletes until the transaction ends, nor its search.

    Raises:
        NotFound: there is none.
    """
    lock = {"read": True, "key_share": True}
    # The job first, as whoever deletes it does.
    session.get(Job, get(session, architecture_id).search_id, with_for_update=lock)
    architecture = session.get(Architecture, architecture_id, with_for_update=lock)
    if architecture is None:
        raise NotFound("architecture", architecture_id)
    return architecture


def of_search(session: Session, search_id: UUID, *, role: Role | None = None) -> list[Architecture]:
    """The networks of a search, oldest first: the winner, its control, then those selected afterwards."""
    query = select(Architecture).where(Architecture.search_id == search_id).order_by(Architecture.id)
    if role is not None:
        query = query.where(Architecture.role == role)
    return list(session.scalars(query))


def listing(
    session: Session,
    *,
    search_id: UUID | None = None,
    ref: str | None = None,
    after: UUID | None = None,
    limit: int = 20,
) -> Page[Architecture]:
    """A page of networks, newest first: all, those of a search, those that an end of an id may mean."""
    query = select(Architecture)
    if search_id is not None:
        query = query.where(Architecture.search_id == search_id)
    if ref is not None:
        query = query.where(meant(ref, Architecture.id))
    return page(session, query, Architecture.id, after=after, limit=limit)


def select_network(
    session: Session,
    search_id: UUID,
    architecture: Json,
    *,
    loss: float,
    flops: int,
    params: int,
    latency_ns: int | None = None,
) -> Architecture:
    """Keeps a network chosen under another budget. The same one again gives the row that exists."""
    known = session.scalar(
        select(Architecture).where(Architecture.search_id == search_id, Architecture.architecture == architecture)
    )
    if known is not None:
        return known
    network = Architecture(
        id=new_id(),
        search_id=search_id,
        role=Role.SELECTED,
        architecture=architecture,
        loss=loss,
        flops=flops,
        params=params,
        latency_ns=latency_ns,
    )
    session.add(network)
    session.flush()
    return network
