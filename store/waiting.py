"""What a job that does not run waits for, told from the steps and workers of this moment; nothing of it is stored."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, literal_column, or_, select
from sqlalchemy.orm import Session

from dna_engine.errors import DiskFull
from dna_engine.plans.steps import CPU_QUEUE, device_queue, devices_of, devices_offered
from store import quotas, workers
from store.actors import EVERY_PROJECT
from store.session import clock
from store.states import FINISHED, StepState
from store.tables import Job, Share, Step, Worker

#: What to do about it is the same everywhere.
UNREACHED = "see whether its DNA_REDIS_URL and network are right, by dna doctor on its machine"
_NONE_IS_LIVE = "a worker; none is live (start one: dna worker, or dna up)"
NO_WORKER = "No worker is live: a job waits until one is started (dna worker, or dna up)."


def unmanned(live: Sequence[Worker], queues: Sequence[str] = (device_queue(1), CPU_QUEUE)) -> list[str]:
    """What holds work up for which there are no workers, as sentences: whose steps go to these queues."""
    if not live:
        return [NO_WORKER]
    taken = {queue for worker in live for queue in worker.queues}
    woken = {queue for worker in live if workers.can_be_woken(worker) for queue in worker.queues}
    if taken and not woken:
        return [f"Redis answers no live worker: jobs wait until it does ({UNREACHED})."]
    return [
        f"Redis answers no live worker that takes the queue {queue}: what needs one waits until it does ({UNREACHED})."
        if queue in taken
        else f"No live worker takes the queue {queue}: what needs one waits until it is started (dna worker --queues {queue})."
        for queue in queues
        if queue not in woken
    ]


@dataclass(frozen=True)
class Wait:
    """Of a job that does not run: ``waiting_for``, as a sentence's end, where something holds it up; ``queue_position``, 1 for the next of its
    queue."""

    waiting_for: str | None = None
    queue_position: int | None = None


def too_few_devices(devices: int, most: int) -> list[str]:
    """What holds a training up that asks for several devices, as a sentence, where live workers offer ``most`` for one step. That none
    offers one :func:`unmanned` says.
    """
    if devices <= max(most, 1):
        return []
    return [
        f"{devices} devices are asked for, and no live worker offers more than {most}: the training waits until one is started that does "
        f"(dna worker --devices-per-step {devices})."
    ]


def most_devices(live: Sequence[Worker]) -> int:
    """That one of them has for a step."""
    return max((devices_offered(worker.queues) for worker in live), default=0)


class Unfinished(NamedTuple):
    """A step that waits or runs, of a job that goes on. ``failure`` is the code of its last attempt's error, ``owner`` who runs it, until
    ``lease_until`` at least."""

    job_id: UUID
    queue: str
    state: StepState
    available_at: datetime
    failure: str | None
    owner: UUID | None
    lease_until: datetime | None


@dataclass
class _Queue:
    """The steps of one queue: how many a worker would take now, and the jobs whose steps run on workers that take it.

    ``places`` are those of the former's jobs, each once, from 0; ``steps`` those that stand before a job's first. So what is asked of each of
    thousands of jobs takes no look at all others.
    """

    waiting: int = 0
    running: list[UUID] = field(default_factory=list)
    places: dict[UUID, int] = field(default_factory=dict)
    steps: dict[UUID, int] = field(default_factory=dict)

    def add(self, job_id: UUID) -> None:
        """One more step that waits, behind those that were added before."""
        self.steps.setdefault(job_id, self.waiting)
        self.waiting += 1
        self.places.setdefault(job_id, len(self.places))

    def before(self, job_id: UUID) -> int:
        """Other jobs that have a worker of the queue, or will be given one first."""
        ahead = self.places[job_id]
        working, waiting_too = self._at_work
        return ahead + working - bisect_left(waiting_too, ahead)

    @cached_property
    def _at_work(self) -> tuple[int, list[int]]:
        """How many jobs have a worker, and the places of those that wait for another too, in order."""
        jobs = set(self.running)
        return len(jobs), sorted(self.places[job] for job in jobs if job in self.places)

    def taken_soon(self, job_id: UUID, takers: int) -> bool:
        """Whether a worker is left for it after those that run steps and those that will take the ones ahead."""
        return len(self.running) + self.steps[job_id] < takers


class Queues:
    """All work that is not finished, and the live workers that take it.

    Args:
        steps: those that wait in the order in which workers will come to them.
        held: jobs whose key runs as many as it may, and how many that are; None where its device-hours are used up.
    """

    def __init__(
        self,
        steps: Sequence[Unfinished],
        live: Sequence[Worker],
        now: datetime,
        held: Mapping[UUID, int | None] = MappingProxyType({}),
    ) -> None:
        self.steps, self.live, self.now, self.held = steps, live, now, held
        self._of_job: defaultdict[UUID, list[Unfinished]] = defaultdict(list)
        self._queues: defaultdict[str, _Queue] = defaultdict(_Queue)
        taken = {worker.id: worker.queues for worker in live}
        for step in steps:
            self._of_job[step.job_id].append(step)
            if step.job_id in held:
                continue
            if step.state != StepState.RUNNING:
                if step.available_at <= now:
                    self._queues[step.queue].add(step.job_id)
                continue
            for name in {step.queue, *(taken.get(step.owner, ()) if step.owner else ())}:
                self._queues[name].running.append(step.job_id)

    def knows(self, job_id: UUID) -> bool:
        """Whether the job had work to do."""
        return job_id in self._of_job

    def wait(self, job_id: UUID) -> Wait:
        """How the job waits. One that runs, or is tried again later, has no position; nor has one that is finished, or held up
        by others of its key."""
        own = self._of_job.get(job_id, [])
        due = [step for step in own if step.available_at <= self.now]
        if not due or job_id in self.held or any(step.state == StepState.RUNNING for step in own):
            return Wait(self.reason(job_id))
        return Wait(self.reason(job_id), self._queues[due[0].queue].places[job_id] + 1)

    def reason(self, job_id: UUID) -> str | None:
        """What the job waits for, as a sentence's end: ``2 jobs before it on the worker of node1 (cpu)``. None when it runs on a worker that is heard of.

        A job whose turn it is waits for nothing that can be named: a free worker takes it within a second.
        """
        own = self._of_job.get(job_id, [])
        if running := [step for step in own if step.state == StepState.RUNNING]:
            return self._lost(running)
        if not own:
            return None
        first = min(own, key=lambda step: step.available_at)
        if first.available_at > self.now:
            lacked = "room on a disk that was full" if first.failure == DiskFull.code else "what failed around its step"
            return f"{lacked}; it is tried again at {first.available_at.astimezone(UTC):%H:%M:%S} UTC"
        queue = first.queue
        takers = [worker for worker in self.live if queue in worker.queues]
        if not self.live:
            return _NONE_IS_LIVE
        if not takers:
            return self._lacks(queue)
        if not any(map(workers.can_be_woken, takers)):
            return f"Redis, which does not answer {_named(takers)} ({UNREACHED})"
        if job_id in self.held:
            most = self.held[job_id]
            if most is None:
                return "device-hours of its key, whose jobs took all that they may in 30 days"
            others = "the one job" if most == 1 else f"one of the {most} jobs"
            return f"the end of {others} that its key may run at once"
        takers = [worker for worker in takers if workers.takes_part(worker)]
        before = self._queues[queue].before(job_id)
        if not before or self._queues[queue].taken_soon(job_id, len(takers)):
            return None
        return f"{before} {'job' if before == 1 else 'jobs'} before it on {_named(takers)}"

    def _lost(self, running: Sequence[Unfinished]) -> str | None:
        """The first end of a lease, where nobody who runs a step of the job is heard of any more: until then nothing happens to it."""
        ends = [step.lease_until for step in running if step.lease_until is not None]
        if not ends or any(worker.id == step.owner for worker in self.live for step in running):
            return None
        if not self.live:
            return _NONE_IS_LIVE
        named = "its worker, which is not heard of" if len(running) == 1 else "its workers, which are not heard of"
        return f"{named}; what is left is free for others at {min(ends).astimezone(UTC):%H:%M:%S} UTC"

    def _lacks(self, queue: str) -> str:
        """A worker of the queue, which none of the live ones takes."""
        devices, most = devices_of(queue), most_devices(self.live)
        if devices > 1 and most:
            return f"a worker with {devices} devices; the live ones offer {most} (start one: dna worker --devices-per-step {devices})"
        kind = queue if devices <= 1 else f"gpu --devices-per-step {devices}"
        return f"a worker that takes the queue {queue}; none is live (start one: dna worker --queues {kind})"


def _in_line() -> list[ColumnElement[Any]]:
    """The order in which workers will come to steps that wait, as far as that can be told: the first of each queue is the one that is claimed
    next, see ``store.line``. Behind it keys of one rank are taken to go on in turns, a job each; how long these will take nobody knows.
    """
    can_begin = and_(
        Step.state == StepState.QUEUED, Step.available_at <= func.statement_timestamp(), quotas.may_go_on()
    )
    of_key = (Step.queue, Step.share_id, Step.rank, can_begin)
    nth = func.dense_rank().over(partition_by=of_key, order_by=Step.job_id)
    standing = func.coalesce(Share.standing, literal_column("float8 '-infinity'"))
    return [Step.rank, nth, standing, Step.share_id, Step.job_id, Step.id]  # type: ignore[list-item]


def look(session: Session, *, live_within: timedelta) -> Queues:
    """The work and the workers of this moment, in four queries; a step that was told to stop counts while it runs, one that
    waits for an earlier phase does not.
    """
    can_be_claimed = (Step.state == StepState.QUEUED) & (Step.phase == Job.phase)
    failure = Step.error["code"].astext
    query = (
        select(Step.job_id, Step.queue, Step.state, Step.available_at, failure, Step.lease_owner, Step.lease_expires_at)
        .join(Job, Job.id == Step.job_id)
        .outerjoin(Share, Share.id == Step.share_id)
        .where(or_(Step.state == StepState.RUNNING, can_be_claimed), Job.state.not_in(FINISHED))
        .order_by(*_in_line())
    )
    unfinished = [Unfinished._make(row) for row in session.execute(query, execution_options=EVERY_PROJECT)]
    return Queues(unfinished, workers.live(session, within=live_within), clock(session), quotas.held(session))


def _named(some: Sequence[Worker]) -> str:
    if len(some) > 1:
        return f"{len(some)} workers"
    return f"the worker of {some[0].hostname} ({some[0].device})"
