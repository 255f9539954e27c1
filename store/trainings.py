"""Rows of trainings. They are planned and filled in by ``store.results`` and follow their steps through ``store.flow``."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.errors import NotFound
from store.tables import Architecture, Training


def get(session: Session, training_id: UUID) -> Training:
    """The training of that id.

    Raises:
        NotFound: there is none.
    """
    training = session.get(Training, training_id)
    if training is None:
        raise NotFound("training", training_id)
    return training


def of_architecture(session: Session, architecture_id: UUID) -> list[Training]:
    """The trainings of a network, oldest first."""
    query = select(Training).where(Training.architecture_id == architecture_id).order_by(Training.id)
    return list(session.scalars(query))


def of_search(session: Session, search_id: UUID) -> list[Training]:
    """The trainings of all networks of a search, oldest first."""
    query = select(Training).join(Architecture, Architecture.id == Training.architecture_id)
    return list(session.scalars(query.where(Architecture.search_id == search_id).order_by(Training.id)))
