"""Routes of datasets: create, list, read, delete, and what their check says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import IO, Annotated

from fastapi import APIRouter, BackgroundTasks, Depends, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from api.auth import authenticate
from api.body import UploadRoute
from api.datasets import reading, service, upload
from api.datasets.listing import WhichDep
from api.datasets.schemas import DatasetOut, ReportOut, Samples
from api.deps import UPLOAD, ResourcesDep, SessionDep
from api.download import Content, respond, responses
from api.errors import Conflict
from api.forms import body
from api.jobs import event_lists
from api.jobs.endpoints import EVENT_STREAM, After, LastEventId, follow
from api.jobs.event_lists import AskedDep
from api.jobs.events import EventPage
from api.openapi import problems
from api.pagination import Cursor, Limit, Page, encode, position
from api.paging import Paging, paged
from api.resources import Resources
from api.uploads.files import Uploads
from dna_engine.disk import room_on
from dna_engine.images.check.report import ClassCount
from store import datasets, jobs, waiting
from store.files import discard, drafts
from store.session import be_patient, transaction

DatasetKey = Annotated[
    str, Path(max_length=200, description="Id, name of the newest version, or `name@version`.", examples=["digits"])
]

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
    status_code=202,
    response_model=DatasetOut,
    responses=problems(400, 404, 409, 413, 507),
    openapi_extra=body(upload.DatasetForm),
    dependencies=[Depends(authenticate), UPLOAD],
)
def create_dataset(sent: upload.SentDep, resources: ResourcesDep, background: BackgroundTasks) -> Response:
    """Send images as one archive, or name a folder of the server. The answer comes at once; then a worker opens every image, and the
    dataset is `ready` or `rejected`.

    Another dataset of the same name is its next version. Without `test/` (or `val/`), a fifth of every class becomes the test images.
    """

    def work() -> Response:
        with _sent_archive(sent, resources) as (archive, filename):
            named = sent if filename is None else replace(sent, filename=filename)
            made = service.create(session, resources.settings, written, named, archive)
        queues = waiting.look(session, live_within=resources.settings.worker_timeout)
        [answer] = reading.shown(session, [made], lambda _: queues)
        return JSONResponse(answer.model_dump(mode="json"), 202, {"Location": f"/datasets/{made.id}"})

    with (
        room_on("the datasets (DNA_DATASETS)", resources.settings.datasets_dir),
        drafts(
            resources.sessions, resources.blobs, patience=timedelta(hours=resources.settings.orphan_hours)
        ) as written,
        transaction(resources.sessions, sent.once.actor) as session,
    ):
        be_patient(session)
        response = sent.once.answer(session, work)
    if sent.upload is not None:
        Uploads(resources.settings.datasets_dir).remove(sent.upload)
    background.add_task(resources.queue.send_pending)
    return response


@contextmanager
def _sent_archive(sent: upload.Sent, resources: Resources) -> Iterator[tuple[IO[bytes] | None, str | None]]:
    """What was sent, in this request or before it in pieces, and what that was called."""
    if sent.upload is None:
        yield sent.archive, None
        return
    incoming = Uploads(resources.settings.datasets_dir).find(sent.upload, sent.once.actor)
    if not incoming.complete:
        raise Conflict(
            f"{incoming.offset:,} of {incoming.begun.length:,} bytes have arrived: send the rest (PATCH /uploads/{incoming.id})."
        )
    with incoming.path.open("rb") as file:
        yield file, incoming.begun.filename


@router.get("", response_model=Page[DatasetOut])
def list_datasets(
    session: SessionDep,
    resources: ResourcesDep,
    which: WhichDep,
    paging: Annotated[Paging, Depends(paged(datasets.ORDER))],
) -> Page[DatasetOut]:
    """Datasets, newest first, each version by itself. `digits` (1,797 handwritten digits) is always there."""
    found = datasets.listing(session, which, paging.at)
    items = reading.shown(session, found.items, resources.waits.of)
    return Page(items=items, next=paging.cursor(found.next))


@router.get("/{dataset}", response_model=DatasetOut, responses=problems(404))
def get_dataset(dataset: DatasetKey, session: SessionDep, resources: ResourcesDep) -> DatasetOut:
    """A dataset, by its id or its name."""
    [shown] = reading.shown(session, [datasets.find(session, dataset)], resources.waits.of)
    return shown


@router.get("/{dataset}/report", response_model=ReportOut, responses=problems(404, 409))
def get_report(dataset: DatasetKey, session: SessionDep) -> ReportOut:
    """What the check has found: counts, sizes, modes, and findings with what to do. Kept of a rejected dataset too."""
    return reading.report(datasets.find(session, dataset))


@router.get("/{dataset}/classes", response_model=Page[ClassCount], responses=problems(404))
def list_classes(
    dataset: DatasetKey, session: SessionDep, cursor: Cursor = None, limit: Limit = 100
) -> Page[ClassCount]:
    """The classes in the order of their numbers, with how many images each split has of them."""
    start = position(cursor) if cursor else 0
    found = reading.classes(datasets.find(session, dataset))
    end = start + limit
    return Page(items=found[start:end], next=encode(str(end)) if end < len(found) else None)


@router.get("/{dataset}/samples", response_model=Samples, response_model_by_alias=True, responses=problems(404, 409))
def list_samples(
    dataset: DatasetKey,
    session: SessionDep,
    resources: ResourcesDep,
    class_name: Annotated[str, Query(alias="class", max_length=1000, description="Name of the class.")],
) -> Samples:
    """Ten pictures of a class, spread over it: see whether they are what it is called."""
    return reading.samples(session, resources.blobs, datasets.find(session, dataset), class_name)


@router.get(
    "/{dataset}/samples/{label}/{number}",
    response_class=Response,
    responses={**responses("image/jpeg"), **problems(404, 409, 416)},
)
def get_sample(
    dataset: DatasetKey,
    label: Annotated[int, Path(ge=0, le=10**6, description="Number of the class.")],
    number: Annotated[
        int, Path(ge=0, le=100, description="Number of the picture among those of its class that are shown.")
    ],
    request: Request,
    session: SessionDep,
    resources: ResourcesDep,
) -> Response:
    """A picture as a small JPEG, encoded by the service: nothing of the file that was sent is in it."""
    found = datasets.find(session, dataset)
    content = reading.sample(session, resources.blobs, found, label, number)
    return respond(request, Content.in_memory(f"{found.id}-{label}-{number}.jpg", "image/jpeg", content, inline=True))


@router.get(
    "/{dataset}/events",
    name="stream_dataset_events",
    response_class=Response,
    responses={**EVENT_STREAM, **problems(404)},
)
def stream_events(
    dataset: DatasetKey,
    session: SessionDep,
    resources: ResourcesDep,
    last_event_id: LastEventId = None,
    after: After = 0,
) -> Response:
    """Follow the check of a dataset: server-sent events without a gap, until it is ready or rejected."""
    found = datasets.find(session, dataset)
    if not jobs.ends(session, [found.id]):
        return Response(status_code=204)  # It was never checked.
    return follow(session, resources, found.id, after if last_event_id is None else last_event_id)


@router.get("/{dataset}/events/list", name="list_dataset_events", response_model=EventPage, responses=problems(404))
def list_events(dataset: DatasetKey, session: SessionDep, asked: AskedDep) -> EventPage:
    """What has happened to the check of a dataset so far: the events of its stream on pages."""
    return event_lists.page(session, datasets.find(session, dataset).id, asked)


@router.delete("/{dataset}", status_code=204, responses=problems(404, 409))
def delete_dataset(
    dataset: DatasetKey, session: SessionDep, resources: ResourcesDep, background: BackgroundTasks
) -> None:
    """Delete a dataset, and its images if they were sent. Jobs that have succeeded keep all they found; a check that runs stops."""
    background.add_task(
        discard, resources.sessions, resources.blobs, datasets.delete(session, datasets.find(session, dataset))
    )
