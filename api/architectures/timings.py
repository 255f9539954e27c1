"""How long networks take whole, on the devices of workers."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from api.architectures.schemas import TimingOut
from api.errors import Conflict
from api.jobs.schemas import Failure
from api.jobs.waits import Waits
from api.pagination import Page, encode
from dna_engine.plans.results import NetworksTimed
from store import architectures, steps, timings, waiting
from store.states import FINISHED, Role, StepState
from store.tables import Step, TimingJob
from store.waiting import Queues, Wait, unmanned


def create(session: Session, architecture_id: UUID, *, max_attempts: int, live_within: timedelta) -> TimingOut:
    """A queued timing of the network.

    Raises:
        NotFound: there is none of that id.
        Conflict: it is a standard one, which is built otherwise.
    """
    network = architectures.get(session, architecture_id)
    if network.role is Role.REFERENCE:
        raise Conflict(
            f"{network.name} is a standard network, which a search trains beside its own: networks of our own alone are timed."
        )
    timing = timings.create(session, network, max_attempts=max_attempts)
    [step] = steps.of_job(session, timing.id)
    return _shown(timing, step, waiting.look(session, live_within=live_within))


def listing(
    session: Session, architecture_id: UUID, waits: Waits, *, after: UUID | None, limit: int
) -> Page[TimingOut]:
    """A page of its timings, newest first.

    Raises:
        NotFound: there is no network of that id.
    """
    architectures.get(session, architecture_id)
    found = timings.listing(session, architecture_id, after=after, limit=limit)
    queues = waits.of([timing.id for timing in found.items if timing.state not in FINISHED])
    of = {step.job_id: step for step in steps.of_jobs(session, [timing.id for timing in found.items])}
    items = [_shown(timing, of[timing.id], queues) for timing in found.items]
    return Page(items=items, next=encode(str(found.next)) if found.next else None)


def _shown(timing: TimingJob, step: Step, queues: Queues) -> TimingOut:
    found = NetworksTimed.model_validate(step.values) if step.state is StepState.SUCCEEDED else None
    took = found and found.networks[0]
    # The look at the queues may be a moment older, and of when it was not over.
    wait = Wait() if timing.state in FINISHED else queues.wait(timing.id)
    return TimingOut(
        id=timing.id,
        state=timing.state,
        **vars(wait),
        warnings=[] if timing.state in FINISHED else unmanned(queues.live, [step.queue]),
        device=found and found.device,
        cpu=found and found.cpu,
        threads=found and found.threads,
        torch=took and took.torch,
        onnxruntime=took and took.onnxruntime,
        torch_version=found and found.torch_version,
        onnxruntime_version=found and found.onnxruntime_version,
        error=Failure.model_validate(timing.error) if timing.error else None,
        created_at=timing.created_at,
        created_by=timing.created_by,
        project=timing.project,
    )
