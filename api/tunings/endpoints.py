"""Routes of tunings: create, estimate, list, read, their trials; and those that every job has."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Body, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Discriminator, Tag
from sqlalchemy.orm import Session

from api.auth import authenticate
from api.body import ComputingRoute, JsonRoute
from api.deps import HEAVY, ResourcesDep, SessionDep, reading
from api.idempotency import OnceDep
from api.ids import TuningId
from api.jobs.cloning import CLONE, NEW, Clone, way
from api.jobs.endpoints import Resource, add_routes
from api.jobs.schemas import JobCounts
from api.jobs.service import JobFilter
from api.openapi import problems
from api.pagination import Cursor, Limit, Page, decode, encode, invalid_cursor
from api.paging import Paging, paged
from api.resources import Resources
from api.tunings import examples, service
from api.tunings.schemas import Importance, Trial, TuningDetail, TuningEstimate, TuningSummary
from dna_engine.spec import TuningSpec
from dna_engine.spec.tuning import MAX_TRIALS
from store import jobs, tunings
from store.states import JobKind

router = APIRouter(
    prefix="/tunings",
    tags=["tunings"],
    route_class=JsonRoute,
    dependencies=[Depends(authenticate)],
    responses=problems(401, 403, 422, 503),
)

estimates = APIRouter(
    prefix="/tunings",
    tags=["tunings"],
    route_class=ComputingRoute,
    dependencies=[Depends(authenticate)],
    responses=problems(401, 403, 422, 503),
)

SpecBody = Annotated[
    Annotated[TuningSpec, Tag(NEW)] | Annotated[Clone, Tag(CLONE)],
    Discriminator(way),
    Body(openapi_examples=examples.SPECS),
]


@router.post("", status_code=201, response_model=TuningDetail, responses=problems(400, 409, 413))
def create_tuning(
    spec: SpecBody, session: SessionDep, resources: ResourcesDep, once: OnceDep, background: BackgroundTasks
) -> Response:
    """Look for a recipe by which a network learns a dataset well: many short trainings, each by another one.

    The first ten are drawn at random, the others by Optuna's tree-structured Parzen estimator from what has finished by then. Training
    images that were held out decide, never the test images. Any number of workers run trials at once.
    """

    def work() -> Response:
        settings = resources.settings
        tuning = service.create(session, spec, max_attempts=settings.max_attempts, live_within=settings.worker_timeout)
        return JSONResponse(tuning.model_dump(mode="json"), 201, {"Location": f"/tunings/{tuning.id}"})

    background.add_task(resources.queue.send_pending)
    return once.answer(session, work)


@estimates.post("/estimate", response_model=TuningEstimate, responses=problems(400, 409, 413))
def estimate_tuning(spec: SpecBody, session: SessionDep, resources: ResourcesDep) -> TuningEstimate:
    """What a tuning would be: images held out, expected device time. Nothing is stored."""
    return service.estimate(session, spec, live_within=resources.settings.worker_timeout)


@router.get("", response_model=Page[TuningSummary])
def list_tunings(
    session: SessionDep,
    resources: ResourcesDep,
    paging: Annotated[Paging, Depends(paged(tunings.ORDER))],
    where: JobFilter,
) -> Page[TuningSummary]:
    """Tunings, newest first."""
    items, following = service.listing(session, where, paging.at, resources.waits)
    return Page(items=items, next=paging.cursor(following))


@router.get("/counts", response_model=JobCounts)
def count_tunings(request: Request, where: JobFilter) -> JobCounts:
    """How many tunings are in which state, of those that the list shows under the same filters."""
    with reading(request) as session:
        return JobCounts.of(jobs.counts(session, JobKind.TUNING, where))


@router.get("/{tuning_id}", response_model=TuningDetail, responses=problems(404))
def get_tuning(tuning_id: TuningId, session: SessionDep, resources: ResourcesDep) -> TuningDetail:
    """A tuning: state, progress, time left, its resolved spec, how many trials are in which state, the best so far."""
    return service.answer(session, tuning_id, resources.waits)


@router.get("/{tuning_id}/trials", response_model=Page[Trial], responses=problems(404))
def list_trials(tuning_id: TuningId, session: SessionDep, cursor: Cursor = None, limit: Limit = 50) -> Page[Trial]:
    """The trials of a tuning by number: what each tried, its curve, and what came of it."""
    try:
        after = int(decode(cursor)) if cursor else 0
        if not 0 <= after <= MAX_TRIALS:
            raise ValueError
    except ValueError as error:
        raise invalid_cursor() from error
    items, following = service.trials(session, tuning_id, after=after, limit=limit)
    return Page(items=items, next=encode(str(following)) if following else None)


@router.get("/{tuning_id}/importance", response_model=Importance, responses=problems(404), dependencies=[HEAVY])
def get_importance(tuning_id: TuningId, session: SessionDep) -> Importance:
    """How much each field of the recipe mattered for being among the best tenth of the trials, by PED-ANOVA.

    From ten complete trials on; computed when it is asked for.
    """
    return service.importance(session, tuning_id)


def _tuning(session: Session, tuning_id: UUID) -> UUID:
    return jobs.known(session, JobKind.TUNING, tuning_id)


def _forget(resources: Resources, tuning_id: UUID) -> None:
    tunings.forget(resources.studies, tuning_id)


add_routes(router, Resource("tuning", TuningDetail, service.detail, followed=_tuning, steered=_tuning, forget=_forget))
