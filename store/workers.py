"""Worker processes as they report themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Select, bindparam, func, select, update
from sqlalchemy.orm import Session, load_only

from store.actors import EVERY_PROJECT
from store.columns import new_id, rows_of
from store.filters import holds
from store.order import At, Key, Order, Page, page
from store.progress import Fleet, Workers
from store.session import clock
from store.states import StepState
from store.tables import Job, Step, Worker

#: A worker that was silent for longer is not live, unless the settings say otherwise.
SILENCE = timedelta(seconds=30)


def register(
    session: Session,
    *,
    hostname: str,
    pid: int,
    device: str,
    device_name: str,
    queues: Sequence[str],
    versions: Mapping[str, str],
    worker_id: UUID | None = None,
) -> Worker:
    """A row for a worker that starts now, under that id where somebody knows it by one already."""
    worker = Worker(
        id=worker_id or new_id(),
        hostname=hostname,
        pid=pid,
        device=device,
        device_name=device_name,
        queues=list(queues),
        versions=dict(versions),
    )
    session.add(worker)
    session.flush()
    return worker


@dataclass(frozen=True)
class Memory:
    """Of a device, in bytes, and what is taken of it by whoever uses it. None where nothing tells."""

    total: int | None = None
    used: int | None = None


@dataclass(frozen=True)
class Condition:
    """How a worker's device, disk and way to Redis were when they were looked at last. None where nothing tells.

    Attributes:
        utilization: of the device, 0 to 1, by whoever uses it.
        disk, disk_free: bytes, of the disk of the data folder.
        redis_answers: whether Redis answers the worker, which wakes it.
    """

    memory: Memory = Memory()
    utilization: float | None = None
    disk: int | None = None
    disk_free: int | None = None
    redis_answers: bool | None = None


_ROWS = rows_of(Worker)
_BEAT = (
    update(_ROWS)
    .where(_ROWS.c.id == bindparam("worker_id"))
    .values(last_seen_at=func.clock_timestamp(), current_step_id=bindparam("step_id"))
    .returning(_ROWS.c.id)
)


def beat(session: Session, worker: Worker, *, current_step_id: UUID | None, condition: Condition | None = None) -> None:
    """The worker lives, and runs that step or none. One that was forgotten while it was silent is known again.

    Args:
        condition: what is known of it by now; None leaves it as it was.
    """
    written = _BEAT
    if condition is not None:
        written = written.values(
            memory_bytes=condition.memory.total,
            memory_used_bytes=condition.memory.used,
            utilization=condition.utilization,
            disk_bytes=condition.disk,
            disk_free_bytes=condition.disk_free,
            redis_answers=condition.redis_answers,
        )
    asks = {"worker_id": worker.id, "step_id": current_step_id}
    if session.scalar(written, asks) is None:
        session.merge(worker)
        session.flush()
        session.execute(written, asks)


def leave(session: Session, worker_id: UUID) -> None:
    """The worker stops: it does not count as live from now on."""
    session.execute(
        update(Worker).where(Worker.id == worker_id).values(stopped_at=func.clock_timestamp(), current_step_id=None)
    )


def fleet(session: Session, *, within: timedelta) -> Fleet:
    """The live workers by queue that run something or can be woken.

    Devices are told apart by machine and name; of what needs none, several workers of a machine share its CPU.
    """
    found = [worker for worker in live(session, within=within) if takes_part(worker)]
    gpu = [worker for worker in found if "gpu" in worker.queues]
    cpu = [worker for worker in found if "cpu" in worker.queues]
    return Fleet(
        gpu=Workers(max(1, len(gpu)), max(1, len({(worker.hostname, worker.device) for worker in gpu}))),
        cpu=Workers(max(1, len(cpu)), max(1, len({worker.hostname for worker in cpu}))),
    )


def live(session: Session, *, within: timedelta) -> list[Worker]:
    """Workers that were seen within that time and have not left, oldest first."""
    return list(session.scalars(_live(session, within).order_by(Worker.id)))


def idle(session: Session, queue: str, *, within: timedelta) -> list[Worker]:
    """The live workers that take steps of the queue, run none and can be woken, oldest first."""
    busy = select(Step.lease_owner).where(Step.state == StepState.RUNNING, Step.lease_owner.is_not(None))
    query = _live(session, within).where(
        Worker.queues.contains([queue]), Worker.id.not_in(busy), Worker.redis_answers.is_not(False)
    )
    return list(session.scalars(query.order_by(Worker.id), execution_options=EVERY_PROJECT))


def can_be_woken(worker: Worker) -> bool:
    """Whether Redis answers it, as far as it has said."""
    return worker.redis_answers is not False


def takes_part(worker: Worker) -> bool:
    """Whether it runs something, or can be woken for it."""
    return worker.current_step_id is not None or can_be_woken(worker)


def running(session: Session, step_ids: Sequence[UUID]) -> dict[UUID, tuple[Step, Job]]:
    """Those of the steps, with their jobs, that the actor sees."""
    query = select(Step, Job).join(Job, Job.id == Step.job_id).where(Step.id.in_(step_ids))
    query = query.options(load_only(Job.name, Job.kind))
    return {step.id: (step, job) for step, job in session.execute(query)}


#: The oldest first, unless another order is asked for.
ORDER = Order(Worker.id, {"hostname": Key(Worker.hostname), "device": Key(Worker.device_name)}, default="created_at")


def listing(
    session: Session, at: At, *, within: timedelta, part: str | None = None, queue: str | None = None
) -> Page[Worker]:
    """A page of live workers, with ``part`` in the names of their machines, that take steps of the queue."""
    query = _live(session, within)
    if part:
        query = query.where(holds(Worker.hostname, part))
    if queue is not None:
        query = query.where(Worker.queues.contains([queue]))
    return page(session, query, ORDER, at)


def _live(session: Session, within: timedelta) -> Select[Worker]:
    return select(Worker).where(Worker.last_seen_at > clock(session) - within, Worker.stopped_at.is_(None))
