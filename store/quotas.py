"""What keys have used, held against their limits. Two requests at once cannot both take the last place: they count one after the other.

Jobs count for the key that asked for them, whoever resumes them. Device-hours are what the engine's processes ran for steps that need a device,
times the devices of the step; they count when they are told, also of attempts that failed and of jobs that were deleted since.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Double, Select, Subquery, case, exists, func, null, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from dna_engine.plans.files import GIVEN, GIVEN_WEIGHTS
from dna_engine.plans.steps import devices_of
from dna_engine.spec import Priority
from store import outbox, shares
from store.actors import EVERY_PROJECT, actor_of
from store.errors import PriorityTooHigh, QueueFull, QuotaSpent
from store.limits import Limits
from store.states import JobKind, JobState, StepState
from store.tables import ApiKey, Artifact, DeviceUse, Job, Step, Teacher

#: Device-hours of so long count, by days of UTC: today's and those of the 29 days before.
WINDOW = timedelta(days=30)

#: The condition of :func:`may_go_on` on a queued job's key, for statements that are written as text: to be formatted with the key's id, in which
#: other ids than keys' may begin everything. ``:days`` are those of :data:`WINDOW`.
MAY_BEGIN = """NOT EXISTS (
    SELECT FROM api_keys key WHERE key.id = {} AND (
        (SELECT count(*) FROM jobs begun WHERE begun.key_id = key.id AND begun.state = 'running')
            >= (key.limits ->> 'running_jobs')::bigint
        OR (SELECT coalesce(sum(seconds), 0) / 3600 FROM device_use WHERE key_id = key.id AND day > current_date - :days)
            >= (key.limits ->> 'device_hours')::float8
    )
)"""


@dataclass(frozen=True)
class Use:
    """What a key uses just now; device-hours within :data:`WINDOW`."""

    running_jobs: int
    queued_jobs: int
    device_hours: float
    stored_bytes: int


def used(session: Session, key_id: UUID, *, arriving: int = 0) -> Use:
    """What a key uses.

    Args:
        arriving: bytes of its uploads that are not datasets yet.
    """
    jobs = {state: _jobs(session, key_id, state) for state in (JobState.RUNNING, JobState.QUEUED)}
    hours, stored = _device_hours(session, key_id), _stored_bytes(session, key_id)
    return Use(jobs[JobState.RUNNING], jobs[JobState.QUEUED], hours, stored + arriving)


def admit(session: Session) -> None:
    """Asks before a job is queued whether the key may have one more. Others of the key wait until the transaction ends.

    Raises:
        QuotaSpent: its device-hours are used up.
        QueueFull: as many of its jobs wait as may.
    """
    actor = actor_of(session)
    if actor.key_id is not None:
        _admit(session, actor.key_id, actor.limits)


def admit_again(session: Session, job: Job) -> None:
    """The same of a job that is resumed. Raises as :func:`admit`."""
    if job.key_id is not None:
        key = session.get_one(ApiKey, job.key_id)
        _admit(session, key.id, Limits.model_validate(key.limits))


def _admit(session: Session, key_id: UUID, limits: Limits) -> None:
    if limits.device_hours is not None and (hours := _device_hours(session, key_id)) >= limits.device_hours:
        raise QuotaSpent(
            f"The jobs of this key took {hours:.1f} device-hours in the last {WINDOW.days} days, and it may use {limits.device_hours:g}. Wait until "
            "some of it is longer ago, or ask whoever manages keys for more."
        )
    if limits.running_jobs is not None:
        _alone(session, "run", key_id)  # A job that ends announces this one, or has ended when this one is announced.
    if limits.queued_jobs is not None:
        _alone(session, "queue", key_id)
        if _jobs(session, key_id, JobState.QUEUED) >= limits.queued_jobs:
            raise QueueFull(
                f"{limits.queued_jobs} jobs of this key wait in the queue, and more may not. Try again when one has begun, or cancel one."
            )


def allowed(session: Session, priority: Priority | None) -> Priority:
    """The same priority, where the caller may give it to a job; None is as high as it may, but no higher than normal.

    Raises:
        PriorityTooHigh: its key may not.
    """
    most = actor_of(session).limits.priority
    if priority is None:
        return min(Priority.NORMAL, most or Priority.NORMAL, key=lambda each: each.rank)
    if most is not None and priority.rank > most.rank:
        raise PriorityTooHigh(
            f"Jobs of this key have the priority {most} at most, not {priority}. Ask for {most}, or whoever manages keys for more."
        )
    return priority


def keep(session: Session, more: int, *, arriving: Callable[[], int]) -> None:
    """Asks before so many bytes are kept whether the key may keep them. Others of the key wait until the transaction ends.

    Args:
        arriving: counts those of its other uploads that are not datasets yet; asked while nobody else of the key begins one.

    Raises:
        QuotaSpent: it may not.
    """
    actor = actor_of(session)
    if actor.key_id is None or actor.limits.stored_bytes is None:
        return
    _alone(session, "bytes", actor.key_id)
    kept = _stored_bytes(session, actor.key_id) + arriving()
    if kept + more > actor.limits.stored_bytes:
        raise QuotaSpent(
            f"{more:,} bytes more would make {kept + more:,} that are kept for this key, and it may keep {actor.limits.stored_bytes:,}. Delete "
            "datasets or teachers that are not needed any more, or ask whoever manages keys for more."
        )


def recount(session: Session, key_id: UUID | None) -> None:
    """Asks whether a key may keep what was made of what it had sent, which may be more: its rows are there. Others of the key wait until the
    transaction ends.

    Raises:
        QuotaSpent: it may not.
    """
    most = None if key_id is None else Limits.model_validate(session.get_one(ApiKey, key_id).limits).stored_bytes
    if key_id is None or most is None:
        return
    _alone(session, "bytes", key_id)
    if (kept := _stored_bytes(session, key_id)) > most:
        raise QuotaSpent(
            f"As they are kept, these images would make {kept:,} bytes that are kept for this key, and it may keep {most:,}. Send fewer or smaller "
            "images, delete datasets or teachers that are not needed any more, or ask whoever manages keys for more."
        )


def spend(session: Session, job: Job, step: Step, seconds: float) -> None:
    """The engine ran so long for the step."""
    step.engine_seconds += seconds
    devices = devices_of(step.queue)
    if not devices or seconds <= 0:
        return
    shares.take(session, step.share_id, devices * seconds)
    if job.key_id is None:
        return
    row = insert(DeviceUse).values(key_id=job.key_id, day=func.current_date(), seconds=devices * seconds)
    session.execute(
        row.on_conflict_do_update(
            index_elements=["key_id", "day"], set_={"seconds": DeviceUse.seconds + row.excluded.seconds}
        )
    )


def has_place(session: Session, key_id: UUID, limits: Limits) -> bool:
    """Whether a queued job of the key may begin to run: it has device-hours left, and a place. Others of the key wait for the answer until the
    transaction ends."""
    if limits.device_hours is not None and _device_hours(session, key_id) >= limits.device_hours:
        return False
    if limits.running_jobs is None:
        return True
    _alone(session, "run", key_id)
    return _jobs(session, key_id, JobState.RUNNING) < limits.running_jobs


def leave_place(session: Session, job: Job) -> None:
    """The job has ended: announces who has waited for its place, which nobody has where the key has no limit of them."""
    if job.key_id is not None and session.scalar(select(_limit()).where(ApiKey.id == job.key_id)) is not None:
        announce_next(session, job.key_id)


def announce_next(session: Session, key_id: UUID) -> None:
    """Announces the steps of the jobs that wait for a place of the key, where it has one. To be called when its limits have changed.

    Their first messages were for nothing: whoever was woken found that they may not run. Of each queue the oldest jobs are announced, as many as
    there are places, since nobody knows which queue has an idle worker; whoever comes too late finds no place, and is announced again.
    """
    _alone(session, "run", key_id)
    most = session.scalar(select(_limit()).where(ApiKey.id == key_id))
    places = None if most is None else most - _jobs(session, key_id, JobState.RUNNING)
    if places is None or places > 0:
        for step in session.scalars(_next_steps(key_id, places), execution_options=EVERY_PROJECT).all():
            outbox.wake(session, step)


def _next_steps(key_id: UUID, places: int | None) -> Select[Step]:
    """The steps with which queued jobs of the key would begin: of each queue those of as many jobs as there are places; None: of all."""
    rank = func.dense_rank().over(partition_by=Step.queue, order_by=Step.job_id).label("rank")
    waiting = (Job.key_id == key_id, Job.state == JobState.QUEUED, Step.state == StepState.QUEUED)
    ranked = select(Step.id, rank).join(Job, Job.id == Step.job_id).where(*waiting, Step.phase == Job.phase).subquery()
    query = select(Step).join(ranked, ranked.c.id == Step.id).order_by(Step.job_id, Step.id)
    return query if places is None else query.where(ranked.c.rank <= places)


def may_go_on() -> ColumnElement[bool]:
    """The condition on jobs that they run, or that their key has device-hours and a place left for them; claimed, it is asked again."""
    return or_(Job.state != JobState.QUEUED, Job.key_id.is_(None), Job.key_id.not_in(select(_at_limit().c.id)))


def held(session: Session) -> Mapping[UUID, int | None]:
    """The queued jobs of all projects that wait for a place of their key, and how many places that has; None where it has no device-hours left."""
    limited = _at_limit()
    query = select(Job.id, limited.c.places).join(limited, limited.c.id == Job.key_id)
    return dict(session.execute(query.where(Job.state == JobState.QUEUED), execution_options=EVERY_PROJECT).all())


def _at_limit() -> Subquery:
    """Keys none of whose queued jobs may begin, and for how many there is a place: asked once for each key, however many jobs it has."""
    running = select(func.count(Job.id)).where(Job.key_id == ApiKey.id, Job.state == JobState.RUNNING)
    places = case((_spent(), null()), else_=_limit()).label("places")
    full = running.correlate(ApiKey).scalar_subquery() >= _limit()
    return select(ApiKey.id, places).where(or_(full, _spent())).subquery()


def _limit() -> ColumnElement[int]:
    limit: ColumnElement[int] = ApiKey.limits["running_jobs"].astext.cast(BigInteger)
    return limit


def _spent() -> ColumnElement[bool]:
    """The condition on keys that their device-hours are used up."""
    hours = ApiKey.limits["device_hours"].astext.cast(Double)
    recent = (DeviceUse.key_id == ApiKey.id, DeviceUse.day > func.current_date() - WINDOW.days)
    taken = select(func.coalesce(func.sum(DeviceUse.seconds), 0.0)).where(*recent).correlate(ApiKey).scalar_subquery()
    spent: ColumnElement[bool] = taken / 3600 >= hours
    return spent


def _jobs(session: Session, key_id: UUID, state: JobState) -> int:
    query = select(func.count(Job.id)).where(Job.key_id == key_id, Job.state == state)
    return session.scalars(query, execution_options=EVERY_PROJECT).one()


def _device_hours(session: Session, key_id: UUID) -> float:
    recent = DeviceUse.day > func.current_date() - WINDOW.days
    query = select(func.coalesce(func.sum(DeviceUse.seconds), 0.0)).where(DeviceUse.key_id == key_id, recent)
    return session.scalars(query).one() / 3600


def _stored_bytes(session: Session, key_id: UUID) -> int:
    """Of its datasets all that is kept, of its teachers the weights, also of those that were deleted and that its searches still keep."""
    of_datasets = select(func.coalesce(func.sum(Artifact.size), 0)).join(Job, Job.id == Artifact.job_id)
    of_datasets = of_datasets.where(Job.kind == JobKind.CHECK, Job.key_id == key_id)
    weights = func.sum(Teacher.weights["size"].astext.cast(BigInteger))
    of_teachers = select(func.coalesce(weights, 0)).where(Teacher.key_id == key_id)
    queries = (of_datasets, of_teachers, _of_teachers_deleted(key_id))
    return sum(int(session.scalars(query, execution_options=EVERY_PROJECT).one()) for query in queries)


def _of_teachers_deleted(key_id: UUID) -> Select[int]:
    """The bytes of files of teachers that were sent and are no more, each once, by the searches of the key that began with them."""
    given = (Job.key_id == key_id, Artifact.name.in_([GIVEN_WEIGHTS, GIVEN]))
    sent = Job.resolved["teacher"]["given"]["kind"].astext == "upload"
    names_it = [blob["location"].astext == Artifact.location for blob in (Teacher.weights, Teacher.about)]
    counted = exists().where(or_(*names_it)).correlate(Artifact)
    files = select(Artifact.location, Artifact.size).join(Job, Job.id == Artifact.job_id).where(*given, sent, ~counted)
    return select(func.coalesce(func.sum(files.distinct().subquery().c.size), 0))


def _alone(session: Session, what: str, key_id: UUID) -> None:
    """Until the transaction ends nobody else counts this of the key."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"quota {what} {key_id}", 0))))
