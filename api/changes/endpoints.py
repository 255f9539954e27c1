"""The route of what changes in jobs of every kind."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from fastapi.sse import EventSourceResponse
from pydantic import BaseModel

from api.auth import CallerDep, authenticate
from api.changes.schemas import ChangeData, ChangeKind, HelloData
from api.changes.stream import stream
from api.changes.watch import Audience
from api.deps import ResourcesDep
from api.openapi import Responses, problems

router = APIRouter(tags=["changes"], dependencies=[Depends(authenticate)], responses=problems(401, 403, 422, 503))

Kinds = Annotated[
    list[ChangeKind],
    Query(
        alias="kind",
        max_length=len(ChangeKind),
        description="Only changes of this kind; of several, where it is given again.",
    ),
]


def _streamed(name: str, data: type[BaseModel]) -> dict[str, Any]:
    """An event of that name as it goes over the wire."""
    schema = {"$ref": f"#/components/schemas/{data.__name__}"}
    return {
        "title": f"{name.capitalize()} event",
        "type": "object",
        "required": ["event", "data"],
        "properties": {
            "event": {"type": "string", "const": name},
            "data": {"type": "string", "contentMediaType": "application/json", "contentSchema": schema},
            "retry": {"type": "integer", "description": "Milliseconds to wait before connecting again."},
        },
    }


CHANGE_STREAM: Responses = {
    200: {
        "description": "`hello`, then a `change` for each job that changes, each with JSON `data`; between them comments, which keep the "
        "connection open",
        "content": {
            "text/event-stream": {
                "schema": {"type": "string", "description": "The stream; each event of it is one of `x-itemSchema`."},
                # As of the events of a job.
                "x-itemSchema": {"oneOf": [_streamed("hello", HelloData), _streamed("change", ChangeData)]},
                "example": 'event: hello\ndata: {"ping_seconds": 15.0}\nretry: 2000\n\nevent: change\ndata: {"kind": "search", '
                '"id": "0199d3f0-5a34-7c1e-b6a8-0d6f6f3f7a10", "state": "running", "phase": "distill", "progress": 0.27, '
                '"eta_seconds": 340.0}\n\n',
            }
        },
    },
}


@router.get("/changes", response_class=Response, responses=CHANGE_STREAM)
async def stream_changes(caller: CallerDep, resources: ResourcesDep, kind: Kinds = []) -> Response:  # noqa: B006
    """Follow all that the caller sees: what is made, begun, gets on, is renamed, ends or is deleted, jobs of every kind and checks of datasets.

    It tells how things are, not how they came to be: of each job the latest, about once a second at most. There is no history: `hello`
    comes first, and again whenever something may have been missed; what is read of jobs after it is not older than what the stream tells
    from then on.
    """
    sees = None if caller.actor.sees_all else caller.actor.project_id
    audience = Audience(sees, frozenset(kind or ChangeKind))
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    return EventSourceResponse(stream(resources, audience, caller.actor.key_id), headers=headers)
