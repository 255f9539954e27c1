"""Two machines run the trials of a tuning at once; one is killed, and what it was at goes on elsewhere, trying the same."""

from __future__ import annotations

from datetime import timedelta

from dna_engine.images.info import DIGITS
from dna_engine.spec import TuningSpec, resolve_tuning
from store import steps, tunings, workers
from store.session import Sessions, transaction
from store.settings import Settings
from store.states import JobState, StepState
from store.studies import Studies
from store.tables import Step
from tests.dna_engine.runs import TINY_NETWORK
from tests.e2e.service import alive, machine, wait_for

#: An engine's first trial takes seconds before its first epoch: long enough to be killed in the middle.
EPOCHS = 3


def test_trials_run_at_once_and_survive_a_killed_machine(sessions: Sessions, impatient: Settings) -> None:
    spec = {
        "architecture": "tiny",
        "dataset": "digits",
        "trials": 3,
        "epochs": EPOCHS,
        "batch_size": 64,
        "pruner": "none",
    }
    written = TuningSpec.model_validate(spec)
    resolved = resolve_tuning(written, TINY_NETWORK, DIGITS)

    def both_there() -> bool:
        with transaction(sessions) as session:
            return len(workers.live(session, within=timedelta(seconds=60))) == 2

    def trials(state: StepState) -> list[Step]:
        with transaction(sessions) as session:
            return [step for step in steps.of_job(session, tuning_id) if step.state == state]

    def asked() -> list[Step]:
        """Trials that run and know what they try: on a machine each, for a machine runs one at a time."""
        return [step for step in trials(StepState.RUNNING) if step.planned.trial and step.planned.trial.params]

    def over() -> bool:
        with transaction(sessions) as session:
            return tunings.get(session, tuning_id).state not in (JobState.QUEUED, JobState.RUNNING)

    often = {"DNA_CHECKPOINT_SECONDS": "0.2"}
    with machine(impatient, queues="gpu", **often) as first, machine(impatient, queues="gpu", **often):
        wait_for(both_there)
        with transaction(sessions) as session:
            tuning_id = tunings.create(session, written, resolved, None, max_attempts=3).id
        wait_for(lambda: len(asked()) == 2)
        at_work = {step.key: step.planned for step in asked()}
        engines = first.kill()
        wait_for(lambda: not any(alive(engine) for engine in engines))
        wait_for(over)
    with transaction(sessions) as session:
        tuning, rows = tunings.get(session, tuning_id), tunings.trials(session, tuning_id)
    assert tuning.state == JobState.SUCCEEDED, tuning.error
    assert tuning.best is not None
    done = {row.step.key: row for row in rows}
    assert {row.found.state for row in rows if row.found} == {"complete"}
    assert {key: done[key].step.planned for key in at_work} == at_work
    assert any(done[key].step.attempt > 1 for key in at_work), "what the killed one was at was begun again"
    assert all([x for x, _ in row.curve] == [*range(1, EPOCHS + 1)] for row in rows)
    studies = Studies(impatient.database_url or "")
    told = studies.told(tuning_id)
    studies.close()
    assert {trial.user_attrs["step"]: (trial.state.name, trial.value, trial.params) for trial in told} == {
        key: ("COMPLETE", row.found and row.found.value, row.step.planned.trial and row.step.planned.trial.params)
        for key, row in done.items()
    }
