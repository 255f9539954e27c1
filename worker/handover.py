"""Workers that have nothing to do take cells over from those that have many.

::

    idle worker    asks the step whose end it can bring forward most to yield    (ask)
    its worker     stops after a checkpoint, and gives the step back
    whoever comes  claims it, keeps its share of the cells, and leaves the others to the idle workers    (take_share)

So a step that was given back by a worker that leaves, or taken from one that was lost, is shared in the same way, without being asked.
Sharing costs: an engine stops and two begin, and the teacher runs once more. It is done only where that brings the end forward by
``DNA_HAND_OVER_SECONDS``, and to a step that has run for as long: so at most once in that time, and not near its end.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dna_engine.effort import work
from dna_engine.plans import SPREAD_KINDS
from dna_engine.plans.steps import device_queue, of_search
from dna_engine.space import CellRef
from dna_engine.spec import parse_job
from store import claims, division, line, speeds, steps, workers
from store.claims import Claim
from store.session import clock
from store.states import StepState
from store.tables import Job, Step, Worker
from worker.scheduling import Costs, assign, step_costs
from worker.settings import WorkerSettings
from worker.supervisor import CHECKPOINT_GRACE

logger = logging.getLogger("dna.worker.handover")

#: Of spread steps.
QUEUE = device_queue(1)

#: So much faster is worth waiting for: measurements differ by less.
FASTER = 1.2
#: How long a step may wait for such a worker.
PATIENCE = timedelta(seconds=5)

#: What its owner reads.
REASON = "idle workers take some of its cells over"


@dataclass(frozen=True)
class Share:
    """Groups of cells for workers, that of the one who has them first, and by how many seconds their end comes forward."""

    groups: list[list[CellRef]]
    saved: float


def share(costs: Costs, rates: Sequence[float], seconds: float) -> Share:
    """How cells are best shared.

    Args:
        rates: how fast workers are, first the one who has the cells.
        seconds: that it would still take alone.
    """
    groups = assign(costs, rates)
    alone = costs.load(list(costs.cells)) / rates[0]
    return Share(groups, seconds * (1 - costs.end(groups, rates) / alone))


def ask(session: Session, worker: Worker, settings: WorkerSettings) -> bool:
    """Asks a step of several cells to yield, where idle workers, of which this is one, bring its end forward enough; whether one was asked.

    None is where something waits that an idle worker can take, or a step was asked already: its cells are not known to be taken yet, unless it hangs.
    """
    idle = workers.idle(session, QUEUE, within=settings.worker_timeout)
    if worker.id not in [each.id for each in idle] or line.waits(session, QUEUE):
        return False
    running = _running(session, settings.hand_over_seconds)
    hanging = clock(session) - max(CHECKPOINT_GRACE, timedelta(seconds=settings.hand_over_seconds))
    if any(step.yield_asked_at is not None and step.yield_asked_at > hanging for step, _ in running):
        return False
    offers = [(_saved(session, step, job, idle), step) for step, job in running if step.yield_reason is None]
    saved, step = max(offers, key=lambda offer: offer[0], default=(0.0, None))
    if step is None or saved < settings.hand_over_seconds:
        return False
    logger.info(
        "%s of job %s is to yield: its cells end %.0f s sooner on idle workers too.", step.key, step.job_id, saved
    )
    return claims.ask_to_yield(session, step.id, step.fence, REASON)


def _running(session: Session, at_least: float) -> list[tuple[Step, Job]]:
    """Steps with cells to share that run, have run for so many seconds, and say that they need as many more."""
    query = (
        select(Step, Job)
        .join(Job, Job.id == Step.job_id)
        .where(
            Step.state == StepState.RUNNING,
            Step.kind.in_(SPREAD_KINDS),
            func.jsonb_array_length(Step.payload["cells"]) > 1,
            Step.started_at < func.clock_timestamp() - timedelta(seconds=at_least),
            Step.eta_seconds > at_least,
            Job.cancel_requested.is_(False),
        )
        .order_by(Step.id)
    )
    return [(step, job) for step, job in session.execute(query)]


def _saved(session: Session, step: Step, job: Job, idle: Sequence[Worker]) -> float:
    """Seconds by which the end of a running step comes forward."""
    owner = session.get(Worker, step.lease_owner)
    if owner is None or step.eta_seconds is None:
        return 0.0
    rates = speeds.rates(session, step.kind, [owner, *idle])
    return share(_costs(step, job), rates, step.eta_seconds).saved


def take_share(session: Session, claim: Claim, worker: Worker, settings: WorkerSettings) -> Claim:
    """Leaves cells of a step that was just claimed to idle workers, where that brings their end forward enough; what the claimant keeps.

    Half of what is gained by asking is enough here: a step that was given back for it has moved on since, and nobody is stopped.
    """
    if claim.step.kind not in SPREAD_KINDS or len(claim.step.cells) < 2:
        return claim
    others = [each for each in workers.idle(session, QUEUE, within=settings.worker_timeout) if each.id != worker.id]
    if not others or line.waits(session, QUEUE):
        return claim
    step, job = steps.get(session, claim.step_id), session.get_one(Job, claim.job_id)
    rates = speeds.rates(session, step.kind, [worker, *others])
    left = work(claim.step, claim.spec) * (1 - step.progress) / rates[0]
    shared = share(_costs(step, job), rates, left)
    groups = [
        shared.groups[0],
        *filter(None, shared.groups[1:]),
    ]  # Where a faster one is best alone, the claimant keeps all.
    if shared.saved < settings.hand_over_seconds / 2 or len(groups) == 1 or not groups[0]:
        return claim
    return division.divide(session, claim, groups)


class LeftToFaster(Exception):
    """What waits is left to idle workers that are faster at it."""


def suited(session: Session, step: line.Next, worker: Worker, settings: WorkerSettings) -> UUID:
    """Which of the steps that wait beside the next one, with other cells of the same search, is for the worker: the largest for the fastest
    idle worker, the next for the second, and so on, by however little. For their sizes are those speeds', and the other way round would
    end later than if all had been taken for equal.

    Raises:
        LeftToFaster: there is none for it, since as many others are faster by much. That is said for a few seconds: those that have not come by
            then do not come.
    """
    if step.kind not in SPREAD_KINDS:
        return step.id
    first = session.get(Step, step.id)
    waiting = [] if first is None else _beside(session, first)
    job = None if first is None else session.get(Job, first.job_id)
    if first is None or job is None or not waiting:
        return step.id  # It was taken or deleted since: whoever claims it finds so.
    idle = [each for each in workers.idle(session, QUEUE, within=settings.worker_timeout) if each.id != worker.id]
    if not idle and len(waiting) < 2:
        return step.id
    spec = parse_job(job.resolved)
    waiting.sort(key=lambda step: -work(step.planned, spec) * (1 - step.progress))
    own, *rates = speeds.rates(session, first.kind, [worker, *idle])
    much_faster, faster = (sum(rate > own * times for rate in rates) for times in (FASTER, 1))
    if much_faster >= len(waiting) and any(clock(session) - step.queued_at < PATIENCE for step in waiting):
        raise LeftToFaster(f"{first.key} is left to a faster worker that is idle")
    return waiting[min(faster, len(waiting) - 1)].id


def _beside(session: Session, step: Step) -> list[Step]:
    """The steps of that kind of the same search that can be claimed."""
    query = select(Step).where(
        Step.job_id == step.job_id,
        Step.phase == step.phase,
        Step.kind == step.kind,
        Step.state == StepState.QUEUED,
        Step.available_at <= func.clock_timestamp(),
    )
    return list(session.scalars(query.order_by(Step.id)))


def _costs(step: Step, job: Job) -> Costs:
    cells = [CellRef.parse(cell) for cell in step.planned.cells]
    return step_costs(step.kind, of_search(parse_job(job.resolved)), cells)
