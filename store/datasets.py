"""Rows of datasets. Those that ship with the engine are put in by :func:`ensure_builtin`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from dna_engine.errors import UnknownName
from dna_engine.images.info import BUILTIN, DatasetInfo
from store.blobs import Blob
from store.columns import new_id
from store.errors import IllegalTransition, NameTaken, NotFound
from store.files import adopt, release
from store.pages import Page, page
from store.refs import meant
from store.states import FINISHED, DatasetState
from store.tables import Dataset, Job


def ensure_builtin(session: Session) -> None:
    """Rows for the built-in datasets, up to date. Safe to call at every start and by several processes at once."""
    for info in BUILTIN.values():
        content = {"info": info.model_dump(mode="json"), "fingerprint": fingerprint(info)}
        row = insert(Dataset).values(id=new_id(), name=info.name, state=DatasetState.READY, **content)
        session.execute(row.on_conflict_do_update(index_elements=["name"], set_=content))


def fingerprint(info: DatasetInfo) -> str:
    """SHA-256 of the description: for data whose images a name already fixes."""
    return hashlib.sha256(info.model_dump_json().encode()).hexdigest()


def create(session: Session, info: DatasetInfo, *, fingerprint: str, archive: Blob | None = None) -> Dataset:
    """A dataset that can be used at once.

    Args:
        archive: of an uploaded one, the stored tar that workers unpack.

    Raises:
        NameTaken: a dataset of that name exists.
    """
    content = {"info": info.model_dump(mode="json"), "fingerprint": fingerprint}
    if archive is not None:
        adopt(session, [archive.location])
        content["archive"] = archive.to_json()
    statement = (
        insert(Dataset)
        .values(id=new_id(), name=info.name, **content)
        .on_conflict_do_nothing(index_elements=["name"])
        .returning(Dataset)
    )
    dataset = session.scalar(statement)
    if dataset is None:
        raise NameTaken("dataset", info.name)
    return dataset


def check_free(session: Session, name: str) -> None:
    """Asks before any work whether :func:`create` may succeed.

    Raises:
        NameTaken: a dataset of that name exists.
    """
    if session.scalar(select(Dataset.id).where(Dataset.name == name)) is not None:
        raise NameTaken("dataset", name)


def get(session: Session, dataset_id: UUID) -> Dataset:
    """The dataset of that id.

    Raises:
        NotFound: there is none.
    """
    dataset = session.get(Dataset, dataset_id)
    if dataset is None:
        raise NotFound("dataset", dataset_id)
    return dataset


def named(session: Session, name: str) -> Dataset:
    """The dataset of that name.

    Raises:
        NotFound: there is none.
    """
    dataset = session.scalar(select(Dataset).where(Dataset.name == name))
    if dataset is None:
        raise NotFound("dataset", name)
    return dataset


def ready(session: Session, name: str) -> DatasetInfo:
    """What is known of the images of a dataset that can be used.

    Raises:
        UnknownName: there is none of that name; the message lists those that exist.
    """
    dataset = session.scalar(select(Dataset).where(Dataset.name == name, Dataset.state == DatasetState.READY))
    if dataset is None:
        known = session.scalars(select(Dataset.name).where(Dataset.state == DatasetState.READY))
        raise UnknownName("dataset", name, known, param="dataset")
    return DatasetInfo.model_validate(dataset.info)


def delete(session: Session, dataset: Dataset) -> list[str]:
    """Deletes a dataset; returns the locations of its files, which the caller discards after the commit.

    Jobs that have succeeded keep all they found. Images in a folder of the server are left alone.

    Raises:
        IllegalTransition: it ships with the service, or a job that is not finished needs it.
    """
    if dataset.name in BUILTIN:
        raise IllegalTransition(f"{dataset.name} ships with the service and stays.")
    unfinished = select(Job).where(Job.dataset == dataset.name, Job.state.not_in(FINISHED))
    if (job := session.scalar(unfinished.limit(1))) is not None:
        raise IllegalTransition(
            f"{job.kind.capitalize()} {job.id} works on {dataset.name}. Cancel it or let it end, then delete the dataset."
        )
    session.delete(dataset)
    session.flush()
    locations = [dataset.archive["location"]] if dataset.archive else []
    release(session, locations)
    return locations


def with_archive(session: Session, fingerprints: Sequence[str]) -> set[str]:
    """Those of the fingerprints whose images are still stored."""
    query = select(Dataset.fingerprint).where(Dataset.fingerprint.in_(fingerprints), Dataset.archive.is_not(None))
    return {found for found in session.scalars(query) if found is not None}


def archive_of(session: Session, fingerprint: str) -> Blob | None:
    """The stored tar of an uploaded dataset with these images."""
    rows = select(Dataset.archive).where(Dataset.fingerprint == fingerprint, Dataset.archive.is_not(None))
    found = session.scalar(rows.limit(1))
    return Blob.from_json(found) if found else None


def listing(session: Session, *, ref: str | None = None, after: UUID | None = None, limit: int = 20) -> Page[Dataset]:
    """A page of datasets, newest first; with ``ref`` those that a name or an end of an id may mean."""
    query = select(Dataset)
    if ref is not None:
        query = query.where(meant(ref, Dataset.id, Dataset.name))
    return page(session, query, Dataset.id, after=after, limit=limit)
