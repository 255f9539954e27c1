"""Rows of teachers that were sent. What timm offers is in the engine's catalogue."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import and_, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from store.actors import own, signature
from store.blobs import Blob
from store.columns import new_id
from store.errors import NameTaken, NotFound
from store.files import adopt, release
from store.projects import of_project
from store.refs import named
from store.tables import Teacher


def create(
    session: Session,
    name: str,
    model: str,
    *,
    num_classes: int,
    mean: Sequence[float],
    std: Sequence[float],
    weights: Blob,
    about: Blob,
) -> Teacher:
    """A teacher that a search can begin with at once.

    Args:
        mean, std: normalisation of the images that its weights are for.
        about: what ``teacher.json`` says of it.

    Raises:
        NameTaken: the project has one of that name.
    """
    adopt(session, [weights.location, about.location])
    statement = (
        insert(Teacher)
        .values(
            id=new_id(),
            name=name,
            model=model,
            num_classes=num_classes,
            mean=list(mean),
            std=list(std),
            weights=weights.to_json(),
            about=about.to_json(),
            **signature(session),
        )
        .on_conflict_do_nothing(index_elements=["project_id", "name"])
        .returning(Teacher)
    )
    teacher = session.scalar(statement)
    if teacher is None:
        raise NameTaken("teacher", name)
    return teacher


def check_free(session: Session, name: str) -> None:
    """Asks before any work whether :func:`create` may succeed.

    Raises:
        NameTaken: the project has one of that name.
    """
    if session.scalar(select(Teacher.id).where(Teacher.name == name, own(session, Teacher))) is not None:
        raise NameTaken("teacher", name)


def find(session: Session, ref: str, *, hold: bool = False) -> Teacher:
    """The teacher of that id, or else of that name.

    Args:
        hold: nobody deletes it until the transaction ends.

    Raises:
        NotFound: there is none.
    """
    query = select(Teacher).with_for_update(read=True, key_share=True) if hold else select(Teacher)
    found = named(session, query, ref, Teacher.id, and_(Teacher.name == ref, own(session, Teacher)))
    if not found:
        raise NotFound("teacher", ref)
    return found[0]


def delete(session: Session, teacher: Teacher) -> list[str]:
    """Deletes a teacher; returns the locations of its files, which the caller discards after the commit.

    Searches that begin with it have its files by rows of their own.
    """
    locations = [str(teacher.weights["location"]), str(teacher.about["location"])]
    session.delete(teacher)
    session.flush()
    release(session, locations)
    return locations


def listing(
    session: Session,
    part: str,
    models: Collection[str],
    *,
    project: str | None,
    after: str | None,
    descending: bool,
    limit: int,
) -> list[Teacher]:
    """Teachers by name, or against it, from behind ``after`` on, whose name holds ``part`` or whose model is one of those;
    of a project, where its name is given."""
    name = Teacher.name.collate("C")  # As Python orders the names of the catalogue.
    meant = or_(func.strpos(func.lower(Teacher.name), part) > 0, func.split_part(Teacher.model, ".", 1).in_(models))
    query = select(Teacher).where(meant).order_by(name.desc() if descending else name)
    if project is not None:
        query = query.where(of_project(Teacher, project))
    if after is not None:
        query = query.where(name < after if descending else name > after)
    return list(session.scalars(query.limit(limit)))
