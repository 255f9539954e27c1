"""What there is to read of a dataset beside its row: its classes, its report, a few of its pictures."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any
from uuid import UUID

from sqlalchemy.orm import Session

from api.datasets.schemas import DatasetOut, ReportOut, SampleOut, Samples
from api.errors import Conflict, NotFound
from dna_engine.images.check.report import ClassCount
from dna_engine.images.check.samples import read_index, read_sample
from dna_engine.images.info import BUILTIN
from dna_engine.images.shipped import class_counts, sample_archive
from dna_engine.plans.files import SAMPLES
from dna_engine.plans.steps import CPU_QUEUE
from store import artifacts, datasets
from store.blobs import BlobStore
from store.states import DatasetState
from store.tables import Dataset
from store.waiting import Queues, unmanned


def shown(session: Session, found: Sequence[Dataset], look: Callable[[Collection[UUID]], Queues]) -> list[DatasetOut]:
    """Datasets as they are answered, with how far the checks are that are under way.

    Args:
        look: the queues, as far as they matter to these jobs.
    """
    checks = datasets.checks(session, found)
    if not checks:
        return [DatasetOut.of(dataset) for dataset in found]
    queues = look(list(checks))
    lacking = unmanned(queues.live, [CPU_QUEUE])
    return [DatasetOut.of(each, checks.get(each.id), queues.wait(each.id), lacking) for each in found]


def report(dataset: Dataset) -> ReportOut:
    """What its check has found.

    Raises:
        Conflict: it has not ended.
        NotFound: it was never checked.
    """
    return ReportOut.of(_kept_report(dataset))


def classes(dataset: Dataset) -> list[ClassCount]:
    """Its classes in the order of their numbers, with the counts of a dataset that was checked or ships with the engine."""
    if dataset.report is not None:
        return [ClassCount.model_validate(counted) for counted in dataset.report["classes"]]
    if dataset.name in BUILTIN:
        return class_counts(dataset.name)
    return [ClassCount(name=name, images={}) for name in dataset.info.get("class_names", [])]


def samples(session: Session, blobs: BlobStore, dataset: Dataset, class_name: str) -> Samples:
    """A few pictures of a class.

    Raises:
        NotFound: it has no such class, or no pictures are kept of it.
        Conflict: it is being checked.
    """
    names = [counted.name for counted in classes(dataset)]
    if class_name not in names and dataset.state != DatasetState.CHECKING:
        raise NotFound(
            f"{dataset.name} has no class {class_name[:100]!r}; GET /datasets/{dataset.name}/classes lists them."
        )
    with _archive(session, blobs, dataset) as archive:
        label = names.index(class_name)
        items = [
            SampleOut(**sample.model_dump(), url=f"/datasets/{dataset.id}/samples/{label}/{number}")
            for number, sample in enumerate(read_index(archive)[label])
        ]
    return Samples.model_validate({"class": class_name, "items": items})


def sample(session: Session, blobs: BlobStore, dataset: Dataset, label: int, number: int) -> bytes:
    """One of them, as a JPEG.

    Raises:
        NotFound: there is none of that number.
        Conflict: it is being checked.
    """
    with _archive(session, blobs, dataset) as archive:
        found = read_sample(archive, label, number)
    if found is None:
        raise NotFound("There is no such picture.")
    return found


@contextmanager
def _archive(session: Session, blobs: BlobStore, dataset: Dataset) -> Iterator[IO[bytes]]:
    if dataset.name in BUILTIN:
        yield io.BytesIO(sample_archive(dataset.name))
        return
    stored = artifacts.named(session, dataset.id, [SAMPLES]).get(SAMPLES)
    if stored is None:
        _kept_report(dataset)
        raise NotFound(f"No pictures are kept of {dataset.name}.")
    with blobs.opened(artifacts.blob(stored)) as archive:
        yield archive


def _kept_report(dataset: Dataset) -> dict[str, Any]:
    if dataset.report is not None:
        return dataset.report
    if dataset.state == DatasetState.CHECKING:
        raise Conflict(
            f"{dataset.name} is being checked; its report comes at the end (GET /datasets/{dataset.id}/events)."
        )
    raise NotFound(f"There is no report on {dataset.name}: it was not checked.")
