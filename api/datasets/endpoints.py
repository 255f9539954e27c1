"""Routes of datasets: create, list, read, delete."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Depends, Path, Response
from fastapi.responses import JSONResponse
from sqlalchemy.orm import Session

from api.auth import authenticate
from api.body import UploadRoute
from api.datasets import service, upload
from api.datasets.schemas import DatasetOut
from api.deps import UPLOAD, ResourcesDep, SessionDep
from api.openapi import problems
from api.pagination import Page, Ref, RowPaging, encode
from dna_engine.disk import room_on
from store import datasets
from store.files import discard, drafts
from store.session import be_patient, transaction
from store.tables import Dataset

DatasetKey = Annotated[str, Path(max_length=200, description="Id or name.", examples=["digits"])]

router = APIRouter(
    prefix="/datasets",
    tags=["datasets"],
    dependencies=[Depends(authenticate)],
    responses=problems(401, 403, 422, 503),
)

#: Of its own, so that a caller is known, and no transaction open, before a large body is read.
uploads = APIRouter(
    prefix="/datasets", tags=["datasets"], route_class=UploadRoute, responses=problems(401, 403, 422, 503)
)


@uploads.post(
    "",
    status_code=201,
    response_model=DatasetOut,
    responses=problems(400, 409, 413, 507),
    openapi_extra=upload.FORM,
    dependencies=[Depends(authenticate), UPLOAD],
)
def create_dataset(sent: upload.SentDep, resources: ResourcesDep) -> Response:
    """Send images as one archive, or name a folder of the server. It can be searched on when the answer comes.

    Every image of an archive is opened once. Without `test/` (or `val/`), a fifth of every class becomes the test images. Nothing
    is kept of an archive that is refused.
    """

    def work() -> Response:
        dataset = DatasetOut.of(service.create(session, resources, written, sent))
        return JSONResponse(dataset.model_dump(mode="json"), 201, {"Location": f"/datasets/{dataset.id}"})

    with (
        room_on("the datasets (DNA_DATASETS)", resources.settings.datasets_dir),
        drafts(
            resources.sessions, resources.blobs, patience=timedelta(hours=resources.settings.orphan_hours)
        ) as written,
        transaction(resources.sessions) as session,
    ):
        be_patient(session)
        return sent.once.answer(session, work)


@router.get("", response_model=Page[DatasetOut])
def list_datasets(session: SessionDep, paging: RowPaging, ref: Ref = None) -> Page[DatasetOut]:
    """Datasets, newest first. `digits` (1,797 handwritten digits) is always there."""
    found = datasets.listing(session, ref=ref, after=paging.after, limit=paging.limit)
    items = [DatasetOut.of(dataset) for dataset in found.items]
    return Page(items=items, next=encode(str(found.next)) if found.next else None)


@router.get("/{dataset}", response_model=DatasetOut, responses=problems(404))
def get_dataset(dataset: DatasetKey, session: SessionDep) -> DatasetOut:
    """A dataset, by its id or its name."""
    return DatasetOut.of(_find(session, dataset))


@router.delete("/{dataset}", status_code=204, responses=problems(404, 409))
def delete_dataset(
    dataset: DatasetKey, session: SessionDep, resources: ResourcesDep, background: BackgroundTasks
) -> None:
    """Delete a dataset, and its images if they were sent. Jobs that have succeeded keep all they found."""
    background.add_task(discard, resources.sessions, resources.blobs, datasets.delete(session, _find(session, dataset)))


def _find(session: Session, key: str) -> Dataset:
    try:
        dataset_id = UUID(key)
    except ValueError:
        return datasets.named(session, key)
    return datasets.get(session, dataset_id)
