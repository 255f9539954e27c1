"""How good a network is said to be: by which of its trainings.

That of the search that found it; where the search has not trained it, the best of its own on the images of that search, the same version of
the same dataset. Of a network without a search there are no such images: the newest of its trainings, whichever those are on. Accuracy and
dataset are kept in its row, which lists read, and are put right whenever a training has come to its accuracy or is deleted.

Trainings count that are of the network's project: an admin's may be of another, where names of datasets are other ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import and_, case, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased, contains_eager

from store.tables import Architecture, Job, Training

_SEARCH = aliased(Job)
_FOUND = _SEARCH.id.is_not(None)
_SAME_IMAGES = and_(
    *(Job.resolved["dataset"][part] == _SEARCH.resolved["dataset"][part] for part in ("name", "version"))
)


def deciding(session: Session, networks: Iterable[UUID]) -> dict[UUID, Training]:
    """The trainings, with their jobs, by which those of the networks are judged that have one."""
    query = (
        select(Training)
        .join(Training.job)
        .join(Architecture, Architecture.id == Training.architecture_id)
        .outerjoin(_SEARCH, _SEARCH.id == Architecture.search_id)
        .where(Training.architecture_id.in_(list(networks)), Training.test_accuracy.is_not(None))
        .where(Training.project_id == Architecture.project_id)
        .where(or_(~_FOUND, Training.job_id == _SEARCH.id, _SAME_IMAGES))
        .ext(distinct_on(Training.architecture_id))
        .order_by(
            Training.architecture_id,
            case((Training.job_id == _SEARCH.id, 0), else_=1),
            case((_FOUND, Training.test_accuracy)).desc(),
            Training.id.desc(),
        )
        .options(contains_eager(Training.job))
    )
    return {training.architecture_id: training for training in session.scalars(query) if training.architecture_id}


def judged_by(session: Session, job_id: UUID) -> list[UUID]:
    """The networks that a training of this job may be the measure of, so locked that what is said of them changes in turns."""
    of_job = select(Training.architecture_id).where(Training.job_id == job_id)
    query = select(Architecture.id).where(Architecture.id.in_(of_job)).order_by(Architecture.id)
    return list(session.scalars(query.with_for_update(key_share=True)))


def settle(session: Session, networks: Iterable[UUID]) -> None:
    """Says of networks, which are locked, how good they are by the trainings that there are now."""
    ids = list(networks)
    found = deciding(session, ids)
    for network in session.scalars(select(Architecture).where(Architecture.id.in_(ids))):
        training = found.get(network.id)
        network.test_accuracy = training.test_accuracy if training else None
        network.test_dataset = training.job.dataset if training else None
        network.test_training_id = training.id if training else None
    session.flush()
