"""A step of several cells is divided: whoever holds it keeps some, the others become steps that any worker may take.

Each part goes on from the checkpoint of the whole, in which every cell has its own state: nothing is done again, and what comes out is
the same. The stored file gets a name for each part, and is deleted when no part needs it any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from dna_engine.effort import seconds
from dna_engine.events import Log
from dna_engine.plans import divide as divided
from dna_engine.space import CellRef
from store import artifacts, claims, events, moves, steps
from store.claims import Claim
from store.events import NewEvent
from store.states import EventType
from store.tables import Job, Step


def divide(session: Session, claim: Claim, groups: Sequence[Sequence[CellRef]]) -> Claim:
    """What the claimant holds from now on: the step with the first group of its cells. Its engine has not begun.

    Raises:
        LeaseLost: the step is not the claimant's any more.
    """
    job, step = claims.held(session, claim)
    own, *others = divided(claim.step, groups, {each.key for each in steps.of_job(session, job.id)})
    step.payload, step.parts = own.model_dump(mode="json"), []
    step.expected_seconds = seconds(own, claim.spec)
    added = steps.add(session, job, step.phase, others, max_attempts=step.max_attempts)
    for part in added:
        called = {
            claim.step.checkpoint: part.planned.checkpoint,
            claim.step.checkpoint_before: part.planned.checkpoint_before,
        }
        missing = artifacts.share(session, job.id, job.id, list(called), called=called)
        if claim.step.checkpoint not in missing:  # It is as far as the whole was.
            part.done, part.total, part.unit = step.done, step.total, step.unit
    moves.announce_steps(session, job, added)
    _tell(session, job, step, added)
    return replace(claim, step=own)


def _tell(session: Session, job: Job, step: Step, added: Sequence[Step]) -> None:
    handed = "; ".join(f"{', '.join(part.planned.cells)} ({part.key})" for part in added)
    said = Log(message=f"Idle workers can take cells of {step.key} over: {handed}.")
    told = {"step": step.key, **said.model_dump(mode="json", exclude={"event"})}
    events.append(session, job, [NewEvent(EventType.LOG, told)])
