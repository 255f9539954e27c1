"""Routes of what a search found: ratings, frontier, selection under a new budget."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Query, Response
from pydantic import BaseModel

from api.auth import CallerDep, MissingScope, authenticate
from api.body import JsonRoute
from api.deps import HEAVY, ResourcesDep, SessionDep
from api.ids import SearchId
from api.kept import Json
from api.openapi import problems
from api.pagination import Cursor, Page
from api.searches import examples, ratings, selection
from api.searches.schemas import Cost, FrontierOut, Rating, RatingStrips, SelectIn, Selection
from store.limits import Scope


class SelectRoute(JsonRoute):
    """A route whose handler says which scope it takes: that is for the body to tell."""

    needs = None


_PATH = "/searches/{search_id}"
_PROBLEMS = problems(401, 403, 404, 422, 503)

router, choices = (
    APIRouter(
        prefix=_PATH,
        tags=["results"],
        route_class=route_class,
        dependencies=[Depends(authenticate)],
        responses=_PROBLEMS,
    )
    for route_class in (JsonRoute, SelectRoute)
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


@router.get("/ratings/strips", response_model=RatingStrips, responses=problems(409), dependencies=[HEAVY])
def get_rating_strips(
    search_id: SearchId,
    session: SessionDep,
    resources: ResourcesDep,
    points: Annotated[int, Query(ge=20, le=2000, description="Most candidates of a cell.")] = 200,
) -> Response:
    """The ratings of all cells at one look: of each its best, median and worst loss, and candidates spread evenly over the ranks."""
    return _json(ratings.by_rank(session, search_id, resources.rated.get(session, search_id), points))


@router.get("/frontier", response_model=FrontierOut, responses=problems(409), dependencies=[HEAVY])
def get_frontier(
    search_id: SearchId,
    session: SessionDep,
    resources: ResourcesDep,
    cost: Annotated[Cost, Query(description="Which cost; latency where the search measured it.")] = "flops",
    networks: Annotated[
        bool,
        Query(description="Whether each point has its `architecture`; without, `blocks` say which network it is."),
    ] = True,
    points: Annotated[
        int | None,
        Query(
            ge=2,
            le=100_000,
            description="Most points: the first, the last, and between them those next to costs that lie evenly; all where it is left out.",
        ),
    ] = None,
) -> Response:
    """The exact frontier: every network that no other beats in both cost and predicted loss."""
    problem = resources.rated.get(session, search_id)
    return _json(selection.whole_frontier(session, search_id, problem, cost, networks=networks, most=points))


@choices.post("/select", response_model=Selection, responses=problems(400, 409, 413), dependencies=[HEAVY])
def select_networks(
    search_id: SearchId,
    asked: Annotated[SelectIn, Body(openapi_examples=examples.BUDGETS)],
    session: SessionDep,
    resources: ResourcesDep,
    caller: CallerDep,
) -> Selection:
    """The best networks under a new budget, from the finished ratings: exact, in milliseconds, without any device.

    They are kept as architectures of the search, unless `keep` is false.
    """
    needed = Scope.RUN if asked.keep else Scope.READ
    if not caller.scopes & {needed, Scope.RUN}:
        raise MissingScope(needed)
    return selection.select(session, search_id, resources.rated.get(session, search_id), asked)


def _json(model: BaseModel) -> Json:
    """An answer of thousands of figures, written once."""
    return Json(model.model_dump_json())
