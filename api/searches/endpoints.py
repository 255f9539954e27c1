"""Routes of searches: create, estimate, list, read; and those that every job has."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Body, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Discriminator, Tag
from sqlalchemy.orm import Session

from api.auth import authenticate
from api.body import ComputingRoute, JsonRoute
from api.deps import HEAVY, ResourcesDep, SessionDep, get_resources, reading
from api.idempotency import OnceDep
from api.ids import SearchId
from api.jobs.cloning import CLONE, NEW, Clone, way
from api.jobs.endpoints import Resource, add_routes
from api.jobs.schemas import JobCounts
from api.jobs.service import JobFilter
from api.kept import Json
from api.openapi import problems
from api.pagination import Page, joined
from api.paging import Paging, paged
from api.searches import examples, service
from api.searches.estimate import estimate
from api.searches.schemas import Estimate, SearchDetail, SearchSummary
from dna_engine.spec import SearchSpec
from store import jobs, searches
from store.states import JobKind

router = APIRouter(
    prefix="/searches",
    tags=["searches"],
    route_class=JsonRoute,
    dependencies=[Depends(authenticate)],
    responses=problems(401, 403, 422, 503),
)

estimates = APIRouter(
    prefix="/searches",
    tags=["searches"],
    route_class=ComputingRoute,
    dependencies=[Depends(authenticate)],
    responses=problems(401, 403, 422, 503),
)

SpecBody = Annotated[
    Annotated[SearchSpec, Tag(NEW)] | Annotated[Clone, Tag(CLONE)],
    Discriminator(way),
    Body(openapi_examples=examples.SPECS),
]


@router.post("", status_code=201, response_model=SearchDetail, responses=problems(400, 409, 413), dependencies=[HEAVY])
def create_search(
    spec: SpecBody, session: SessionDep, resources: ResourcesDep, once: OnceDep, background: BackgroundTasks
) -> Response:
    """Create a search. It is queued at once; `Location` is where to follow it.

    A budget that no network of the space meets is refused, with the range that is feasible and the nearest budgets.
    """

    def work() -> Response:
        settings = resources.settings
        search = service.create(
            session, resources.blobs, spec, max_attempts=settings.max_attempts, live_within=settings.worker_timeout
        )
        return JSONResponse(search.model_dump(mode="json"), 201, {"Location": f"/searches/{search.id}"})

    background.add_task(resources.queue.send_pending)
    return once.answer(session, work)


@estimates.post("/estimate", response_model=Estimate, responses=problems(400, 413), dependencies=[HEAVY])
def estimate_search(spec: SpecBody, session: SessionDep, resources: ResourcesDep) -> Estimate:
    """What a search would be: candidates, feasible costs, steps, expected device time. Nothing is stored."""
    return estimate(session, spec, worker_timeout=resources.settings.worker_timeout)


@router.get("", response_model=Page[SearchSummary])
def list_searches(
    request: Request, paging: Annotated[Paging, Depends(paged(searches.ORDER))], where: JobFilter
) -> Response:
    """Searches, newest first."""
    resources = get_resources(request)
    with reading(request) as session:
        items, following = service.listing(session, where, paging.at, kept=resources.kept, waits=resources.waits)
    return Json(joined(items, paging.cursor(following)))


@router.get("/counts", response_model=JobCounts)
def count_searches(request: Request, where: JobFilter) -> JobCounts:
    """How many searches are in which state, of those that the list shows under the same filters."""
    with reading(request) as session:
        return JobCounts.of(jobs.counts(session, JobKind.SEARCH, where))


@router.get("/{search_id}", response_model=SearchDetail, responses=problems(404))
def get_search(search_id: SearchId, request: Request) -> Response:
    """A search: state, phase, progress, time left, its resolved spec, steps, networks and the best one so far."""
    resources = get_resources(request)
    with reading(request) as session:
        return Json(service.answer(session, search_id, resources.kept, resources.waits))


def _search(session: Session, search_id: UUID) -> UUID:
    return jobs.known(session, JobKind.SEARCH, search_id)


add_routes(router, Resource("search", SearchDetail, service.detail, followed=_search, steered=_search))
