"""Routes of what a search found: ratings, frontier, selection under a new budget."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Query

from api.auth import authenticate
from api.body import JsonRoute
from api.deps import HEAVY, ResourcesDep, SessionDep
from api.ids import SearchId
from api.openapi import problems
from api.pagination import Cursor, Page
from api.searches import examples, ratings
from api.searches.schemas import Cost, FrontierOut, Rating, SelectIn, Selection

router = APIRouter(
    prefix="/searches/{search_id}",
    tags=["results"],
    route_class=JsonRoute,
    dependencies=[Depends(authenticate)],
    responses=problems(401, 403, 404, 422, 503),
)


@router.get("/ratings", response_model=Page[Rating], responses=problems(409), dependencies=[HEAVY])
def list_ratings(
    search_id: SearchId,
    session: SessionDep,
    resources: ResourcesDep,
    block: Annotated[int | None, Query(ge=1, le=10_000, description="Only paths of this block, from 1.")] = None,
    cell: Annotated[
        int | None, Query(ge=1, le=10_000, description="Only paths of this cell of its block, from 1.")
    ] = None,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=10_000, description="Most paths on the page.")] = 1000,
) -> Page[Rating]:
    """Every candidate's rating: each path of each cell, or of the block and cell asked for."""
    problem = resources.rated.get(session, search_id)
    return ratings.page(problem, block=block, cell=cell, cursor=cursor, limit=limit)


@router.get("/frontier", response_model=FrontierOut, responses=problems(409), dependencies=[HEAVY])
def get_frontier(
    search_id: SearchId,
    session: SessionDep,
    resources: ResourcesDep,
    cost: Annotated[Cost, Query(description="Which cost; latency where the search measured it.")] = "flops",
) -> FrontierOut:
    """The exact frontier: every network that no other beats in both cost and predicted loss."""
    return ratings.whole_frontier(session, search_id, resources.rated.get(session, search_id), cost)


@router.post("/select", response_model=Selection, responses=problems(400, 409, 413), dependencies=[HEAVY])
def select_networks(
    search_id: SearchId,
    asked: Annotated[SelectIn, Body(openapi_examples=examples.BUDGETS)],
    session: SessionDep,
    resources: ResourcesDep,
) -> Selection:
    """The best networks under a new budget, from the finished ratings: exact, in milliseconds, without any device."""
    return ratings.select(session, search_id, resources.rated.get(session, search_id), asked)
