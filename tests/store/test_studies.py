"""Optuna beside the service: what is asked, told and ended early; the same again for the same seed, whoever dies in between."""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random
from uuid import UUID

import optuna
import pytest
from optuna.trial import TrialState
from sqlalchemy.exc import OperationalError

from dna_engine.images.info import DIGITS
from dna_engine.plans import plan_of
from dna_engine.plans.results import TrialTried
from dna_engine.spec import ResolvedTuning, TuningSpec, resolve_tuning
from dna_engine.spec.tunable import Value
from store.columns import new_id
from store.embedded import Servers
from store.migrate import upgrade
from store.studies import Settled, Studies, importances, storage_url
from tests.conftest import new_database
from tests.dna_engine.runs import TINY_NETWORK

Params = dict[str, Value]


@pytest.fixture(scope="module")
def url(servers: Servers, migrated: str) -> Iterator[str]:
    with new_database(servers.database_url, template=migrated) as url:
        yield url


@pytest.fixture
def studies(url: str) -> Iterator[Studies]:
    made = Studies(url)
    yield made
    made.close()


def tuning(**fields: object) -> ResolvedTuning:
    spec = {"architecture": "tiny", "dataset": "digits", "trials": 24, "epochs": 5, **fields}
    return resolve_tuning(TuningSpec.model_validate(spec), TINY_NETWORK, DIGITS)


def accuracy(params: Params, epoch: int) -> float:
    """Of an imagined training: best at a learning rate of 0.003, whatever else is said."""
    rate = params["learning_rate"]
    assert isinstance(rate, float)
    return max(0.0, 0.9 - 0.3 * abs(math.log10(rate / 0.003))) * epoch / 5


class Run:
    """A tuning on one worker, trial after trial."""

    def __init__(self, studies: Studies, spec: ResolvedTuning, tuning_id: UUID | None = None) -> None:
        self.studies, self.spec, self.id = studies, spec, tuning_id or new_id()
        self.steps = plan_of(spec).all_steps()
        self.asked: list[Params] = []
        self.settled: list[Settled] = []

    def go(self, trials: int) -> Run:
        for step in self.steps[len(self.asked) :][:trials]:
            self.asked.append(self.studies.ask(self.id, self.spec, step, self.settled))
            found = self.train(step.key, self.asked[-1])
            self.settled.append(Settled(step.key, found))
            self.studies.tell(self.id, self.spec, self.settled)
        return self

    def train(self, key: str, params: Params) -> TrialTried:
        running = self.studies.running(self.id, self.spec, key)
        for epoch in range(1, self.spec.epochs + 1):
            if running.report(epoch, accuracy(params, epoch)):
                return TrialTried(state="pruned", value=accuracy(params, epoch), epochs=epoch)
        return TrialTried(state="complete", value=accuracy(params, self.spec.epochs), epochs=self.spec.epochs)

    @property
    def found(self) -> list[TrialTried]:
        return [each.found for each in self.settled]


@pytest.mark.parametrize("pruner", ["median", "hyperband"])
def test_the_same_seed_tries_the_same_and_ends_the_same_early(studies: Studies, pruner: str) -> None:
    one, other = (Run(studies, tuning(pruner=pruner, seed=7)).go(15) for _ in range(2))
    assert one.asked == other.asked
    assert one.found == other.found
    assert {found.state for found in one.found} == {"complete", "pruned"}
    assert Run(studies, tuning(pruner=pruner, seed=8)).go(2).asked != one.asked[:2]


def test_it_learns_from_what_has_finished(studies: Studies) -> None:
    run = Run(studies, tuning(pruner="none")).go(20)
    assert {found.state for found in run.found} == {"complete"}, "nothing ends them early"
    values = [found.value or 0.0 for found in run.found]
    assert sum(values[10:]) > sum(values[:10])


def test_asked_again_after_a_crash_it_answers_the_same_and_makes_no_second_trial(studies: Studies, url: str) -> None:
    run, again = Run(studies, tuning(seed=3)).go(2), Studies(url)
    step = run.steps[2]
    first = studies.ask(run.id, run.spec, step, run.settled)  # What asked dies before it has written it down.
    assert again.ask(run.id, run.spec, step, run.settled) == first
    assert [trial.state for trial in studies.told(run.id)] == [TrialState.COMPLETE] * 2 + [TrialState.RUNNING]
    again.close()


def test_what_was_not_told_in_time_is_told_with_the_next_question(studies: Studies, url: str) -> None:
    run = Run(studies, tuning(seed=4)).go(1)
    params = studies.ask(run.id, run.spec, run.steps[1], run.settled)
    found = TrialTried(state="complete", value=0.75, epochs=9)  # Its worker dies before it tells.
    studies.ask(run.id, run.spec, run.steps[2], [*run.settled, Settled("trial-2", found)])
    second = studies.told(run.id)[1]
    assert (second.state, second.value, second.params) == (TrialState.COMPLETE, 0.75, params)
    studies.tell(run.id, run.spec, [Settled("trial-2", found.model_copy(update={"value": 0.5}))])
    assert studies.told(run.id)[1].value == 0.75, "what was told stands"


def test_trials_at_once_try_different_things(studies: Studies) -> None:
    run = Run(studies, tuning(pruner="none", seed=5)).go(10)
    at_once = [studies.ask(run.id, run.spec, step, run.settled)["learning_rate"] for step in run.steps[10:14]]
    assert len(set(at_once)) == 4


def test_what_diverged_counts_as_nothing_answered_and_what_failed_not_at_all(studies: Studies, url: str) -> None:
    run = Run(studies, tuning())
    for step in run.steps[:2]:
        studies.ask(run.id, run.spec, step, [])
    ends = [
        Settled("trial-1", TrialTried(state="diverged", value=0.0)),
        Settled("trial-2", TrialTried(state="failed", error={"code": "engine_crashed"})),
    ]
    studies.tell(run.id, run.spec, ends)
    first, second = studies.told(run.id)
    assert (first.state, first.value) == (TrialState.COMPLETE, 0.0)
    assert (second.state, second.value) == (TrialState.FAIL, None)


def test_whole_numbers_and_choices_are_what_they_were_written_as(studies: Studies) -> None:
    run = Run(studies, tuning(search={"batch_size": [16, 64, "log"], "sampling": ["uniform", "by_class"]}))
    for step in run.steps[:6]:
        params = studies.ask(run.id, run.spec, step, [])
        assert isinstance(params["batch_size"], int)
        assert 16 <= params["batch_size"] <= 64
        assert params["sampling"] in ("uniform", "by_class")
        assert run.spec.of_trial(params).batch_size == params["batch_size"]


def test_what_matters_is_found_where_enough_has_finished() -> None:
    random, spec = Random(0), tuning()
    tried = []
    for _ in range(40):
        params: Params = {
            "learning_rate": 10 ** random.uniform(-3.5, -1.55),
            "weight_decay": random.uniform(0.001, 0.3),
        }
        params["label_smoothing"] = random.uniform(0, 0.2)
        tried.append((params, TrialTried(state="complete", value=accuracy(params, 5), epochs=5)))
    shares = importances(spec, tried)
    assert next(iter(shares)) == "learning_rate"
    assert sum(shares.values()) == pytest.approx(1)
    assert importances(spec, tried[:9]) == {}


def test_a_study_goes_with_its_tuning(studies: Studies) -> None:
    run = Run(studies, tuning()).go(1)
    assert run.id in studies.of()
    studies.delete(run.id)
    studies.delete(run.id)
    assert run.id not in studies.of()


def test_its_tables_are_made_in_their_own_schema_and_again_without_harm(url: str) -> None:
    upgrade(url)
    storage = optuna.storages.RDBStorage(storage_url(url), skip_table_creation=True)
    with storage.engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT schemaname FROM pg_tables WHERE tablename = 'trial_params'").all()
    storage.engine.dispose()
    assert [row[0] for row in found] == ["optuna"]


def test_a_database_that_does_not_answer_is_told_of_as_everywhere() -> None:
    away = Studies("postgresql://nobody@127.0.0.1:9/nothing")
    with pytest.raises(OperationalError):
        away.of()


def test_optuna_says_nothing_of_what_goes_well() -> None:
    assert optuna.logging.get_verbosity() == optuna.logging.WARNING
