"""Runs one claimed step: lays its files down, runs the engine, writes what it says and makes, and settles how it ended.

::

    claim -> lay down inputs -> engine -> done        outputs and the next steps, in one transaction
                                       -> stopped     (cancel, shutdown, yield) checkpoint kept, step cancelled or queued again
         -> an input is damaged        the step that makes it is queued again, and this one waits for it
                                       -> a problem   step queued again, or step and job failed with the reason
                                       -> lease lost  nothing is written: the step is another worker's
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TypeVar

from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from dna_engine.errors import DiskFull
from dna_engine.events import Checkpoint, Event, Failure, Log, Metric, Progress, Result
from dna_engine.plans import CHECKPOINTED_KINDS, Kind, Order
from dna_engine.plans.results import Checked, TrialTried
from dna_engine.spec import ResolvedNetworks
from store import flow, tunings, workers
from store.claims import Claim
from store.errors import CorruptArtifact, LeaseLost, StoreError
from store.files import discard, drafts
from store.session import transaction
from store.tracing import Span
from worker import datasets
from worker.checkpoints import Checkpoints
from worker.failures import WORKER_ERROR, Problem, explain, problem
from worker.lease import Lease
from worker.process import EngineProcess
from worker.run_folder import BadInput, MissingFile, RunFolder
from worker.scheduling import group_cells
from worker.slot import Slot
from worker.trials import Watch, fails_alone, tell

logger = logging.getLogger("dna.worker.supervisor")
engine_logger = logging.getLogger("dna.engine")

#: The supervisor looks at least this often whether the step must end, in seconds.
TICK = 0.2

#: What the engine is given to reach a checkpoint when its device is wanted for something that goes first: nothing is won by killing it, and
#: one is written at least every minute.
CHECKPOINT_GRACE = timedelta(seconds=90)

#: What a database that does not answer is given before it is asked again, in seconds.
PAUSE_SECONDS = 1.0

Answer = TypeVar("Answer")


def supervise(slot: Slot, claim: Claim) -> None:
    """Runs the step to its end, whatever that is. Raises nothing: the end is written to its row."""
    logger.info("%s of job %s, attempt %d", claim.step.key, claim.job_id, claim.attempt)
    about = {"dna.job.id": str(claim.job_id), "dna.step.id": str(claim.step_id), "dna.step.key": claim.step.key}
    about |= {"dna.step.attempt": str(claim.attempt), "dna.device": slot.device.name}
    traced = slot.tracer.span(claim.step.kind, kind="consumer", parent=claim.traceparent, attributes=about)
    with traced as span, Lease(slot.sessions, slot.settings, claim) as lease:
        attempt = Attempt(slot, claim, lease, span)
        try:
            attempt.run()
        except LeaseLost as error:
            logger.warning("%s", error.message)
            span.fail(error.message)
        except DiskFull as error:
            attempt.failed(problem(error.code, error.message))
        except BadInput as error:
            attempt.lacks(error)
        except StoreError as error:
            # A file that is gone or damaged is no better the next time.
            again = not isinstance(error, MissingFile | CorruptArtifact)
            attempt.failed(problem(WORKER_ERROR, error.message, retry=again))
        except Exception as error:
            # The last frame before the queue: whatever it was, its step must not hang until the lease runs out.
            logger.exception("%s could not be run", claim.step.key)
            code = "database_error" if isinstance(error, SQLAlchemyError) else WORKER_ERROR
            attempt.failed(problem(code, f"The worker could not run the step: {type(error).__name__}: {error}"))


class Attempt:
    """One run of a step by this worker."""

    def __init__(self, slot: Slot, claim: Claim, lease: Lease, span: Span) -> None:
        self._slot = slot
        self._claim = claim
        self._lease = lease
        self._span = span
        self._folder = RunFolder(slot.settings.data_dir, claim, slot.blobs)
        self._batch: list[Progress | Metric | Log] = []
        self._last: Result | Failure | None = None
        self._engine: EngineProcess | None = None
        self._watch: Watch | None = None
        self._accounted = 0.0
        self._reported = time.monotonic()

    def run(self) -> None:
        if self._claim.step.kind == Kind.TRIAL:
            self._slot.studies.open()
            self._claim = self._write(lambda session: tunings.ask(session, self._slot.studies, self._claim))
            self._watch = Watch(self._slot.studies, self._claim)
        with self._slot.tracer.span("inputs"):
            self._lay_down()
        checkpoints = Checkpoints(self._slot.sessions, self._slot.blobs, self._folder, self._claim)
        with self._slot.tracer.span("engine"), checkpoints, self._slot.engines.borrowed() as engine:
            self._engine = engine
            engine.begin(Order(run=str(self._folder.path), step=self._claim.step))
            for event in engine.events(tick=TICK):
                self._end_if_asked(engine)
                self._take(event, checkpoints)
                if self._batch and time.monotonic() - self._reported >= self._slot.settings.report_seconds:
                    self._report()
        self._settle(engine)

    def _lay_down(self) -> None:
        warnings = self._folder.lay_down(self._slot.sessions, self._claim)
        self._batch += [Log(level="warning", message=warning) for warning in warnings]
        again, step = self._claim.fence > 1, self._claim.step
        if again and not warnings and step.kind in CHECKPOINTED_KINDS and not self._folder.has_checkpoint(step):
            self._batch.append(Log(message=f"{step.key} begins anew: there is no checkpoint of it."))
        spec = self._claim.spec
        if isinstance(spec, ResolvedNetworks):
            datasets.lay_down(spec.dataset, self._slot.sessions, self._slot.blobs, self._slot.settings.datasets_dir)

    def failed(self, why: Problem) -> None:
        """The attempt ends with a problem."""
        logger.warning("%s failed: %s", self._claim.step.key, why.error["message"])
        self._span.fail(f"{why.error['code']}: {why.error['message']}")
        seconds, wait = self._seconds(), why.wait(self._claim.attempt, self._slot.settings.retry_seconds)
        try:
            if self._watch and self._write(lambda session: fails_alone(session, self._claim, why)):
                self._succeed(TrialTried(state="failed", error=why.error).result([]))
                return
            self._write(
                lambda session: flow.fail(
                    session, self._claim, why.error, engine_seconds=seconds, retry=why.retry, wait=wait
                )
            )
        except LeaseLost as error:
            logger.warning("%s", error.message)

    def lacks(self, input_file: BadInput) -> None:
        """An input is no good: the step that makes it is queued again, where that can be repeated."""
        logger.warning("%s cannot begin: %s", self._claim.step.key, input_file.message)
        self._span.fail(input_file.message)
        error = problem("bad_input", input_file.message).error
        try:
            self._write(lambda session: flow.lack(session, self._claim, input_file.name, error))
        except LeaseLost as lost:
            logger.warning("%s", lost.message)

    def _end_if_asked(self, engine: EngineProcess) -> None:
        if self._lease.lost.is_set():
            engine.kill()
        elif self._lease.stop.is_set() or self._slot.stopping.is_set() or (self._watch and self._watch.ended):
            engine.stop(grace=self._slot.settings.stop_grace_seconds)
        elif self._lease.give_back.is_set():
            engine.stop(grace=CHECKPOINT_GRACE.total_seconds())

    def _take(self, event: Event | None, checkpoints: Checkpoints) -> None:
        match event:
            case Metric() if self._watch:
                self._watch.hear(event)
                self._batch += [event] if self._watch.counts(event) else []
            case Progress() | Metric():
                self._batch.append(event)
            case Log():
                engine_logger.log(logging.getLevelNamesMapping()[event.level.upper()], "%s", event.message)
                self._batch.append(event)
            case Checkpoint():
                checkpoints.written()
            case Result() | Failure():
                self._last = event

    def _report(self) -> None:
        """Writes what was said. What a database that is away does not take waits for the next report."""
        self._reported = time.monotonic()
        seconds = self._seconds()
        try:
            with transaction(self._slot.sessions) as session:
                flow.report(
                    session,
                    self._claim,
                    self._batch,
                    engine_seconds=seconds,
                    live_within=self._slot.settings.worker_timeout,
                )
        except OperationalError as error:
            logger.warning("The database does not answer: %s", error.orig)
            self._accounted -= seconds
        else:
            self._batch = []

    def _settle(self, engine: EngineProcess) -> None:
        if self._lease.lost.is_set():
            raise LeaseLost(self._claim.step_id, self._claim.fence)
        if self._batch:
            self._write(lambda session: flow.report(session, self._claim, self._batch, engine_seconds=0.0))
        if self._watch and self._watch.ended:
            self._succeed(self._watch.ended.result([]))
        elif isinstance(self._last, Result):
            self._succeed(self._last)
        elif engine.asked_to_stop:
            seconds = self._seconds()
            self._write(lambda session: self._give_back(session, seconds))
        else:
            failure = self._last if isinstance(self._last, Failure) else None
            self.failed(explain(engine.exit_code, failure, engine.tail))

    def _give_back(self, session: Session, seconds: float) -> None:
        """The step goes back to the queue, or its job was cancelled. A worker that leaves is not counted on by whoever takes the step."""
        if self._slot.stopping.is_set():
            workers.leave(session, self._slot.worker.id)
        flow.stop(session, self._claim, engine_seconds=seconds)

    def _succeed(self, result: Result) -> None:
        seconds = self._seconds()
        names = sorted({*self._claim.step.outputs(self._claim.spec), *result.artifacts})
        live_within = self._slot.settings.worker_timeout
        group = partial(group_cells, live_within=live_within)
        kept = drafts(self._slot.sessions, self._slot.blobs, self._claim, self._write)
        with self._slot.tracer.span("outputs"), kept as written:
            files = self._folder.store(names, written)
            replaced = self._write(
                lambda session: flow.succeed(
                    session,
                    self._claim,
                    result.values,
                    files,
                    engine_seconds=seconds,
                    group=group,
                    live_within=live_within,
                )
            )
        logger.info("%s is done", self._claim.step.key)
        discard(self._slot.sessions, self._slot.blobs, replaced)
        if self._watch:
            tell(self._slot.sessions, self._slot.studies, self._claim)
        if self._claim.step.kind == Kind.CHECK:
            datasets.keep(
                Checked.model_validate(result.values),
                self._folder.path,
                self._slot.sessions,
                self._slot.settings.datasets_dir,
            )

    def _write(self, work: Callable[[Session], Answer]) -> Answer:
        """Does ``work`` in a transaction, again while the database does not answer and the lease stands.

        Raises:
            LeaseLost: the lease ran out meanwhile.
        """
        while True:
            try:
                with transaction(self._slot.sessions) as session:
                    return work(session)
            except OperationalError as error:
                logger.warning("The database does not answer: %s", error.orig)
                if self._lease.lost.wait(PAUSE_SECONDS):
                    raise LeaseLost(self._claim.step_id, self._claim.fence) from error

    def _seconds(self) -> float:
        """Time that the engine ran since this was last asked."""
        ran = self._engine.seconds if self._engine is not None else 0.0
        before, self._accounted = self._accounted, ran
        return ran - before
