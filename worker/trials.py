"""What a trial of a tuning takes beside its engine: it is asked for what to try, its curve is watched, its end is told."""

from __future__ import annotations

import logging

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from dna_engine.errors import InvalidSpec, OutOfMemory, StepFailed
from dna_engine.events import Metric
from dna_engine.plans.results import TrialTried
from dna_engine.spec import ResolvedTuning
from store import steps, tunings
from store.claims import Claim
from store.session import Sessions, transaction
from store.studies import Studies
from worker.failures import ENGINE_CRASHED, ENGINE_KILLED, Problem

#: When so many trials have failed and none has come to an end, the tuning fails.
FIRST = 3

#: Problems that other values may not have: batches that are too large, most of all, and three numbers that do not go together.
_OF_VALUES = frozenset({OutOfMemory.code, InvalidSpec.code, ENGINE_KILLED, ENGINE_CRASHED, StepFailed.code})

logger = logging.getLogger("dna.worker.trials")


class Watch:
    """Takes the points of a trial's curve as the engine tells them, and says when it is to end early.

    Attributes:
        ended: what came of it, once it is to end: the engine may go on for a moment, and nothing of that counts.
    """

    def __init__(self, studies: Studies, claim: Claim) -> None:
        assert isinstance(claim.spec, ResolvedTuning)
        self._studies = studies
        self._claim, self._spec = claim, claim.spec
        self._trial = studies.running(claim.job_id, claim.spec, claim.step.key)
        self._untold: list[Metric] = []
        self.ended: TrialTried | None = None

    def hear(self, point: Metric) -> None:
        """Takes a point of any of the trial's series."""
        if self.ended is None and point.series == tunings.curve_of(self._claim.step.key):
            self._untold.append(point)
            self._tell()

    def counts(self, point: Metric) -> bool:
        """Whether a point belongs to the trial: not what comes behind its end."""
        return self.ended is None or point.x <= self.ended.epochs

    def _tell(self) -> None:
        """One after another. What a database that is away does not take is told with the next point."""
        while self._untold and self.ended is None:
            point = self._untold[0]
            epoch = round(point.x)
            try:
                over = self._trial.report(epoch, point.y)
            except SQLAlchemyError as error:
                logger.warning("The database does not answer: %s", error)
                return
            self._untold.pop(0)
            if over:
                self.ended = TrialTried(state="pruned", value=point.y, epochs=epoch)


def fails_alone(session: Session, claim: Claim, why: Problem) -> bool:
    """Whether a trial that has failed is told so and the others go on: at its last attempt, of what may be for the values that it tries.

    Not where none of the first has come to an end: then it is not for their values.
    """
    step = steps.get(session, claim.step_id)
    if why.error["code"] not in _OF_VALUES or (why.retry and step.attempt < step.max_attempts):
        return False
    counts = tunings.counts(session, [claim.job_id])[claim.job_id]
    return counts.get("failed", 0) < FIRST - 1 or any(counts.get(state) for state in ("complete", "pruned", "diverged"))


def tell(sessions: Sessions, studies: Studies, claim: Claim) -> None:
    """Tells Optuna what has come of the trials of a tuning. What cannot be told now is told when the next one is asked for."""
    assert isinstance(claim.spec, ResolvedTuning)
    try:
        with transaction(sessions) as session:
            settled = tunings.settled(session, claim.job_id)
        studies.tell(claim.job_id, claim.spec, settled)
    except SQLAlchemyError as error:
        logger.warning("The end of %s is told later: %s", claim.step.key, error)
