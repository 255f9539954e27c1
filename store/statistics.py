"""Figures over many rows: what finished steps took, and how much there is of what."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Double, func, select
from sqlalchemy.orm import Session

from dna_engine.plans import Kind
from dna_engine.plans import Step as PlannedStep
from dna_engine.spec import ResolvedJob, parse_job
from store import quotas
from store.actors import EVERY_PROJECT
from store.states import FINISHED, DeliveryState, JobKind, JobState, StepState
from store.tables import Delivery, Job, Step, Webhook


@dataclass(frozen=True)
class FinishedStep:
    """What a step did, and the seconds its engine ran for it."""

    step: PlannedStep
    spec: ResolvedJob
    engine_seconds: float


def finished_steps(
    session: Session, kind: Kind, *, device: str, at_least: float = 0.0, limit: int = 10
) -> list[FinishedStep]:
    """The latest steps of that kind that succeeded at the first attempt on devices of that type (``cpu``, ``cuda``), whoever asked for
    them: they tell how fast devices are.

    Args:
        at_least: seconds that their engine ran.
    """
    query = (
        select(Step.payload, Job.resolved, Step.engine_seconds)
        .join(Job, Job.id == Step.job_id)
        .where(
            Step.kind == kind,
            Step.state == StepState.SUCCEEDED,
            Step.attempt == 1,
            Step.engine_seconds > 0,
            Step.engine_seconds >= at_least,
            Step.device.startswith(device, autoescape=True),
            Step.values["state"].astext.is_distinct_from("pruned"),  # It did less than it was to.
        )
        .order_by(Step.id.desc())
        .limit(limit)
    )
    return [
        FinishedStep(PlannedStep.model_validate(payload), parse_job(resolved), seconds)
        for payload, resolved, seconds in session.execute(query, execution_options=EVERY_PROJECT)
    ]


def jobs_by_state(session: Session, kind: JobKind) -> dict[JobState, int]:
    """Number of jobs of that kind in each state, none left out."""
    query = select(Job.state, func.count()).where(Job.kind == kind).group_by(Job.state)
    return dict.fromkeys(JobState, 0) | dict(session.execute(query).all())


def waiting_steps(session: Session) -> dict[str, int]:
    """Number of queued steps by queue, without those that wait for an earlier phase in which something is made again, or for a place of
    their key: another worker is no use to them."""
    query = (
        select(Step.queue, func.count())
        .join(Job, Job.id == Step.job_id)
        .where(Step.state == StepState.QUEUED, Step.phase == Job.phase, quotas.may_go_on())
        .group_by(Step.queue)
    )
    return dict(session.execute(query).all())


def oldest_waiting(session: Session) -> dict[str, float]:
    """For how many seconds the step that has waited longest could have been claimed, by queue: one whose key has no place for its job
    now, or that was told to wait, is none of them."""
    waited = func.extract("epoch", func.clock_timestamp() - func.min(Step.available_at)).cast(Double)
    query = (
        select(Step.queue, waited)
        .join(Job, Job.id == Step.job_id)
        .where(
            Step.state == StepState.QUEUED,
            Step.available_at <= func.clock_timestamp(),
            Step.phase == Job.phase,
            Job.cancel_requested.is_(False),
            Job.state.not_in(FINISHED),
            quotas.may_go_on(),
        )
        .group_by(Step.queue)
    )
    return dict(session.execute(query).all())


def running_steps(session: Session) -> dict[Kind, int]:
    """Number of steps that run, of each kind, none left out."""
    query = select(Step.kind, func.count()).where(Step.state == StepState.RUNNING).group_by(Step.kind)
    return dict.fromkeys(Kind, 0) | dict(session.execute(query).all())


def webhooks_by_state(session: Session) -> dict[bool, int]:
    """Number of webhooks that are enabled, and of those that are not."""
    query = select(Webhook.enabled, func.count()).group_by(Webhook.enabled)
    return {True: 0, False: 0} | dict(session.execute(query).all())


def waiting_messages(session: Session) -> int:
    """Number of messages to webhooks that are due, and neither sent nor given up."""
    due = (Delivery.state == DeliveryState.PENDING) & (Delivery.next_at <= func.clock_timestamp())
    query = select(func.count()).select_from(Delivery).join(Webhook, Webhook.id == Delivery.webhook_id)
    return session.scalars(query.where(due, Webhook.enabled)).one()
