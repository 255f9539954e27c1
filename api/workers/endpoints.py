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
from store import workers
from store.tables import Step, Worker

router = APIRouter(
    prefix="/workers",
    tags=["workers"],
    dependencies=[Depends(authenticate)],
    responses=problems(401, 403, 503),
)


@router.get("", response_model=Page[WorkerOut])
def list_workers(session: SessionDep, resources: ResourcesDep) -> Page[WorkerOut]:
    """Workers that were heard of just now, their devices, and what they run, where the caller may see it."""
    live = workers.live(session, within=resources.settings.worker_timeout)
    return Page(items=[_shown(session, worker) for worker in live], next=None)


def _shown(session: Session, worker: Worker) -> WorkerOut:
    step = session.get(Step, worker.current_step_id) if worker.current_step_id else None
    fields = {name: getattr(worker, name) for name in WorkerOut.model_fields if name not in ("step", "devices", "busy")}
    running = RunningStep.model_validate(step) if step else None
    return WorkerOut(
        **fields, devices=devices_offered(worker.queues), busy=worker.current_step_id is not None, step=running
    )
