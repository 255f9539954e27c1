"""Rows of datasets: versions of a name, each checked once and never changed. Those that ship with the engine are put in by
:func:`ensure_builtin`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Integer, and_, cast, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from dna_engine.errors import InvalidSpec, UnknownName
from dna_engine.images.check.report import Level
from dna_engine.images.info import BUILTIN, DatasetInfo
from dna_engine.plans.files import IMAGES, SAMPLES, SENT
from dna_engine.plans.results import Checked
from dna_engine.spec import ResolvedCheck
from store import artifacts, changes, jobs, quotas
from store.actors import actor_of, signature
from store.artifacts import StoredFile
from store.blobs import Blob
from store.columns import Json, new_id
from store.errors import IllegalTransition, NameTaken, NotFound, QuotaSpent
from store.files import adopt, release
from store.filters import Period, holds
from store.order import At, Key, Order, Page, page
from store.owned import EVERYBODYS
from store.projects import of_project
from store.refs import meant, named
from store.states import FINISHED, DatasetState, JobKind
from store.tables import Artifact, CheckJob, Dataset, Job

#: A dataset as people write it: its name, and the version where the newest is not meant.
_REF = re.compile(r"(?P<name>[^@]+)(@(?P<version>[1-9]\d{0,8}))?")
#: Errors of a check that are told in a sentence; the others are in the report.
_TOLD = 3


#: Kinds whose images, or the index of these, are stored here: workers unpack them where they work.
LAID_DOWN = frozenset({"upload", "shards"})


def ensure_builtin(session: Session) -> None:
    """Rows for the built-in datasets, up to date. Safe to call at every start and by several processes at once."""
    for info in BUILTIN.values():
        content = {"info": info.model_dump(mode="json"), "fingerprint": fingerprint(info)}
        about = {"project_id": EVERYBODYS, "name": info.name, "version": 1}
        row = insert(Dataset).values(id=new_id(), **about, state=DatasetState.READY, **content)
        session.execute(row.on_conflict_do_update(index_elements=list(about), set_=content))


def fingerprint(info: DatasetInfo) -> str:
    """SHA-256 of the description: for data whose images a name already fixes."""
    return hashlib.sha256(info.model_dump_json(exclude={"version"}).encode()).hexdigest()


def create(session: Session, info: DatasetInfo, *, fingerprint: str, archive: Blob | None = None) -> Dataset:
    """A dataset that can be used at once: the next version of its name.

    Args:
        archive: of an uploaded one, the stored tar that workers unpack.

    Raises:
        NameTaken: a dataset of that name ships with the service.
    """
    version = next_version(session, info.name)
    info = info.model_copy(update={"version": version})
    about = {"name": info.name, "version": version, "info": info.model_dump(mode="json")}
    dataset = Dataset(id=new_id(), **about, **signature(session))
    dataset.fingerprint = fingerprint
    if archive is not None:
        adopt(session, [archive.location])
        dataset.archive = archive.to_json()
    session.add(dataset)
    session.flush()
    return dataset


def begin(session: Session, spec: ResolvedCheck, sent: Blob | None, *, max_attempts: int) -> Dataset:
    """A dataset whose check is queued. ``sent`` is the archive, where the images are no folder of the server."""
    job = CheckJob(id=new_id(), spec={})
    jobs.add(session, job, spec, max_attempts=max_attempts)
    if sent is not None:
        artifacts.record(session, job.id, [StoredFile(SENT, sent)])
    about = {"name": spec.name, "version": spec.version, "info": {"kind": spec.kind}}
    dataset = Dataset(id=job.id, **about, state=DatasetState.CHECKING, **signature(session))
    session.add(dataset)
    session.flush()
    return dataset


def check_free(name: str) -> None:
    """Asks before any work whether datasets of that name may be made.

    Raises:
        NameTaken: one of that name ships with the service.
    """
    if name in BUILTIN:
        raise NameTaken("dataset", name)


def next_version(session: Session, name: str) -> int:
    """For new images of the project under that name; nobody else is given the same before the transaction ends. A version that a job has used is
    not given again, though its dataset may be deleted.

    Raises:
        NameTaken: a dataset of that name ships with the service.
    """
    check_free(name)
    project_id = actor_of(session).project_id
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"dataset {project_id} {name}", 0))))
    used = func.max(Job.resolved["dataset"]["version"].astext.cast(Integer))
    known = [
        session.scalar(select(func.max(Dataset.version)).where(Dataset.name == name, Dataset.project_id == project_id)),
        session.scalar(select(used).where(Job.dataset == name, Job.project_id == project_id)),
    ]
    return 1 + max(version or 0 for version in known)


def record_check(session: Session, dataset_id: UUID, found: Checked) -> None:
    """The check has come to its end: the dataset is ready, or rejected for what was found, or since its key may not keep so much. What was sent is
    not kept, nor the images of what is rejected.

    The check's files are among those of its job already.
    """
    dataset = get(session, dataset_id)
    dataset.report = found.report.model_dump(mode="json")
    artifacts.remove(session, dataset_id, SENT)
    if found.info is None:
        reject(session, dataset_id, _refusal(found))
        return
    images = artifacts.named(session, dataset_id, [IMAGES]).get(IMAGES)
    try:
        if images:
            quotas.recount(session, dataset.key_id)
    except QuotaSpent as error:
        artifacts.remove(session, dataset_id, IMAGES, SAMPLES)
        reject(session, dataset_id, {"code": "quota", "message": error.message, "param": None})
        return
    dataset.info = found.info.model_dump(mode="json")
    dataset.fingerprint = found.fingerprint
    dataset.state = DatasetState.READY
    if images:
        dataset.archive = artifacts.blob(images).to_json()
    session.flush()


def reject(session: Session, dataset_id: UUID, error: Json) -> None:
    """The images cannot be used, or could not be checked.

    Args:
        error: ``code``, ``message`` and ``param``.
    """
    dataset = get(session, dataset_id)
    dataset.state = DatasetState.REJECTED
    dataset.error = {name: error.get(name) for name in ("code", "message", "param")}
    session.flush()


def _refusal(found: Checked) -> Json:
    errors = found.report.at(Level.ERROR)
    said = " ".join(error.sentence for error in errors[:_TOLD])
    return {"code": errors[0].code, "message": said, "param": found.param}


def get(session: Session, dataset_id: UUID) -> Dataset:
    """The dataset of that id.

    Raises:
        NotFound: there is none.
    """
    dataset = session.get(Dataset, dataset_id)
    if dataset is None:
        raise NotFound("dataset", dataset_id)
    return dataset


def find(session: Session, ref: str) -> Dataset:
    """The dataset of that id, or else of that name, as the project, or everybody, has it: ``birds@2``, or the newest ``birds``.

    Raises:
        NotFound: there is none.
    """
    if (written := _REF.fullmatch(ref)) is not None:
        called = and_(Dataset.name == written["name"], _named_here(session))
        if written["version"]:
            called = and_(called, Dataset.version == int(written["version"]))
        query = select(Dataset).order_by(Dataset.version.desc())
        if found := named(session, query, ref, Dataset.id, called):
            return found[0]
    raise NotFound("dataset", ref)


def _named_here(session: Session) -> ColumnElement[bool]:
    """Datasets that can be meant by their name, also by who sees every project's."""
    return Dataset.project_id.in_(_projects_named(session))


def _projects_named(session: Session) -> tuple[UUID, UUID]:
    return (actor_of(session).project_id, EVERYBODYS)


def ready(session: Session, ref: str) -> DatasetInfo:
    """What is known of the images of a dataset that can be used.

    Raises:
        UnknownName: there is none of that id or name; the message lists those that exist.
        InvalidSpec: it is another project's, which who sees every project may look at: it would not be held for a job of this one.
        IllegalTransition: it is not checked yet, or was rejected: an earlier version is not used in its place unless it is named.
    """
    try:
        dataset = find(session, ref)
    except NotFound as error:
        known = session.scalars(
            select(Dataset.name).where(Dataset.state == DatasetState.READY, _named_here(session)).distinct()
        )
        raise UnknownName("dataset", ref, known, param="dataset") from error
    if dataset.project_id not in _projects_named(session):
        raise InvalidSpec(
            f"The dataset {dataset.name}@{dataset.version} is another project's, and a job works on those of its own: ask with a key of that project, "
            "or send the images to this one too.",
            param="dataset",
        )
    if dataset.state == DatasetState.READY:
        return DatasetInfo.model_validate(dataset.info)
    raise IllegalTransition(_not_ready(dataset) + _earlier(session, dataset))


def _not_ready(dataset: Dataset) -> str:
    called = f"The dataset {dataset.name}@{dataset.version}"
    if dataset.state == DatasetState.CHECKING:
        return f"{called} is being checked. Wait until it is ready: GET /datasets/{dataset.id}/events tells when (dna dataset watch {dataset.name})."
    why = dataset.error["message"] if dataset.error else "its report says why."
    return f"{called} was rejected: {why}"


def _earlier(session: Session, dataset: Dataset) -> str:
    query = select(func.max(Dataset.version)).where(
        Dataset.project_id == dataset.project_id,
        Dataset.name == dataset.name,
        Dataset.version < dataset.version,
        Dataset.state == DatasetState.READY,
    )
    version = session.scalar(query)
    return f" Or name {dataset.name}@{version}, which is ready." if version else ""


def delete(session: Session, dataset: Dataset) -> list[str]:
    """Deletes a dataset, and its check; returns the locations of its files, which the caller discards after the commit.

    Jobs that have succeeded keep all they found. Images in a folder of the server are left alone. A check that runs stops.

    Raises:
        IllegalTransition: it ships with the service, or a job that is not finished needs it.
    """
    if dataset.name in BUILTIN:
        raise IllegalTransition(f"{dataset.name} ships with the service and stays.")
    used = Job.resolved["dataset"]["version"].astext.cast(Integer)
    unfinished = select(Job).where(
        Job.project_id == dataset.project_id,
        Job.dataset == dataset.name,
        Job.kind != JobKind.CHECK,
        Job.state.not_in(FINISHED),
        # Jobs of versions that knew none are on the first.
        or_(used == dataset.version, used.is_(None) & (dataset.version == 1)),
    )
    if (job := session.scalar(unfinished.limit(1))) is not None:
        raise IllegalTransition(
            f"{job.kind.capitalize()} {job.name!r} ({job.id}) works on {dataset.name}. Cancel it or let it end, then delete the dataset."
        )
    locations = set(session.scalars(select(Artifact.location).where(Artifact.job_id == dataset.id)))
    if dataset.archive:
        locations.add(dataset.archive["location"])
    changes.note(session, dataset.id, JobKind.CHECK, dataset.project_id)
    if (check := session.get(Job, dataset.id)) is not None:
        session.delete(check)
    session.delete(dataset)
    session.flush()
    release(session, sorted(locations))
    return sorted(locations)


def with_archive(session: Session, fingerprints: Sequence[str]) -> set[str]:
    """Those of the fingerprints whose images are still stored."""
    query = select(Dataset.fingerprint).where(Dataset.fingerprint.in_(fingerprints), Dataset.archive.is_not(None))
    return {found for found in session.scalars(query) if found is not None}


def archive_of(session: Session, fingerprint: str) -> Blob | None:
    """The stored tar of an uploaded dataset with these images."""
    rows = select(Dataset.archive).where(Dataset.fingerprint == fingerprint, Dataset.archive.is_not(None))
    found = session.scalar(rows.limit(1))
    return Blob.from_json(found) if found else None


def check_kept(session: Session, job: Job) -> None:
    """Looks whether workers will find the images of a job: not those that were sent here and deleted since.

    Raises:
        IllegalTransition: they will not.
    """
    images = job.resolved.get("dataset") or {}
    if images.get("kind") in LAID_DOWN and archive_of(session, images["location"]) is None:
        raise IllegalTransition(
            f"The dataset {images['name']}@{images.get('version', 1)} was deleted, and what is left to do needs its images. Send the same images again, under "
            "any name, and then resume; or make another of this on a dataset that there is: a clone."
        )


#: Every version by itself.
ORDER = Order(
    Dataset.id,
    {
        "name": Key(Dataset.name),
        "state": Key(Dataset.state),
        "images": Key(cast(Dataset.info["num_train"].astext, BigInteger), known=False),
        "classes": Key(cast(Dataset.info["num_classes"].astext, BigInteger), known=False),
    },
)


@dataclass(frozen=True)
class Which:
    """Which datasets a list shows: those that ``ref``, a name or an end of an id, may mean; with ``part`` in their names; in one of
    the states; of one of the kinds; made in a period; of a project.
    """

    ref: str | None = None
    part: str | None = None
    project: str | None = None
    states: Sequence[DatasetState] = ()
    kinds: Sequence[str] = ()
    created: Period = field(default_factory=Period)

    def conditions(self) -> list[ColumnElement[bool]]:
        found = self.created.of(Dataset.created_at)
        if self.ref is not None:
            name, _, version = self.ref.partition("@")
            found.append(meant(name, Dataset.id, Dataset.name))
            if version.isdecimal():
                found.append(Dataset.version == int(version[:9]))
        if self.part:
            found.append(holds(Dataset.name, self.part))
        if self.project is not None:
            found.append(of_project(Dataset, self.project))
        if self.states:
            found.append(Dataset.state.in_(self.states))
        if self.kinds:
            found.append(Dataset.info["kind"].astext.in_(self.kinds))
        return found


def listing(session: Session, which: Which, at: At) -> Page[Dataset]:
    """A page of datasets."""
    return page(session, select(Dataset).where(*which.conditions()), ORDER, at)


def checks(session: Session, found: Sequence[Dataset]) -> dict[UUID, Job]:
    """The checks of those that are not ready yet, by id."""
    ids = [dataset.id for dataset in found if dataset.state == DatasetState.CHECKING]
    return {job.id: job for job in session.scalars(select(Job).where(Job.id.in_(ids)))} if ids else {}
