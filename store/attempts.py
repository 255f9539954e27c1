"""Attempts at steps, one after another: who ran a step from when to when, and what came of it.

A step keeps its last attempt alone. Here each has a row, written where a step is claimed, see ``store.claiming``, and ended where its lease ends.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session, load_only

from dna_engine.effort import work
from dna_engine.plans import Kind
from dna_engine.spec import ResolvedJob
from store import tallies
from store.session import clock
from store.states import AttemptOutcome
from store.tables import Attempt, Step

#: Kinds of step whose work is known well enough to tell how fast a device is. A trial may be ended early.
MEASURED_KINDS = frozenset({Kind.TEACHER, Kind.DISTILL, Kind.RATE, Kind.FINALIST, Kind.TRAIN})


def end(
    session: Session,
    step: Step,
    outcome: AttemptOutcome,
    reason: str | None = None,
    *,
    spec: ResolvedJob | None = None,
) -> None:
    """The attempt at the step that was begun last has come to that.

    Args:
        reason: why the step was given back, as a sentence's end.
        spec: of the job, where the attempt has done what the step says: it tells how fast its device is.
    """
    engine_seconds = step.engine_seconds - Attempt.engine_before
    measured = spec is not None and step.kind in MEASURED_KINDS and step.planned.devices == 1
    done = work(step.planned, spec) * (step.progress - Attempt.progress_before) if spec and measured else None
    ended = session.execute(
        update(Attempt)
        .where(Attempt.step_id == step.id, Attempt.fence == step.fence, Attempt.outcome == AttemptOutcome.RUNNING)
        .values(outcome=outcome, reason=reason, finished_at=clock(session), engine_seconds=engine_seconds, work=done)
        .returning(Attempt.started_at, Attempt.finished_at)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if ended is not None:
        seconds = (ended.finished_at - ended.started_at).total_seconds()
        tallies.observe(session, tallies.STEP_SECONDS, step.kind, outcome, seconds=seconds)


def of_job(session: Session, job_id: UUID, *, after: UUID | None, limit: int) -> list[tuple[Attempt, Step]]:
    """Attempts at the steps of a job behind that one, in the order in which they were begun, each with its step."""
    query = (
        select(Attempt, Step)
        .join(Step, Step.id == Attempt.step_id)
        .where(Attempt.job_id == job_id)
        .options(load_only(Step.key, Step.kind, Step.phase, Step.engine_seconds))
        .order_by(Attempt.id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(Attempt.id > after)
    return [(attempt, step) for attempt, step in session.execute(query)]
