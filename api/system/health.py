"""Routes for whoever runs the service: is it alive, is it ready. They need no key."""

from __future__ import annotations

from typing import Literal

import redis
from anyio import to_thread
from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.deps import ResourcesDep
from api.errors import AWAY, Unavailable
from api.openapi import problems
from api.resources import Resources
from store import room, workers
from store.migrate import is_current
from store.session import transaction
from store.waiting import unmanned

router = APIRouter(tags=["system"])


#: What requests cannot be served without.
PARTS = ("database", "migrations", "files")

SILENT = "Redis does not answer the API: jobs are taken, and wait until it does (see whether DNA_REDIS_URL is right, by dna doctor)."


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = Field(default="ok", description="Always `ok`.")


class Readiness(BaseModel):
    """What the service stands on. Live workers are counted, not required: a job waits for one, and requests are served."""

    database: bool = Field(description="Whether PostgreSQL answers.")
    migrations: bool = Field(description="Whether the schema is the one this version expects.")
    redis: bool = Field(
        description="Whether Redis answers the API. Where it does not, requests are served, and jobs wait until it does."
    )
    files: bool = Field(
        description="Whether the stored files, and the folder of the datasets, can be read and written."
    )
    workers: int = Field(description="Live workers.")
    warnings: list[str] = Field(
        default=[],
        description="What hinders jobs though requests are served: a queue without a live worker, Redis that does not answer, a disk that is full or nearly so, that of "
        "PostgreSQL too where a request has met it. Of `files` that are false, which.",
    )


@router.get("/healthz", response_model=Health)
async def get_health() -> Health:
    """Whether the process answers; it asks no server behind it, and waits for no thread that does."""
    return Health()


@router.get("/readyz", response_model=Readiness, responses=problems(503))
async def get_readiness(resources: ResourcesDep) -> Readiness:
    """Whether requests can be served: database, schema and files. Warnings when work has to wait: no worker takes a queue, Redis does not answer."""
    # A thread of its own: those of other requests may all be taken.
    found = await to_thread.run_sync(_look, resources, limiter=resources.readiness)
    failing = [name for name in PARTS if not getattr(found, name)]
    if failing:
        raise Unavailable(f"Not ready: {', '.join(failing)}.", members={"checks": found.model_dump()})
    return found


def _look(resources: Resources) -> Readiness:
    places = [room.datasets(resources.settings.datasets_dir), *room.stored_files(resources.blobs)]
    closed = room.locked_up(places)
    parts = {"redis": _redis_answers(resources), "files": not closed and resources.blobs.reachable()}
    silent = [] if parts["redis"] else [SILENT]
    warnings = [*silent, *closed, *room.little(places), *resources.database_room.warnings]
    try:
        with transaction(resources.sessions) as session:
            current = is_current(session.connection())
            live = workers.live(session, within=resources.settings.worker_timeout) if current else []
    except AWAY:
        return Readiness(database=False, migrations=False, **parts, workers=0, warnings=warnings)
    warnings = [*(unmanned(live) if current else []), *warnings]
    return Readiness(database=True, migrations=current, **parts, workers=len(live), warnings=warnings)


def _redis_answers(resources: Resources) -> bool:
    try:
        return bool(resources.redis.ping())
    except redis.RedisError:
        return False
