"""The states of jobs, steps and datasets, and which may follow which. Pure: no database here."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from store.errors import IllegalTransition


class JobKind(StrEnum):
    """What somebody can ask for."""

    SEARCH = "search"
    TRAINING = "training"
    CHECK = "check"
    TUNING = "tuning"
    TIMING = "timing"


class JobState(StrEnum):
    """State of a job.

    QUEUED: created or resumed; no step has been claimed since.
    RUNNING: at least one step was claimed; the phase says how far it is. A requested cancel leaves it here until the
        last running step has stopped.
    SUCCEEDED: every step of the last phase is done. Final.
    FAILED: a step failed for good; ``error`` says why. Can be resumed.
    CANCELLED: asked to stop, and stopped. Can be resumed; checkpoints are kept.
    """

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def said(self) -> str:
        """What a sentence about a job goes on with: ``is running``, ``has failed``, ``was cancelled``."""
        verbs = {JobState.SUCCEEDED: "has", JobState.FAILED: "has", JobState.CANCELLED: "was"}
        return f"{verbs.get(self, 'is')} {self}"


class StepState(StrEnum):
    """State of a step. A step exists once its inputs do; it waits for another one only while that makes a damaged input again.

    QUEUED: can be claimed, in its phase of the job.
    RUNNING: claimed; its worker holds a lease. Goes back to QUEUED when the lease expires, the worker leaves, or an
        attempt crashed and attempts are left.
    SUCCEEDED: done; its artifacts are stored. QUEUED again when one of them is damaged.
    FAILED: failed for good. QUEUED again when its job is resumed.
    CANCELLED: stopped before its end. QUEUED again when its job is resumed.
    """

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class DatasetState(StrEnum):
    """State of a dataset.

    CHECKING: its images are being looked at, or wait for a worker to do so.
    READY: can be searched on. Final.
    REJECTED: cannot be used; ``error`` says why. Final: what is put right is a new version.
    """

    CHECKING = "checking"
    READY = "ready"
    REJECTED = "rejected"


class DeliveryState(StrEnum):
    """State of a message to a webhook.

    PENDING: to be sent, now or at its next time.
    DELIVERED: the receiver has taken it.
    FAILED: given up. PENDING again when somebody asks for another attempt.
    """

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class Role(StrEnum):
    """Why an architecture is kept.

    WINNER: the best network of a search within its budget.
    CONTROL: a random network of the winner's cost.
    SELECTED: chosen afterwards from finished ratings under another budget.
    REFERENCE: a standard network that a search has trained beside its own.
    GIVEN: sent, or a published one; of no search.
    """

    WINNER = "winner"
    CONTROL = "control"
    SELECTED = "selected"
    REFERENCE = "reference"
    GIVEN = "given"


class AttemptOutcome(StrEnum):
    """What came of an attempt at a step.

    RUNNING: its worker is at it.
    SUCCEEDED: the step is done.
    FAILED: it was told why; the step is tried again, or its job fails.
    LOST: its worker did not renew the lease.
    CANCELLED: the job was to stop, and it stopped.
    RELEASED: its worker gave the step back after a checkpoint: it was shut down, or wanted for something that goes first.
    """

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    LOST = "lost"
    CANCELLED = "cancelled"
    RELEASED = "released"


class EventType(StrEnum):
    """Kind of an event of a job.

    STATE: the job's state or phase changed.
    STEP: a step's state changed.
    PROGRESS: work was done.
    METRIC: a point of a series.
    LOG: a line for people.
    """

    STATE = "state"
    STEP = "step"
    PROGRESS = "progress"
    METRIC = "metric"
    LOG = "log"


_JOB: Mapping[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset({JobState.RUNNING, JobState.CANCELLED, JobState.FAILED}),
    JobState.RUNNING: frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED}),
    JobState.SUCCEEDED: frozenset(),
    JobState.FAILED: frozenset({JobState.QUEUED}),
    JobState.CANCELLED: frozenset({JobState.QUEUED}),
}

_STEP: Mapping[StepState, frozenset[StepState]] = {
    StepState.QUEUED: frozenset({StepState.RUNNING, StepState.CANCELLED}),
    StepState.RUNNING: frozenset({StepState.SUCCEEDED, StepState.FAILED, StepState.CANCELLED, StepState.QUEUED}),
    StepState.SUCCEEDED: frozenset({StepState.QUEUED}),  # What it made was damaged since, and is made again.
    StepState.FAILED: frozenset({StepState.QUEUED}),
    StepState.CANCELLED: frozenset({StepState.QUEUED}),
}

#: States of a job in which no work is done and none will be, unless it is resumed.
FINISHED = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED})

_State = TypeVar("_State", JobState, StepState)


def move_job(current: JobState, target: JobState) -> JobState:
    """``target``, when a job may go there from ``current``.

    Raises:
        IllegalTransition: it may not.
    """
    return _move("job", _JOB, current, target)


def move_step(current: StepState, target: StepState) -> StepState:
    """``target``, when a step may go there from ``current``.

    Raises:
        IllegalTransition: it may not.
    """
    return _move("step", _STEP, current, target)


def _move(kind: str, table: Mapping[_State, frozenset[_State]], current: _State, target: _State) -> _State:
    if target not in table[current]:
        allowed = " or ".join(sorted(table[current])) or "nothing else"
        raise IllegalTransition(f"A {kind} that is {current} cannot become {target}; it can become {allowed}.")
    return target
