"""Routes of workers: list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from api.auth import authenticate
from api.changes.schemas import ChangeKind
from api.deps import ResourcesDep, SessionDep
from api.filters import Part
from api.openapi import problems
from api.pagination import Page
from api.paging import Paging, paged
from api.workers.schemas import RunningStep, WorkerOut
from dna_engine.plans.steps import devices_offered
from store import workers
from store.tables import Job, Step, Worker

router = APIRouter(
    prefix="/workers",
    tags=["workers"],
    dependencies=[Depends(authenticate)],
    responses=problems(401, 403, 503),
)


@router.get("", response_model=Page[WorkerOut])
def list_workers(
    session: SessionDep,
    resources: ResourcesDep,
    paging: Annotated[Paging, Depends(paged(workers.ORDER))],
    q: Part = None,
    queue: Annotated[
        str | None, Query(max_length=100, description="Only workers that take steps of this queue.")
    ] = None,
) -> Page[WorkerOut]:
    """Workers that were heard of just now, their devices, and what they run, where the caller may see it; the oldest first. `q` is part of a machine's name."""
    found = workers.listing(session, paging.at, within=resources.settings.worker_timeout, part=q, queue=queue)
    run = workers.running(session, [worker.current_step_id for worker in found.items if worker.current_step_id])
    return Page(items=[_shown(worker, run) for worker in found.items], next=paging.cursor(found.next))


def _shown(worker: Worker, run: Mapping[UUID, tuple[Step, Job]]) -> WorkerOut:
    """The worker, with what it runs where that is among what the caller sees."""
    fields = {name: getattr(worker, name) for name in WorkerOut.model_fields if name not in ("step", "devices", "busy")}
    found = run.get(worker.current_step_id) if worker.current_step_id else None
    step = _running(*found) if found else None
    return WorkerOut(
        **fields, devices=devices_offered(worker.queues), busy=worker.current_step_id is not None, step=step
    )


def _running(step: Step, job: Job) -> RunningStep:
    return RunningStep(
        id=step.id,
        job_id=job.id,
        key=step.key,
        kind=step.kind,
        job_kind=ChangeKind.of(job.kind),
        job_name=job.name,
        started_at=step.started_at,
    )
