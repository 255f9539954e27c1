"""Whatever happens to the steps of a job, in whatever order: rows agree after each event, and the job can be brought to its end."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from dna_engine.plans.files import METRICS
from dna_engine.spec import parse_job
from store import flow, jobs, steps
from store.artifacts import StoredFile
from store.blobs import Blob, location_of
from store.claims import Claim
from store.columns import new_id
from store.errors import IllegalTransition, LeaseLost
from store.states import FINISHED, AttemptOutcome, JobState, StepState
from store.tables import Artifact, Attempt, Job, LooseFile, Step
from tests.store.builders import (
    names_of,
    new_search,
    new_training,
    new_tuning,
    new_worker,
    next_id,
    two_groups,
    values_of,
)

#: What may happen next, and how often.
EVENTS = {"claim": 8, "succeed": 10, "fail": 1, "stop": 1, "lack": 4, "lose": 1, "cancel": 0.3, "resume": 1}
BAD = {"code": "bad_input", "message": "It is damaged.", "param": None}


class Walk:
    """A job, two workers, and claims: also such as are not held any more."""

    def __init__(self, session: Session, job: Job, seed: int) -> None:
        self._session = session
        self._random = random.Random(seed)
        self._workers = [new_worker(session) for _ in range(2)]
        self._claims: list[Claim] = []
        self.id = job.id

    @property
    def state(self) -> JobState:
        return jobs.lock(self._session, self.id).state

    def go(self) -> None:
        """Something happens; what comes too late is refused."""
        what = self._random.choices(list(EVENTS), list(EVENTS.values()))[0]
        with suppress(LeaseLost, IllegalTransition):
            match what:
                case "claim":
                    self.claim()
                case "cancel":
                    flow.cancel(self._session, self.id)
                case "resume":
                    flow.resume(self._session, self.id)
                case _ if self._claims:
                    self._end(self._random.choice(self._claims), what)

    def claim(self) -> bool:
        """Whether there was something to be claimed."""
        step_id = next_id(self._session, "gpu", "cpu")
        if step_id is None:
            return False
        claim = flow.claim(self._session, step_id, self._random.choice(self._workers), lease_seconds=60)
        assert claim is not None
        self._claims.append(claim)
        return True

    def finish(self) -> None:
        """Everything that is held is lost; then nothing goes wrong any more."""
        for claim in self._claims:
            self._lose(claim)
        self._claims.clear()
        if self.state in (JobState.FAILED, JobState.CANCELLED):
            flow.resume(self._session, self.id)
        while self.claim():
            self._succeed(self._claims.pop())
            self.check()

    def check(self) -> None:
        """What must hold at any time."""
        self._session.flush()
        self._session.expire_all()
        job = jobs.lock(self._session, self.id)
        made = steps.of_job(self._session, self.id)
        states = {step.state for step in made}
        here = {step.state for step in made if step.phase == job.phase}
        if job.state in FINISHED:
            assert StepState.QUEUED not in states
        elif not job.cancel_requested:
            assert StepState.RUNNING in states or StepState.QUEUED in here
        if job.state == JobState.SUCCEEDED:
            assert states == {StepState.SUCCEEDED}
            spec = parse_job(job.resolved)
            outputs = {name for step in made for name in step.planned.outputs(spec)}
            assert outputs == names_of(self._session, self.id)
        self._check_attempts(made)
        named = set(self._session.scalars(select(Artifact.location)))
        assert named.isdisjoint(self._session.scalars(select(LooseFile.location)))

    def _check_attempts(self, made: list[Step]) -> None:
        """Each claim has begun one; the last of a step runs as long as the step does, and they share out the engine's time."""
        for step in made:
            of_step = select(Attempt).where(Attempt.step_id == step.id).order_by(Attempt.id)
            told = list(self._session.scalars(of_step))
            assert [attempt.fence for attempt in told] == list(range(1, step.fence + 1))
            running = [attempt.outcome == AttemptOutcome.RUNNING for attempt in told]
            assert running == [False] * (len(told) - 1) + [step.state == StepState.RUNNING] * bool(told)
            assert [attempt.finished_at is None for attempt in told] == running
            if step.state == StepState.SUCCEEDED:
                assert told[-1].outcome == AttemptOutcome.SUCCEEDED

    def _end(self, claim: Claim, how: str) -> None:
        match how:
            case "succeed":
                self._succeed(claim)
            case "fail":
                flow.fail(self._session, claim, BAD, engine_seconds=1.0, retry=self._random.random() < 0.8)
            case "stop":
                flow.stop(self._session, claim, engine_seconds=1.0)
            case "lack" if inputs := [name for name in claim.step.inputs(claim.spec) if name != METRICS]:
                flow.lack(self._session, claim, self._random.choice(inputs), BAD)
            case "lose":
                self._lose(claim)

    def _succeed(self, claim: Claim) -> None:
        ids = {name: new_id() for name in claim.step.outputs(claim.spec)}
        files = [StoredFile(name, Blob(one, location_of(one), 1, "0" * 64)) for name, one in ids.items()]
        flow.succeed(self._session, claim, values_of(claim.step.kind), files, engine_seconds=1.0, group=two_groups)

    def _lose(self, claim: Claim) -> None:
        """Its worker, whose claim remains: it may come back."""
        past = func.clock_timestamp() - timedelta(seconds=1)
        self._session.execute(update(Step).where(Step.id == claim.step_id).values(lease_expires_at=past))
        flow.reap(self._session, steps.get(self._session, claim.step_id))


@pytest.mark.parametrize("seed", range(12))
def test_a_search_comes_to_its_end_whatever_happens(session: Session, seed: int) -> None:
    go_for_a_walk(Walk(session, new_search(session), seed))


@pytest.mark.parametrize("seed", range(4))
def test_a_training_comes_to_its_end_whatever_happens(session: Session, seed: int) -> None:
    go_for_a_walk(Walk(session, new_training(session), seed))


@pytest.mark.parametrize("seed", range(3))
def test_a_tuning_comes_to_its_end_whatever_happens(session: Session, seed: int) -> None:
    go_for_a_walk(Walk(session, new_tuning(session), seed))


def go_for_a_walk(walk: Walk) -> None:
    for _ in range(60):
        walk.go()
        walk.check()
    for _ in range(3):  # The first round may end with a step that has no attempt left.
        walk.finish()
    assert walk.state == JobState.SUCCEEDED
