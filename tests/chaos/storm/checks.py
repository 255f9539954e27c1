"""What must hold when all is quiet again. Each check tells what is wrong, in sentences; nothing where nothing is."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import itemgetter
from uuid import UUID

from store import tunings
from store.session import transaction
from store.studies import Studies
from tests.chaos.storm.jobs import results_of
from tests.chaos.storm.storm import Storm
from tests.store.kept import rows_and_files
from worker.cleanup import remove_leftovers, remove_run_folders

#: What is wrong may become right for so long.
LASTING_SECONDS = 20.0

_SUCCESSES = """
    SELECT s.job_id, s.key, s.state, s.fence, s.lease_owner,
        count(a.id) FILTER (WHERE a.outcome = 'succeeded') AS succeeded,
        count(a.id) FILTER (WHERE a.outcome = 'running') AS running,
        max(a.fence) FILTER (WHERE a.outcome = 'succeeded') AS by_fence,
        (SELECT count(*) FROM events e WHERE e.job_id = s.job_id AND e.type = 'step'
            AND e.data ->> 'step' = s.key AND e.data ->> 'state' = 'succeeded') AS told
    FROM steps s LEFT JOIN attempts a ON a.step_id = s.id GROUP BY s.id ORDER BY s.id
"""


#: Events are numbered in the order of their commits, whatever clocks say.
_BEGUN_AFTER = """
    SELECT DISTINCT step.job_id FROM events step
    JOIN events asked ON asked.job_id = step.job_id AND asked.seq < step.seq
    WHERE step.type = 'step' AND step.data ->> 'state' = 'running'
        AND asked.type = 'state' AND (asked.data ->> 'cancel_requested')::boolean
"""


def every_job_has_ended_as_asked(storm: Storm, calm: Mapping[UUID, str]) -> Iterator[str]:
    """What was cancelled may have succeeded where all that was left of it ran at that moment, and came to its end before it was told."""
    found = {row.id: row for row in storm.rig.look("SELECT id, state, phase, error FROM jobs")}
    begun_after = {row.job_id for row in storm.rig.look(_BEGUN_AFTER)}
    wanted = dict.fromkeys([*calm, *storm.users.running], "succeeded") | dict.fromkeys(
        storm.users.cancelled, "cancelled"
    )
    for job, state in wanted.items():
        late = job in storm.users.cancelled and job in found and found[job].state == "succeeded"
        if job not in found:
            yield f"job {job} is lost"
        elif job in storm.users.cancelled and job in begun_after:
            yield f"a step of job {job} began after it was cancelled"
        elif found[job].state != state and not late:
            yield f"job {job} is {found[job].state} in {found[job].phase}, not {state}: {found[job].error}"
    for job in found.keys() - wanted.keys():
        yield f"job {job}, which was deleted or never made, is there: {found[job].state}"


def no_step_was_done_twice(storm: Storm, calm: Mapping[UUID, str]) -> Iterator[str]:
    for step in storm.rig.look(_SUCCESSES):
        what = f"step {step.key} of job {step.job_id}"
        if step.state not in ("succeeded", "cancelled") or step.lease_owner is not None:
            yield f"{what} is {step.state}, held by {step.lease_owner}"
        if step.state == "succeeded" and (step.succeeded, step.told, step.by_fence) != (1, 1, step.fence):
            yield f"{what} succeeded in {step.succeeded} attempts, the last under fence {step.by_fence} of {step.fence}; told {step.told} times"
        if step.running:
            yield f"{step.running} attempts at {what} are said to be running"


def events_have_no_gap(storm: Storm, calm: Mapping[UUID, str]) -> Iterator[str]:
    gaps = """
        SELECT j.id, j.event_seq, count(e.seq) AS events, max(e.seq) AS last,
            count(*) FILTER (WHERE e.type = 'state' AND e.data ->> 'state' = 'succeeded') AS succeeded
        FROM jobs j LEFT JOIN events e ON e.job_id = j.id GROUP BY j.id ORDER BY j.id
    """
    for job in storm.rig.look(gaps):
        if not job.event_seq == job.events == job.last:
            yield f"job {job.id} has {job.events} events up to {job.last}, and counts {job.event_seq}"
        if job.succeeded > 1:
            yield f"job {job.id} succeeded {job.succeeded} times"


def results_are_those_of_calm(storm: Storm, calm: Mapping[UUID, str]) -> Iterator[str]:
    """Each rating and each network to the bit."""
    with transaction(storm.rig.sessions) as session:
        wanted = {route: results_of(session, job) for job, route in calm.items()}
        for job, route in storm.users.running.items():
            found = results_of(session, job)
            for what, rows in wanted[route].items():
                if odd := [row for row in (*found[what], *rows) if (row in found[what]) != (row in rows)]:
                    yield f"{what} of job {job} ({route}) differ: {odd[:4]}"


def files_are_those_of_rows(storm: Storm, calm: Mapping[UUID, str]) -> Iterator[str]:
    """In the store; each with the content that its row says."""
    named, found = rows_and_files(storm.rig.sessions, storm.rig.settings.artifacts)
    yield from (f"stored file {location} has no row" for location in sorted(found - named))
    yield from (f"stored file {location} is gone" for location in sorted(named - found))
    root = storm.rig.folder / "artifacts"
    for row in storm.rig.look("SELECT location, sha256, name, job_id FROM artifacts"):
        if row.location in found and hashlib.sha256((root / row.location).read_bytes()).hexdigest() != row.sha256:
            yield f"stored file {row.name} of job {row.job_id} is damaged"


def machines_are_tidy(storm: Storm, calm: Mapping[UUID, str]) -> Iterator[str]:
    """What the workers remove once a minute or an hour is removed now, in the same way; nothing else may be left."""
    kept = {str(job) for job in storm.users.cancelled}
    for name in storm.rig.machines:
        folder = storm.rig.data_dir(name)
        remove_run_folders(storm.rig.sessions, folder)
        remove_leftovers(storm.rig.settings.model_copy(update={"data_dir": folder}))
        left = (path for path in folder.rglob("*") if path.is_file() and not kept & set(path.parts))
        yield from (f"machine {name} has {path.relative_to(folder)} left" for path in left)


def rows_are_settled(storm: Storm, calm: Mapping[UUID, str]) -> Iterator[str]:
    """Nothing waits, runs or is held, in any table and in Redis."""
    look = storm.rig.look
    yield from (f"message {row} was never sent" for row in look("SELECT id, task FROM outbox WHERE sent_at IS NULL"))
    # Those of steps are looked for once more much later: their writers may only have been stopped.
    yield from (f"{row} is loose" for row in look("SELECT location FROM loose_files WHERE due_at <= now()"))
    busy = "SELECT pid, current_step_id FROM workers WHERE current_step_id IS NOT NULL AND last_seen_at > now() - interval '3 s'"
    yield from (f"worker {row} is said to be at work" for row in look(busy))
    with storm.rig.redis.client() as client:
        yield from (f"{length} messages wait in {queue}" for queue in ("gpu", "cpu") if (length := client.llen(queue)))


def nothing_is_locked(storm: Storm, calm: Mapping[UUID, str]) -> Iterator[str]:
    """No transaction, and so no lock, of those that there are now lasts: workers have some all the time."""
    query = """
        SELECT pid, xact_start, state, left(query, 100), (SELECT array_agg(locktype) FROM pg_locks l WHERE l.pid = a.pid)
        FROM pg_stat_activity a WHERE xact_start IS NOT NULL AND pid <> pg_backend_pid() AND backend_type = 'client backend'
    """
    before = {row[:2] for row in storm.rig.look(query)}
    time.sleep(0.2)
    yield from (f"a transaction stays open: {row}" for row in storm.rig.look(query) if row[:2] in before)
    yield from (f"transaction {row} was prepared" for row in storm.rig.look("SELECT gid FROM pg_prepared_xacts"))


def studies_follow_trials(storm: Storm, calm: Mapping[UUID, str]) -> Iterator[str]:
    """Optuna knows each trial once, and of it what its row says."""
    studies = Studies(storm.rig.settings.database_url or "")
    for job in [job for job, route in storm.users.running.items() if route == "tunings"]:
        with transaction(storm.rig.sessions) as session:
            rows = tunings.trials(session, job)
        wanted = [(row.step.key, row.found and row.found.value, row.step.payload["trial"]["params"]) for row in rows]
        told = [(trial.user_attrs["step"], trial.value, trial.params) for trial in studies.told(job)]
        if sorted(told, key=itemgetter(0)) != sorted(wanted, key=itemgetter(0)):
            yield f"of tuning {job} Optuna was told {told}, not {wanted}"
    studies.close()


def users_got_answers(storm: Storm, calm: Mapping[UUID, str]) -> Iterable[str]:
    return storm.users.offences


def faults_saw_nothing(storm: Storm, calm: Mapping[UUID, str]) -> Iterable[str]:
    return storm.offences


CHECKS: tuple[Callable[[Storm, Mapping[UUID, str]], Iterable[str]], ...] = (
    every_job_has_ended_as_asked,
    no_step_was_done_twice,
    events_have_no_gap,
    results_are_those_of_calm,
    files_are_those_of_rows,
    rows_are_settled,
    nothing_is_locked,
    studies_follow_trials,
    users_got_answers,
    faults_saw_nothing,
    machines_are_tidy,
)


def wrongs(storm: Storm, calm: Mapping[UUID, str]) -> list[str]:
    """All that is wrong, in words, and stays so: a worker says a second later what it is at, and messages are on their way."""
    return [wrong for check in CHECKS for wrong in _lasting(lambda check=check: list(check(storm, calm)))]


def _lasting(check: Callable[[], list[str]]) -> list[str]:
    deadline = time.monotonic() + LASTING_SECONDS
    while (found := check()) and time.monotonic() < deadline:
        time.sleep(0.5)
    return found


def orphans(storm: Storm) -> list[str]:
    """What still runs though all were told to leave."""
    return [f"{process} was left" for process in storm.rig.marked]
