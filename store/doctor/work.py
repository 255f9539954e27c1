"""The work and who does it: live workers by queue, their versions and clocks, leases, what waits for nobody, webhooks, keys."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from urllib.parse import urlsplit

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dna_engine.errors import DiskFull
from store import claims, keys, waiting, workers
from store.doctor import postgres
from store.doctor.findings import Finding, first, ok, several, warning, wrong
from store.session import clock
from store.settings import Settings
from store.spans import in_words
from store.states import JobState, StepState
from store.tables import Job, OutboxMessage, Step, Webhook, Worker
from store.waiting import Queues, Unfinished

WORKERS, VERSIONS, CLOCKS = "workers", "versions", "clocks"
LEASES, QUEUES, JOBS, OUTBOX, WEBHOOKS, KEYS = "leases", "queues", "jobs", "outbox", "webhooks", "keys"

#: What others notice when it is taken over late: the reaper looks every few seconds.
_OVERDUE = timedelta(seconds=30)
#: One that was silent for so long is not about to go on.
FORGOTTEN = timedelta(hours=1)
#: A message is sent within a second.
_UNSENT = timedelta(seconds=60)


def look(session: Session, settings: Settings) -> Iterator[Finding]:
    """Everything that rows tell. The schema is the one of this version."""
    live = workers.live(session, within=settings.worker_timeout)
    yield from _workers(session, live)
    yield from lost(session, settings)
    yield from _versions(live)
    yield from _clocks(live)
    yield from _leases(session, live)
    yield from _queues(waiting.look(session, live_within=settings.worker_timeout), settings)
    yield from _jobs(session)
    yield from _outbox(session, live)
    yield from _webhooks(session)
    yield from _keys(session)


def _workers(session: Session, live: Sequence[Worker]) -> Iterator[Finding]:
    for sentence in waiting.unmanned(live):
        yield warning(WORKERS, sentence)
    if live:
        queues = Counter(queue for worker in live for queue in worker.queues)
        hosts = sorted({worker.hostname for worker in live})
        said = ", ".join(f"{count} of {queue}" for queue, count in sorted(queues.items()))
        yield ok(WORKERS, f"{several(len(live), 'node')} on {first(hosts)}: {said}.")
    if unreached := [worker for worker in live if not workers.can_be_woken(worker)]:
        names = [f"{worker.hostname} process {worker.pid} ({worker.device})" for worker in unreached]
        yield wrong(
            WORKERS,
            f"Redis does not answer {several(len(unreached), 'node')}, which live and take nothing: {first(names)}.",
            "Run dna doctor on that machine: its DNA_REDIS_URL may be wrong, or its way to that address closed. It takes steps again when Redis answers.",
        )
    yield from postgres.too_few_connections(session.connection(), len(live))


def lost(session: Session, settings: Settings) -> Iterator[Finding]:
    """Workers that went without a word."""
    gone = silent(session, settings.worker_timeout)
    if gone:
        names = [f"{worker.hostname} process {worker.pid}" for worker in gone]
        long = len(silent(session, FORGOTTEN))
        yield warning(
            WORKERS,
            f"{several(len(gone), 'node')} went without a word: {first(names)}.",
            "See whether it was killed (memory?) or its machine is gone. They are forgotten after DNA_WORKER_DAYS.",
            fix=f"forget {long} of them, silent for an hour" if long else "",
        )


def silent(session: Session, span: timedelta) -> list[Worker]:
    """Those that were not heard of for so long, have not left, and run nothing that is still theirs."""
    held = select(Step.lease_owner).where(Step.state == StepState.RUNNING, Step.lease_owner.is_not(None))
    unheard = Worker.last_seen_at < clock(session) - span
    query = select(Worker).where(Worker.stopped_at.is_(None), unheard, Worker.id.not_in(held))
    return list(session.scalars(query.order_by(Worker.id)))


def _versions(live: Sequence[Worker]) -> Iterator[Finding]:
    ours = version("dna-automl")
    yield ok(VERSIONS, f"dna-automl {ours} here, on Python {sys.version.split()[0]}.")
    for package, advice in (
        ("dna-automl", "Bring all to one version: stop the workers, dna migrate, start all of it."),
        ("torch", "Results agree to the bit only between workers of one version."),
        ("timm", "Teachers of one name may differ between versions."),
    ):
        found = {worker.versions[package]: worker.hostname for worker in live if package in worker.versions}
        if package == "dna-automl":
            found.setdefault(ours, "this installation")
        if len(found) > 1:
            said = ", ".join(f"{number} on {host}" for number, host in sorted(found.items()))
            level = wrong if package == "dna-automl" else warning
            yield level(VERSIONS, f"{package} is of several versions: {said}.", advice)


def _clocks(live: Sequence[Worker]) -> Iterator[Finding]:
    """A worker's id holds the time of its machine when it started, beside which stands that of the database."""
    worst: dict[str, float] = {}
    for worker in live:
        theirs = datetime.fromtimestamp((worker.id.int >> 80) / 1000, UTC)
        worst[worker.hostname] = (theirs - worker.started_at).total_seconds()
    for host, ahead in sorted(worst.items()):
        if abs(ahead) > postgres.DRIFT:
            yield postgres.compared(CLOCKS, f"The machine of the worker {host} when it started", "PostgreSQL", ahead)
    if worst and all(abs(ahead) <= postgres.DRIFT for ahead in worst.values()):
        yield ok(CLOCKS, "The machines of all workers had the time of PostgreSQL when they started.")


def _leases(session: Session, live: Sequence[Worker]) -> Iterator[Finding]:
    overdue = [step for step in claims.expired(session) if _since(session, step.lease_expires_at) > _OVERDUE]
    if overdue:
        names = [f"{step.key} of job {step.job_id}" for step in overdue]
        why = "a live worker should have taken them over" if live else "no live worker is there to take them over"
        yield wrong(
            LEASES,
            f"{several(len(overdue), 'step')} of lost workers still count as running, and {why}: {first(names)}.",
            "See the log of the workers (reaper)." if live else "Start a worker.",
            fix="put them into the queue again, or end them where they were tried too often",
        )


def _since(session: Session, moment: datetime | None) -> timedelta:
    return timedelta(0) if moment is None else clock(session) - moment


def _queues(found: Queues, settings: Settings) -> Iterator[Finding]:
    """Steps that could run and do not."""
    due: dict[str, list[Unfinished]] = {}
    for step in found.steps:
        if step.state == StepState.QUEUED and step.job_id not in found.held and step.available_at <= found.now:
            due.setdefault(step.queue, []).append(step)
    patience = timedelta(seconds=2 * settings.rewake_seconds)
    for queue, waits in sorted(due.items()):
        takers = [worker for worker in found.live if queue in worker.queues and workers.can_be_woken(worker)]
        longest = found.now - min(step.available_at for step in waits)
        said = f"{several(len(waits), 'step')} in the queue {queue}, the longest for {in_words(longest)}"
        if not takers:
            yield wrong(
                QUEUES, f"{said}, and no live worker can take it.", found.reason(waits[0].job_id) or "Start a worker."
            )
        elif longest > patience and any(worker.current_step_id is None for worker in takers):
            advice = "Their messages may not arrive: look at Redis, and at the log of the workers."
            yield warning(QUEUES, f"{said}, though a worker has nothing to do.", advice, fix="announce them again")
        else:
            yield ok(QUEUES, f"{said}; {several(len(takers), 'node')} take it.")
    full = [step for step in found.steps if step.failure == DiskFull.code and step.available_at > found.now]
    if full:
        jobs = sorted({str(step.job_id) for step in full})
        yield warning(
            QUEUES, f"{several(len(full), 'step')} wait for room on a disk: {first(jobs)}.", "Make room on the workers."
        )


def _jobs(session: Session) -> Iterator[Finding]:
    """One that goes on has a step that waits or runs."""
    moving = (
        select(Step.id).where(Step.job_id == Job.id, Step.state.in_([StepState.QUEUED, StepState.RUNNING])).exists()
    )
    query = select(Job.id).where(Job.state.in_([JobState.QUEUED, JobState.RUNNING]), ~moving).order_by(Job.id)
    if stuck := list(session.scalars(query)):
        yield wrong(
            JOBS,
            f"{several(len(stuck), 'job')} count as under way though no step of theirs waits or runs: {first(stuck)}.",
            "Cancel and resume them; what they have done is kept. It is a fault of the service: please report it.",
        )


def _outbox(session: Session, live: Sequence[Worker]) -> Iterator[Finding]:
    old = OutboxMessage.available_at < clock(session) - _UNSENT
    unsent = session.scalar(select(func.count()).where(OutboxMessage.sent_at.is_(None), old)) or 0
    if unsent:
        advice = "Look at Redis and at the log of the workers (relay)." if live else "Workers send them: start one."
        yield warning(
            OUTBOX, f"{several(unsent, 'message')} to workers should have been sent more than a minute ago.", advice
        )


def _webhooks(session: Session) -> Iterator[Finding]:
    query = select(Webhook).where(~Webhook.enabled, Webhook.disabled_reason.is_not(None)).order_by(Webhook.id)
    for webhook in session.scalars(query):
        host = urlsplit(webhook.url).hostname
        yield warning(
            WEBHOOKS,
            f"The webhook {webhook.id} to {host} was disabled: {webhook.disabled_reason}",
            f"When its receiver answers again: dna webhook update {webhook.id} --enable.",
        )


def _keys(session: Session) -> Iterator[Finding]:
    if keys.any_active(session):
        yield ok(KEYS, "There are keys, and only with one is anything done from another machine.")
    else:
        yield ok(KEYS, "There is no key: the API serves this machine alone, and refuses to start on an open address.")
