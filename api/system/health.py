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
from store import workers
from store.migrate import is_current
from store.session import transaction
from store.waiting import NO_WORKER

router = APIRouter(tags=["system"])


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = Field(default="ok", description="Always `ok`.")


class Readiness(BaseModel):
    """What the service stands on. Live workers are counted, not required: a job waits for one."""

    database: bool = Field(description="Whether PostgreSQL answers.")
    migrations: bool = Field(description="Whether the schema is the one this version expects.")
    redis: bool = Field(description="Whether Redis answers.")
    workers: int = Field(description="Live workers.")
    warnings: list[str] = Field(default=[], description="What hinders jobs, though requests are served.")


@router.get("/healthz", response_model=Health)
async def get_health() -> Health:
    """Whether the process answers; it asks no server behind it, and waits for no thread that does."""
    return Health()


@router.get("/readyz", response_model=Readiness, responses=problems(503))
async def get_readiness(resources: ResourcesDep) -> Readiness:
    """Whether requests can be served: database, schema and Redis. A warning when no worker is live: jobs wait then."""
    # A thread of its own: those of other requests may all be taken.
    found = await to_thread.run_sync(_look, resources, limiter=resources.readiness)
    failing = [name for name in ("database", "migrations", "redis") if not getattr(found, name)]
    if failing:
        raise Unavailable(f"Not ready: {', '.join(failing)}.", members={"checks": found.model_dump()})
    return found


def _look(resources: Resources) -> Readiness:
    answers = _redis_answers(resources)
    try:
        with transaction(resources.sessions) as session:
            current = is_current(session.connection())
            live = len(workers.live(session, within=resources.settings.worker_timeout)) if current else 0
    except AWAY:
        return Readiness(database=False, migrations=False, redis=answers, workers=0)
    warnings = [] if live or not current else [NO_WORKER]
    return Readiness(database=True, migrations=current, redis=answers, workers=live, warnings=warnings)


def _redis_answers(resources: Resources) -> bool:
    try:
        return bool(resources.redis.ping())
    except redis.RedisError:
        return False
