"""Along the plan: the next phase of a job once every step of this one has succeeded, and how far it is. The job is locked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

from sqlalchemy.orm import Session

from dna_engine.effort import timing
from dna_engine.plans import Kind, plan_of
from dna_engine.plans import Step as PlannedStep
from dna_engine.space import CellRef
from dna_engine.spec import ResolvedSpec, parse_job
from store import jobs, moves, outbox, results, steps, workers
from store.progress import Work, estimate, planned
from store.states import JobState, StepState
from store.tables import Job, Step

#: How the cells of a search are spread over workers; the scheduler's. May read the live workers from the session.
Grouping = Callable[[Session, Kind, ResolvedSpec], Sequence[Sequence[CellRef]]]


def advance(session: Session, job: Job, group: Grouping, *, max_attempts: int, live_within: timedelta) -> None:
    """The steps of the next phase, once every step of this one has succeeded; after the last, the job has."""
    plan, before = plan_of(parse_job(job.resolved)), job.phase
    begun: list[Step] = []
    while not begun and _is_complete(session, job):
        following = plan.after(job.phase)
        if following is None:
            job.progress = 1.0
            moves.finish(session, job, JobState.SUCCEEDED)
            return
        job.phase = following
        begun = _begin_phase(session, job, group, max_attempts=max_attempts)
    update_progress(session, job, live_within)
    if job.phase != before:
        jobs.announce(session, job)
    moves.announce_steps(session, job, begun)
    if job.cancel_requested:
        moves.cancel_queued(session, job)
    moves.settle(session, job)


def _is_complete(session: Session, job: Job) -> bool:
    others = moves.steps_in(session, job, *(state for state in StepState if state != StepState.SUCCEEDED))
    return not any(step.phase == job.phase for step in others)


def _begin_phase(session: Session, job: Job, group: Grouping, *, max_attempts: int) -> list[Step]:
    """The new steps of the phase; of one that was begun before something earlier was made again, none: those that wait are woken."""
    known = [step for step in steps.of_job(session, job.id) if step.phase == job.phase]
    for step in known:
        if step.state == StepState.QUEUED:
            outbox.wake(session, step)
    if known:
        return []
    to_do = plan_of(parse_job(job.resolved)).steps(job.phase, partial(group, session))
    added = steps.add(session, job, job.phase, to_do, max_attempts=max_attempts)
    results.plan_trainings(session, job, added)
    return added


def update_progress(session: Session, job: Job, live_within: timedelta) -> None:
    """Progress and time left, from what the steps say and what the plan leaves.

    Args:
        live_within: workers that were seen within this time share what is left.
    """
    session.flush()
    spec = parse_job(job.resolved)
    seconds = timing(spec)
    made = [
        Work(
            kind=step.kind,
            phase=step.phase,
            state=step.state,
            planned=seconds(step.planned),
            fraction=step.progress,
            engine_seconds=step.engine_seconds,
            eta_seconds=step.eta_seconds,
            weight=_weight(step.planned, seconds),
        )
        for step in steps.of_job(session, job.id)
    ]
    said = estimate(job.phase, made, planned(spec, seconds), workers.fleet(session, within=live_within))
    job.progress, job.eta_seconds = said.progress, said.eta_seconds


def _weight(step: PlannedStep, seconds: Callable[[PlannedStep], float]) -> float | None:
    """Each of its cells as if it were alone."""
    if not step.cells:
        return None
    return sum(seconds(step.model_copy(update={"cells": [cell]})) for cell in step.cells)
