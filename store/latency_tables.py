"""Latency tables that searches have left: what a device takes for each layer of a space is known before another search begins."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import JSON, cast, literal, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from dna_engine.plans import Kind, files
from dna_engine.spec import ResolvedSpec
from store import artifacts, workers
from store.states import StepState
from store.tables import Artifact, Job, Step


def known(session: Session, spec: ResolvedSpec, *, live_within: timedelta) -> Artifact | None:
    """The newest table of the search's space, input and classes, measured on what all live workers with a device have; None where there
    is none, or their devices differ.
    """
    names = {worker.device_name for worker in workers.live(session, within=live_within) if "gpu" in worker.queues}
    if len(names) != 1:
        return None
    query = (
        select(Step.job_id)
        .join(Job, Job.id == Step.job_id)
        .where(
            Step.kind == Kind.LATENCY,
            Step.state == StepState.SUCCEEDED,
            Step.values["device"].astext == names.pop(),
            Job.resolved["space"] == cast(literal(spec.space, JSON), JSONB),
            Job.resolved["input_size"].astext == str(spec.input_size),
            Job.resolved["dataset"]["num_classes"].astext == str(spec.dataset.num_classes),
        )
        .order_by(Step.id.desc())
        .limit(1)
    )
    job_id = session.scalar(query)
    return None if job_id is None else artifacts.named(session, job_id, [files.LATENCY]).get(files.LATENCY)
