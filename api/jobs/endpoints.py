"""Routes that jobs of all kinds have: cancel, resume, delete, events as a stream and as a list, metrics. Made once, for each kind under
its own path.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Body, Header, Path, Query, Response
from fastapi.sse import EventSourceResponse
from pydantic import BaseModel
from sqlalchemy.orm import Session

from api.deps import HEAVY, ResourcesDep, SessionDep
from api.jobs import changes, event_lists, points, timeline
from api.jobs.changes import JobPatch
from api.jobs.event_lists import AskedDep
from api.jobs.events import EventPage, LogData, MetricData, ProgressData, StateData, StepData
from api.jobs.schemas import Series, SeriesExtent, SeriesPoint
from api.jobs.stream import read, stream
from api.jobs.timeline import AttemptOut
from api.openapi import Responses, problems
from api.pagination import Cursor, Limit, Page, RowPaging
from api.patches import MEDIA_TYPE, MERGE_PATCH
from api.resources import Resources
from store import flow, jobs, series
from store.actors import actor_of
from store.files import discard
from store.filters import Span
from store.states import EventType

LastEventId = Annotated[int | None, Header(ge=0, lt=2**63, description="Continue after this event.")]
After = Annotated[int, Query(ge=0, lt=2**63, description="The same, for a first connection.")]
_DATA: Mapping[EventType, type[BaseModel]] = {
    EventType.STATE: StateData,
    EventType.STEP: StepData,
    EventType.PROGRESS: ProgressData,
    EventType.METRIC: MetricData,
    EventType.LOG: LogData,
}


def _streamed(kind: EventType, data: type[BaseModel]) -> dict[str, Any]:
    """An event of that type as it goes over the wire."""
    schema = {"$ref": f"#/components/schemas/{data.__name__}"}
    return {
        "title": f"{kind.capitalize()} event",
        "type": "object",
        "required": ["event", "data", "id"],
        "properties": {
            "event": {"type": "string", "const": kind.value},
            "data": {"type": "string", "contentMediaType": "application/json", "contentSchema": schema},
            "id": {"type": "string", "description": "Goes into `Last-Event-ID` to go on after it."},
            "retry": {
                "type": "integer",
                "description": "Milliseconds to wait before connecting again; in the first event.",
            },
        },
    }


EVENT_STREAM: Responses = {
    200: {
        "description": "Events as they come, each with `id`, `event` (state, step, progress, metric, log) and JSON `data`; between them "
        "comments, which keep the connection open",
        "content": {
            "text/event-stream": {
                "schema": {"type": "string", "description": "The stream; each event of it is one of `x-itemSchema`."},
                # What OpenAPI 3.2 calls itemSchema; 3.1, which is what generators of clients read, knows no name for it.
                "x-itemSchema": {"oneOf": [_streamed(kind, data) for kind, data in _DATA.items()]},
                "example": 'event: progress\ndata: {"step": "distill-1", "done": 40, "total": 460, '
                '"progress": 0.27, "time": "2026-11-02T09:30:00Z"}\nid: 57\n\n',
            }
        },
    },
    204: {"description": "It is finished and has no event after that number: there is nothing to wait for"},
}


@dataclass(frozen=True)
class Resource:
    """What the routes of a kind of job have of their own.

    Attributes:
        name: of one, in paths, sentences and names of operations.
        schema: what reading one answers.
        detail: reads one, given how recently a live worker was heard of.
        followed: the job whose events and metrics are meant by an id.
        steered: the job that is cancelled, resumed or deleted by an id. Both raise NotFound where there is none of the kind.
        forget: what else is done when one was deleted, after the commit.
    """

    name: str
    schema: type[BaseModel]
    detail: Callable[[Session, UUID, timedelta], BaseModel]
    followed: Callable[[Session, UUID], UUID]
    steered: Callable[[Session, UUID], UUID]
    forget: Callable[[Resources, UUID], None] | None = None


def add_routes(router: APIRouter, resource: Resource) -> None:
    """Adds the routes of one job to the router of its kind: they count and are found by the paths that people know."""
    _add_verbs(router, resource)
    _add_changes(router, resource)
    _add_events(router, resource)
    _add_event_list(router, resource)
    _add_timeline(router, resource)
    _add_metrics(router, resource)
    _add_points(router, resource)


def _add_verbs(router: APIRouter, resource: Resource) -> None:
    name, identifier, path = resource.name, _identifier(resource), _path(resource)

    @router.post(
        f"{path}/cancel",
        name=f"cancel_{name}",
        description=f"Stop a {name}. What runs writes a checkpoint first; it is `cancelled` within seconds and can be resumed.",
        response_model=resource.schema,
        responses=problems(404, 409),
    )
    def cancel(
        session: SessionDep, resources: ResourcesDep, background: BackgroundTasks, job_id: UUID = identifier
    ) -> BaseModel:
        flow.cancel(session, resource.steered(session, job_id))
        background.add_task(resources.queue.send_pending)  # Of jobs that have waited for its place.
        return resource.detail(session, job_id, resources.settings.worker_timeout)

    @router.post(
        f"{path}/resume",
        name=f"resume_{name}",
        description=f"Go on with a failed or cancelled {name}, from its checkpoints. What is finished is not done again.",
        response_model=resource.schema,
        responses=problems(404, 409),
    )
    def resume(
        session: SessionDep, resources: ResourcesDep, background: BackgroundTasks, job_id: UUID = identifier
    ) -> BaseModel:
        flow.resume(session, resource.steered(session, job_id))
        background.add_task(resources.queue.send_pending)
        return resource.detail(session, job_id, resources.settings.worker_timeout)


def _add_changes(router: APIRouter, resource: Resource) -> None:
    name, identifier, path = resource.name, _identifier(resource), _path(resource)

    @router.patch(
        path,
        name=f"update_{name}",
        description=f"Rename a {name} or change its labels or its priority, by a JSON merge patch (RFC 7396). What it computes stays as it was asked "
        "for.",
        response_model=resource.schema,
        responses=problems(400, 404, 409, 413, 415),
        dependencies=[MERGE_PATCH],
    )
    def update(
        patch: Annotated[JobPatch, Body(media_type=MEDIA_TYPE)],
        session: SessionDep,
        resources: ResourcesDep,
        job_id: UUID = identifier,
    ) -> BaseModel:
        changes.apply(session, resource.steered(session, job_id), patch)
        return resource.detail(session, job_id, resources.settings.worker_timeout)

    @router.delete(
        path,
        name=f"delete_{name}",
        status_code=204,
        description=f"Delete a finished {name} with its files. One that runs must be cancelled first.",
        responses=problems(404, 409),
    )
    def delete(
        session: SessionDep, resources: ResourcesDep, background: BackgroundTasks, job_id: UUID = identifier
    ) -> None:
        locations = jobs.delete(session, resource.steered(session, job_id))
        background.add_task(discard, resources.sessions, resources.blobs, locations)
        if resource.forget is not None:
            background.add_task(resource.forget, resources, job_id)


def _add_events(router: APIRouter, resource: Resource) -> None:
    identifier = _identifier(resource)

    @router.get(
        f"{_path(resource)}/events",
        name=f"stream_{resource.name}_events",
        description=f"Follow a {resource.name}: server-sent events without a gap, until it is finished.",
        response_class=Response,
        responses={**EVENT_STREAM, **problems(404)},
    )
    def stream_events(
        session: SessionDep,
        resources: ResourcesDep,
        job_id: UUID = identifier,
        last_event_id: LastEventId = None,
        after: After = 0,
    ) -> Response:
        followed = resource.followed(session, job_id)
        return follow(session, resources, followed, after if last_event_id is None else last_event_id)


def _add_event_list(router: APIRouter, resource: Resource) -> None:
    identifier = _identifier(resource)

    @router.get(
        f"{_path(resource)}/events/list",
        name=f"list_{resource.name}_events",
        description=f"What has happened to a {resource.name} so far: the events of its stream on pages.",
        response_model=EventPage,
        responses=problems(404),
    )
    def list_events(session: SessionDep, asked: AskedDep, job_id: UUID = identifier) -> EventPage:
        return event_lists.page(session, resource.followed(session, job_id), asked)


def follow(session: Session, resources: Resources, job_id: UUID, after: int) -> Response:
    """The events of a job behind that number, as they come; 204 where it is finished and there are none.

    Raises:
        NotFound: there is no such job.
    """
    first = read(session, job_id, after)
    if first.last and not first.lines:
        return Response(status_code=204)
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    return EventSourceResponse(stream(resources, job_id, first, actor_of(session).key_id), headers=headers)


def _add_timeline(router: APIRouter, resource: Resource) -> None:
    identifier = _identifier(resource)

    @router.get(
        f"{_path(resource)}/timeline",
        name=f"get_{resource.name}_timeline",
        description=f"Who has run which step of a {resource.name}, from when to when: every attempt, the earliest first. Of what earlier versions "
        "have run, each step's last attempt.",
        response_model=Page[AttemptOut],
        responses=problems(404),
    )
    def get_timeline(session: SessionDep, paging: RowPaging, job_id: UUID = identifier) -> Page[AttemptOut]:
        return timeline.page(session, resource.followed(session, job_id), paging.after, paging.limit)


def _add_metrics(router: APIRouter, resource: Resource) -> None:
    identifier = _identifier(resource)

    @router.get(
        f"{_path(resource)}/metrics",
        name=f"get_{resource.name}_metrics",
        description=f"Series of a {resource.name}: losses, accuracies, the best so far.\n\nA series of more than `points` is thinned: "
        "its first and last point stay, and of each of as many stretches as fit, of about equal numbers of points, the lowest and the "
        "highest; at least half as many points as fit come. All series together have at most "
        "100,000 points; ask for some of them by `prefix`, or for a stretch of `x`, to see more of each.",
        response_model=Series,
        responses=problems(404),
        dependencies=[HEAVY],
    )
    def get_metrics(
        session: SessionDep,
        job_id: UUID = identifier,
        prefix: Annotated[str, Query(max_length=200, description="Only series whose names begin so.")] = "",
        most: Annotated[
            int,
            Query(
                alias="points",
                ge=10,
                le=10_000,
                description="Most points of a series; a longer one keeps its ends and extremes.",
            ),
        ] = 1000,
        x_min: points.Edge = None,
        x_max: points.Edge = None,
    ) -> Series:
        followed = resource.followed(session, job_id)
        found = series.thinned(session, followed, prefix=prefix, points=most, x=Span(x_min, x_max))
        return Series.model_validate({"series": found})


def _add_points(router: APIRouter, resource: Resource) -> None:
    identifier, of = _identifier(resource), resource.name

    @router.get(
        f"{_path(resource)}/metrics/series",
        name=f"list_{of}_series",
        description=f"Which series a {of} has, by name, and how many points of each.",
        response_model=Page[SeriesExtent],
        responses=problems(404),
    )
    def list_series(
        session: SessionDep,
        job_id: UUID = identifier,
        prefix: points.Prefix = "",
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[SeriesExtent]:
        return points.extents(session, resource.followed(session, job_id), prefix, cursor, limit)

    @router.get(
        f"{_path(resource)}/metrics/points",
        name=f"list_{of}_points",
        description=f"All points of one series of a {of}, none left out, in order of `x`.",
        response_model=Page[SeriesPoint],
        responses=problems(404),
    )
    def list_points(
        session: SessionDep,
        name: points.Name,
        job_id: UUID = identifier,
        x_min: points.Edge = None,
        x_max: points.Edge = None,
        cursor: Cursor = None,
        limit: points.Points = 1000,
    ) -> Page[SeriesPoint]:
        followed = resource.followed(session, job_id)
        return points.points(session, followed, name, Span(x_min, x_max), cursor, limit)


def _path(resource: Resource) -> str:
    return f"/{{{resource.name}_id}}"


def _identifier(resource: Resource) -> Any:
    """The parameter of the path, as a default: annotations do not see what a function is given."""
    return Path(alias=f"{resource.name}_id", description=f"Id of the {resource.name}.")
