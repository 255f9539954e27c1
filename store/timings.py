"""Rows of timings: networks that run alone on a worker's device, to see how long they take."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from dna_engine.spec import ResolvedTiming
from store import jobs
from store.columns import new_id
from store.pages import Page, page
from store.states import JobKind
from store.tables import Architecture, TimingJob


def create(session: Session, network: Architecture, *, max_attempts: int) -> TimingJob:
    """A queued timing with its step, its wake and its first event."""
    job = TimingJob(id=new_id(), spec={"architecture": str(network.id)})
    spec = ResolvedTiming(
        name=f"timing of {network.id}",
        seed=0,
        labels={},
        architecture_id=str(network.id),
        architecture=network.architecture,
    )
    jobs.add(session, job, spec, max_attempts=max_attempts)
    return job


def listing(session: Session, architecture_id: UUID, *, after: UUID | None = None, limit: int = 20) -> Page[TimingJob]:
    """A page of the timings of a network, newest first."""
    query = select(TimingJob).where(
        TimingJob.kind == JobKind.TIMING, TimingJob.resolved["architecture_id"].astext == str(architecture_id)
    )
    return page(session, query, TimingJob.id, after=after, limit=limit)
