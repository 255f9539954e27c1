"""Rows of networks: those a search found, those chosen afterwards from its ratings, those that were given."""

from __future__ import annotations

import hashlib
import json
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from dna_engine.space.architecture import PUBLISHED
from store.actors import own, signature
from store.columns import Json, new_id
from store.errors import IllegalTransition, NotFound
from store.refs import named
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
    """The network of that id, which nobody deletes until the transaction ends, nor its search, where it has one.

    Raises:
        NotFound: there is none.
    """
    lock = {"read": True, "key_share": True}
    search_id = get(session, architecture_id).search_id
    if search_id is not None:  # The job first, as whoever deletes it does.
        session.get(Job, search_id, with_for_update=lock)
    architecture = session.get(Architecture, architecture_id, with_for_update=lock)
    if architecture is None:
        raise NotFound("architecture", architecture_id)
    return architecture


def called(session: Session, ref: str) -> list[UUID]:
    """The network of that id, or else those that people of the project call so; at most two."""
    # A standard one has the name of its model, in every search that trains it.
    so = and_(Architecture.role != Role.REFERENCE, Architecture.name == ref, own(session, Architecture))
    found = named(session, select(Architecture).order_by(Architecture.id), ref, Architecture.id, so)
    return [network.id for network in found]


def rename(session: Session, architecture_id: UUID, name: str | None) -> None:
    """Calls a network so.

    Raises:
        NotFound: there is none of that id.
        IllegalTransition: it is known by another name: a published or a standard one.
    """
    network = _changed(session, architecture_id)
    if network.name in PUBLISHED or network.role is Role.REFERENCE:
        known = "standard" if network.role is Role.REFERENCE else "published"
        raise IllegalTransition(f"{network.name} is a {known} network, and keeps its name.")
    network.name = name
    session.flush()


def delete(session: Session, architecture_id: UUID) -> None:
    """Deletes a network that was given. Trainings and tunings of it keep what they have found, and go on.

    Raises:
        NotFound: there is none of that id.
        IllegalTransition: it was not given.
    """
    network = _changed(session, architecture_id)
    if network.role is not Role.GIVEN:
        raise IllegalTransition(f"This network is of the search {network.search_id}: it is deleted with that.")
    session.delete(network)
    session.flush()


def _changed(session: Session, architecture_id: UUID) -> Architecture:
    """The network, which nobody else changes until the transaction ends."""
    network = session.get(Architecture, architecture_id, with_for_update=True)
    if network is None:
        raise NotFound("architecture", architecture_id)
    return network


def of_search(
    session: Session, search_id: UUID, *, role: Role | None = None, limit: int | None = None
) -> list[Architecture]:
    """The networks of a search, oldest first: the winner, its control, then those selected afterwards."""
    query = select(Architecture).where(Architecture.search_id == search_id).order_by(Architecture.id).limit(limit)
    if role is not None:
        query = query.where(Architecture.role == role)
    return list(session.scalars(query))


def preprocessing(session: Session, search_id: UUID) -> Json:
    """How a picture becomes an input of the networks of a search, as its winner has it."""
    winner = (Architecture.search_id == search_id, Architecture.role == Role.WINNER)
    how: Json = session.scalars(select(Architecture.architecture["preprocessing"]).where(*winner)).one()
    return how


def select_network(
    session: Session,
    search_id: UUID,
    architecture: Json,
    *,
    loss: float,
    flops: int,
    params: int,
    latency_ns: int | None = None,
    name: str | None = None,
) -> Architecture:
    """Keeps a network chosen under another budget. The same one again gives the row that exists, by the new name if it gets one."""
    known = session.scalar(
        select(Architecture).where(Architecture.search_id == search_id, Architecture.architecture == architecture)
    )
    if known is not None:
        known.name = name or known.name
        session.flush()
        return known
    network = Architecture(
        id=new_id(),
        search_id=search_id,
        **signature(session) | {"project_id": _project_of(session, search_id)},
        role=Role.SELECTED,
        name=name,
        architecture=architecture,
        loss=loss,
        flops=flops,
        params=params,
        latency_ns=latency_ns,
    )
    session.add(network)
    session.flush()
    return network


def _project_of(session: Session, search_id: UUID) -> UUID:
    """Whoever selects from a search, its networks are of its project."""
    return session.scalars(select(Job.project_id).where(Job.id == search_id)).one()


def give(
    session: Session, architecture: Json, *, name: str | None, flops: int, params: int
) -> tuple[Architecture, bool]:
    """Keeps a network that was sent, and says whether it is new. The same one again gives the row that the project has, by its first
    name."""
    sha256 = hashlib.sha256(json.dumps(architecture, sort_keys=True).encode()).hexdigest()
    row = {"id": new_id(), "role": Role.GIVEN, "name": name, "architecture": architecture, "sha256": sha256}
    row |= signature(session)
    added = insert(Architecture).values(**row, flops=flops, params=params).on_conflict_do_nothing()
    new = session.scalar(added.returning(Architecture.id)) is not None
    kept = select(Architecture).where(Architecture.sha256 == sha256, own(session, Architecture))
    return session.scalars(kept).one(), new
