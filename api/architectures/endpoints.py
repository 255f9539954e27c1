"""Routes of architectures: keep one from elsewhere, list, read, download, time, try."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Body, Depends, Request, Response
from fastapi.responses import JSONResponse

from api.architectures import answering, examples, given, service, timings
from api.architectures.answering import TopK
from api.architectures.listing import WhichDep
from api.architectures.picture import PictureDep
from api.architectures.schemas import (
    ArchitectureIn,
    ArchitectureOut,
    ArchitecturePatch,
    ArchitectureSummary,
    Format,
    FormatQuery,
    LayersOut,
    PredictionOut,
    TimingOut,
)
from api.auth import CallerDep, authenticate
from api.body import JsonRoute
from api.deps import ResourcesDep, SessionDep
from api.download import respond, responses
from api.headers import headers
from api.idempotency import OnceDep
from api.ids import ArchitectureId
from api.openapi import problems
from api.pagination import Page, RowPaging
from api.paging import Paging, paged
from api.patches import MEDIA_TYPE, MERGE_PATCH
from dna_engine.space.document import AnyNetworkJson
from store import architecture_lists, architectures

router = APIRouter(
    prefix="/architectures",
    tags=["architectures"],
    route_class=JsonRoute,
    dependencies=[Depends(authenticate)],
    responses=problems(401, 403, 422, 503),
)

tries = answering.router("architectures")

GivenBody = Annotated[ArchitectureIn, Body(openapi_examples=examples.GIVEN)]

_CREATED = {
    200: {"model": ArchitectureOut, "description": "It was there already", **headers("Location")},
    **problems(400, 409, 413),
}
_DOWNLOAD = responses("application/octet-stream", "application/zip", model=AnyNetworkJson)


@router.post("", status_code=201, response_model=ArchitectureOut, responses=_CREATED)
def create_architecture(sent: GivenBody, session: SessionDep, once: OnceDep) -> Response:
    """Keep a network from elsewhere: one of ours as JSON, or a published one by its name. It can then be trained.

    One that there is already is answered with 200, and nothing is added.
    """

    def work() -> Response:
        network, new = given.keep(session, sent.architecture, name=sent.name)
        body = service.detail(session, network.id).model_dump(mode="json")
        return JSONResponse(body, 201 if new else 200, {"Location": f"/architectures/{network.id}"})

    return once.answer(session, work)


@router.get("", response_model=Page[ArchitectureSummary])
def list_architectures(
    session: SessionDep, which: WhichDep, paging: Annotated[Paging, Depends(paged(architecture_lists.ORDER))]
) -> Page[ArchitectureSummary]:
    """Networks that searches found or trained, that were selected afterwards, or given."""
    found = architecture_lists.listing(session, which, paging.at)
    items = [ArchitectureSummary.model_validate(network) for network in found.items]
    return Page(items=items, next=paging.cursor(found.next))


@router.get("/{architecture_id}", response_model=ArchitectureOut, responses=problems(404))
def get_architecture(architecture_id: ArchitectureId, session: SessionDep) -> ArchitectureOut:
    """A network: its description, costs, accuracy, and the files there are."""
    return service.detail(session, architecture_id)


@router.get("/{architecture_id}/layers", response_model=LayersOut, responses=problems(404, 409))
def list_layers(architecture_id: ArchitectureId, session: SessionDep) -> LayersOut:
    """A network layer by layer: ops, kernels, channels, sizes, and what each layer costs, to the unit.

    Of a standard network only the whole costs are known: that is a 409.
    """
    return service.layers(session, architecture_id)


@router.patch(
    "/{architecture_id}",
    response_model=ArchitectureOut,
    responses=problems(400, 404, 409, 413, 415),
    dependencies=[MERGE_PATCH],
)
def update_architecture(
    architecture_id: ArchitectureId,
    patch: Annotated[ArchitecturePatch, Body(media_type=MEDIA_TYPE)],
    session: SessionDep,
) -> ArchitectureOut:
    """Name a network, by a JSON merge patch (RFC 7396). Published and standard networks keep the names that they are known by."""
    if "name" in patch.model_fields_set:
        architectures.rename(session, architecture_id, patch.name)
    return service.detail(session, architecture_id)


@router.delete("/{architecture_id}", status_code=204, responses=problems(404, 409))
def delete_architecture(architecture_id: ArchitectureId, session: SessionDep) -> None:
    """Delete a network that was given. Trainings and tunings of it keep what they have found; those of searches go with their search."""
    architectures.delete(session, architecture_id)


@router.get("/{architecture_id}/download", response_class=Response, responses={**_DOWNLOAD, **problems(404, 409, 416)})
def download_architecture(
    architecture_id: ArchitectureId,
    request: Request,
    session: SessionDep,
    resources: ResourcesDep,
    format: FormatQuery = Format.JSON,  # noqa: A002
) -> Response:
    """Download a network as `json` (its description), `safetensors` (weights), `onnx`, `onnx-int8` (in 8 bits), `triton` (a model
    repository of the Triton inference server, a zip), or `bundle` (a zip of the rest, with a model card).
    """
    return respond(request, service.content(session, resources.blobs, architecture_id, format))


@router.post(
    "/{architecture_id}/latency",
    status_code=202,
    response_model=TimingOut,
    responses=problems(404, 409),
)
def time_architecture(
    architecture_id: ArchitectureId,
    session: SessionDep,
    resources: ResourcesDep,
    once: OnceDep,
    background: BackgroundTasks,
) -> Response:
    """Time a network whole, trained or not, on a worker's device: by torch there, and by onnxruntime on its CPU, one picture at a time.

    It is queued at once; `Location` is where to see it.
    """

    def work() -> Response:
        settings = resources.settings
        made = timings.create(
            session, architecture_id, max_attempts=settings.max_attempts, live_within=settings.worker_timeout
        )
        return JSONResponse(
            made.model_dump(mode="json"), 202, {"Location": f"/architectures/{architecture_id}/latency"}
        )

    background.add_task(resources.queue.send_pending)
    return once.answer(session, work)


@router.get("/{architecture_id}/latency", response_model=Page[TimingOut], responses=problems(404))
def list_timings(
    architecture_id: ArchitectureId, session: SessionDep, resources: ResourcesDep, paging: RowPaging
) -> Page[TimingOut]:
    """The timings of a network that were asked for, newest first."""
    return timings.listing(session, architecture_id, resources.waits, after=paging.after, limit=paging.limit)


@tries.post("/{architecture_id}/predict", **answering.ROUTE)
async def predict(
    architecture_id: ArchitectureId,
    picture: PictureDep,
    caller: CallerDep,
    resources: ResourcesDep,
    top_k: TopK = 5,
) -> PredictionOut:
    """Try a trained network on a picture: its likeliest classes, as its ONNX file answers to what `prepare.py` of its bundle makes of it.

    Where its search has not trained it, as the newest training of its own that has left one. Computed in the service itself, few at a time and so
    many a minute: for trying. `dna serve` is for production.
    """
    return await answering.answer(
        resources, caller, lambda session: service.answering(session, architecture_id), picture, top_k
    )
