"""Routes of workers: list."""

from __future__ import annotations

from fastapi import APIRouter, Depends
from sqlalchemy.orm import Session

from api.auth import authenticate
from api.deps import ResourcesDep, SessionDep
from api.openapi import problems
from api.pagination import Page
from api.workers.schemas import RunningStep, WorkerOut
from dna_engine.plans.steps import devices_offered
from store import steps, workers
from store.tables import Worker

router = APIRouter(
    prefix="/workers",
    tags=["workers"],
    dependencies=[Depends(authenticate)],
    responses=problems(401, 403, 503),
)


@router.get("", response_model=Page[WorkerOut])
def list_workers(session: SessionDep, resources: ResourcesDep) -> Page[WorkerOut]:
    """Workers that were heard of just now, their devices, and what they run."""
    live = workers.live(session, within=resources.settings.worker_timeout)
    return Page(items=[_shown(session, worker) for worker in live], next=None)


def _shown(session: Session, worker: Worker) -> WorkerOut:
    step = steps.get(session, worker.current_step_id) if worker.current_step_id else None
    fields = {name: getattr(worker, name) for name in WorkerOut.model_fields if name not in ("step", "devices")}
    running = RunningStep.model_validate(step) if step else None
    return WorkerOut(**fields, devices=devices_offered(worker.queues), step=running)
