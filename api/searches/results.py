"""Routes of what a search says and found: events, metrics, ratings, frontier, selection under a new budget."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Header, Query, Response
from fastapi.sse import EventSourceResponse

from api.auth import authenticate
from api.body import JsonRoute
from api.deps import HEAVY, ResourcesDep, SessionDep
from api.openapi import Responses, problems
from api.pagination import Cursor, Page
from api.searches import examples, ratings
from api.searches.schemas import Cost, FrontierOut, Rating, SelectIn, Selection, Series
from api.searches.stream import read, stream
from store import searches, series
from store.states import EventType

router = APIRouter(
    prefix="/searches/{search_id}",
    tags=["results"],
    route_class=JsonRoute,
    dependencies=[Depends(authenticate)],
    responses=problems(401, 403, 404, 422, 503),
)

_EVENT_STREAM: Responses = {
    200: {
        "description": "Events as they come, each with `id`, `event` (state, step, progress, metric, log) and JSON `data`",
        "content": {
            "text/event-stream": {
                "itemSchema": {
                    "type": "object",
                    "required": ["event", "data", "id"],
                    "properties": {
                        "event": {"type": "string", "enum": [kind.value for kind in EventType]},
                        "data": {"type": "string", "contentMediaType": "application/json"},
                        "id": {"type": "string", "description": "Goes into `Last-Event-ID` to go on after it."},
                    },
                },
                "example": 'event: progress\ndata: {"step": "distill-1", "done": 40, "total": 460, '
                '"progress": 0.27, "time": "2026-11-02T09:30:00Z"}\nid: 57\n\n',
            }
        },
    },
    204: {"description": "The search is finished and has no event after that number: there is nothing to wait for"},
}


@router.get("/events", response_class=Response, responses=_EVENT_STREAM)
def stream_events(
    search_id: UUID,
    session: SessionDep,
    resources: ResourcesDep,
    last_event_id: Annotated[int | None, Header(ge=0, lt=2**63, description="Continue after this event.")] = None,
    after: Annotated[int, Query(ge=0, lt=2**63, description="The same, for a first connection.")] = 0,
) -> Response:
    """Follow a search: server-sent events without a gap, until it is finished."""
    after = after if last_event_id is None else last_event_id
    first = read(session, search_id, after)
    if first.last and not first.lines:
        return Response(status_code=204)
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    return EventSourceResponse(stream(resources, search_id, first), headers=headers)


@router.get("/metrics", response_model=Series, dependencies=[HEAVY])
def get_metrics(
    search_id: UUID,
    session: SessionDep,
    prefix: Annotated[str, Query(max_length=200, description="Only series whose names begin so.")] = "",
    points: Annotated[
        int, Query(ge=10, le=10_000, description="Most points of a series; a longer one keeps its ends and extremes.")
    ] = 1000,
) -> Series:
    """Series of a search: losses per cell, accuracies, the best so far.

    A series of more than `points` is thinned: its first and last point stay, and of each stretch between the lowest and the
    highest. All series together have at most 100,000 points; ask for some of them by `prefix` to see more of each.
    """
    searches.state(session, search_id)
    return Series.model_validate({"series": series.thinned(session, search_id, prefix=prefix, points=points)})


@router.get("/ratings", response_model=Page[Rating], responses=problems(409), dependencies=[HEAVY])
def list_ratings(
    search_id: UUID,
    session: SessionDep,
    resources: ResourcesDep,
    block: Annotated[int | None, Query(ge=1, le=10_000)] = None,
    cell: Annotated[int | None, Query(ge=1, le=10_000)] = None,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
) -> Page[Rating]:
    """Every candidate's rating: each path of each cell, or of the block and cell asked for."""
    problem = resources.rated.get(session, search_id)
    return ratings.page(problem, block=block, cell=cell, cursor=cursor, limit=limit)


@router.get("/frontier", response_model=FrontierOut, responses=problems(409), dependencies=[HEAVY])
def get_frontier(search_id: UUID, session: SessionDep, resources: ResourcesDep, cost: Cost = "flops") -> FrontierOut:
    """The exact frontier: every network that no other beats in both cost and predicted loss."""
    return ratings.whole_frontier(session, search_id, resources.rated.get(session, search_id), cost)


@router.post("/select", response_model=Selection, responses=problems(400, 409, 413), dependencies=[HEAVY])
def select_networks(
    search_id: UUID,
    asked: Annotated[SelectIn, Body(openapi_examples=examples.BUDGETS)],
    session: SessionDep,
    resources: ResourcesDep,
) -> Selection:
    """The best networks under a new budget, from the finished ratings: exact, in milliseconds, without any device."""
    return ratings.select(session, search_id, resources.rated.get(session, search_id), asked)
