"""Routes of trainings: create, list, read, download; and those that every job has."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Body, Depends, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Discriminator, Tag
from sqlalchemy.orm import Session

from api.architectures import answering
from api.architectures.answering import TopK
from api.architectures.picture import PictureDep
from api.architectures.schemas import Format, FormatQuery, PredictionOut
from api.auth import CallerDep, authenticate
from api.body import ComputingRoute, JsonRoute
from api.deps import ResourcesDep, SessionDep, reading
from api.download import respond, responses
from api.idempotency import OnceDep
from api.ids import TrainingId
from api.jobs.cloning import CLONE, NEW, Clone, way
from api.jobs.endpoints import Resource, add_routes
from api.jobs.schemas import JobCounts
from api.jobs.service import JobFilter
from api.openapi import problems
from api.pagination import Page
from api.paging import Paging, paged
from api.trainings import confusion, examples, service
from api.trainings.confusion import Shown
from api.trainings.estimate import estimate
from api.trainings.schemas import TrainingDetail, TrainingEstimate, TrainingSummary
from dna_engine.by_class import Confusion
from dna_engine.space.document import AnyNetworkJson
from dna_engine.spec import TrainingSpec
from store import trainings
from store.trainings import Which

router = APIRouter(
    prefix="/trainings",
    tags=["trainings"],
    route_class=JsonRoute,
    dependencies=[Depends(authenticate)],
    responses=problems(401, 403, 422, 503),
)

estimates = APIRouter(
    prefix="/trainings",
    tags=["trainings"],
    route_class=ComputingRoute,
    dependencies=[Depends(authenticate)],
    responses=problems(401, 403, 422, 503),
)

tries = answering.router("trainings")

SpecBody = Annotated[
    Annotated[TrainingSpec, Tag(NEW)] | Annotated[Clone, Tag(CLONE)],
    Discriminator(way),
    Body(openapi_examples=examples.SPECS),
]

OfNetwork = Annotated[UUID | None, Query(description="Only trainings of this network.")]
OfSearch = Annotated[UUID | None, Query(description="Only trainings of networks of this search.")]

_CONFUSION = responses("image/svg+xml", model=Confusion)
_DOWNLOAD = responses("application/octet-stream", "application/zip", model=AnyNetworkJson)


@router.post("", status_code=201, response_model=TrainingDetail, responses=problems(400, 409, 413))
def create_training(
    spec: SpecBody, session: SessionDep, resources: ResourcesDep, once: OnceDep, background: BackgroundTasks
) -> Response:
    """Train a network that a search found or that was selected from its ratings, on its own dataset or on another.

    It is queued at once; `Location` is where to follow it. Its classifier and input are made to suit the dataset.
    """

    def work() -> Response:
        settings = resources.settings
        training = service.create(
            session, spec, max_attempts=settings.max_attempts, live_within=settings.worker_timeout
        )
        return JSONResponse(training.model_dump(mode="json"), 201, {"Location": f"/trainings/{training.id}"})

    background.add_task(resources.queue.send_pending)
    return once.answer(session, work)


@estimates.post("/estimate", response_model=TrainingEstimate, responses=problems(400, 409, 413))
def estimate_training(spec: SpecBody, session: SessionDep, resources: ResourcesDep) -> TrainingEstimate:
    """What a training would be: its recipe, costs of the network, expected device time. Nothing is stored."""
    return estimate(session, spec, live_within=resources.settings.worker_timeout)


@router.get("", response_model=Page[TrainingSummary])
def list_trainings(
    session: SessionDep,
    resources: ResourcesDep,
    paging: Annotated[Paging, Depends(paged(trainings.ORDER))],
    where: JobFilter,
    architecture: OfNetwork = None,
    search: OfSearch = None,
) -> Page[TrainingSummary]:
    """Trainings, newest first: those made alone, and those of searches, which have the name and labels of their search."""
    which = Which(where, architecture_id=architecture, search_id=search)
    items, following = service.listing(session, which, paging.at, resources.waits)
    return Page(items=items, next=paging.cursor(following))


@router.get("/counts", response_model=JobCounts)
def count_trainings(
    request: Request, where: JobFilter, architecture: OfNetwork = None, search: OfSearch = None
) -> JobCounts:
    """How many trainings are in which state, of those that the list shows under the same filters."""
    which = Which(where, architecture_id=architecture, search_id=search)
    with reading(request) as session:
        return JobCounts.of(trainings.counts(session, which))


@router.get("/{training_id}", response_model=TrainingDetail, responses=problems(404))
def get_training(training_id: TrainingId, session: SessionDep, resources: ResourcesDep) -> TrainingDetail:
    """A training: state, progress, time left, its resolved spec, steps, accuracy and what it says, files."""
    return service.answer(session, training_id, resources.waits)


@router.get("/{training_id}/download", response_class=Response, responses={**_DOWNLOAD, **problems(404, 409, 416)})
def download_training(
    training_id: TrainingId,
    request: Request,
    session: SessionDep,
    resources: ResourcesDep,
    format: FormatQuery = Format.JSON,  # noqa: A002
) -> Response:
    """Download the trained network in the formats of `GET /architectures/{id}/download`."""
    return respond(request, service.content(session, resources.blobs, training_id, format))


@tries.post("/{training_id}/predict", **answering.ROUTE)
async def predict_by_training(
    training_id: TrainingId,
    picture: PictureDep,
    caller: CallerDep,
    resources: ResourcesDep,
    top_k: TopK = 5,
) -> PredictionOut:
    """Try the network on a picture as this training has left it: as `POST /architectures/{id}/predict`, under the same limits."""
    return await answering.answer(
        resources, caller, lambda session: service.answering(session, training_id), picture, top_k
    )


@router.get("/{training_id}/confusion", response_class=Response, responses={**_CONFUSION, **problems(404, 409, 416)})
def get_confusion(
    training_id: TrainingId,
    request: Request,
    session: SessionDep,
    resources: ResourcesDep,
    format: Annotated[Shown, Query(description="As numbers, or as a picture.")] = Shown.JSON,  # noqa: A002
) -> Response:
    """The confusion matrix on the test images, as `json` or as a picture, `svg`.

    `classes` are the names in order; `matrix` has a row for each class of the images, with the images by the class answered.
    """
    return respond(request, confusion.content(session, resources.blobs, training_id, format))


def _followed(session: Session, training_id: UUID) -> UUID:
    """Events and metrics of a training that is part of a search are those of the search."""
    return trainings.get(session, training_id).job_id


add_routes(router, Resource("training", TrainingDetail, service.detail, followed=_followed, steered=trainings.own_job))
