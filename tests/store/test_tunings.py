"""Tunings as rows: what a trial tries is asked for once, and the best that has finished is known."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from optuna.trial import TrialState
from sqlalchemy.orm import Session

from dna_engine.events import Metric
from dna_engine.plans import Kind
from store import claims, flow, jobs, tunings
from store.claims import Claim
from store.errors import LeaseLost, NotFound
from store.session import Sessions, transaction
from store.states import StepState
from store.studies import Studies
from store.tables import Tuning
from tests.store.builders import new_search, new_tuning, new_worker, queued, take, two_groups, values_of


@pytest.fixture
def studies(database_url: str) -> Iterator[Studies]:
    made = Studies(database_url)
    yield made
    made.close()


def done(session: Session, claim: Claim, **found: object) -> None:
    values = values_of(Kind.TRIAL) | found
    flow.succeed(session, claim, values, [], engine_seconds=1.0, group=two_groups)


def test_what_a_trial_tries_is_written_down_and_stays_the_same_over_attempts(
    sessions: Sessions, studies: Studies
) -> None:
    with transaction(sessions) as session:
        tuning, worker = new_tuning(session), new_worker(session)
        step = queued(session, tuning)[0]
        claim = take(session, step, worker)
    with transaction(sessions) as session:
        asked = tunings.ask(session, studies, claim)
    assert asked.step.trial is not None
    assert set(asked.step.trial.params or {}) == {"label_smoothing", "learning_rate", "weight_decay"}
    with transaction(sessions) as session:
        flow.stop(session, claim, engine_seconds=1.0)
        again = take(session, step, worker)
        assert again.step == asked.step, "the next attempt finds it in its row"
        assert tunings.ask(session, studies, again) == again
        with pytest.raises(LeaseLost):
            tunings.ask(session, studies, claim)


def test_a_question_whose_answer_was_not_written_down_is_answered_the_same(
    sessions: Sessions, studies: Studies
) -> None:
    with transaction(sessions) as session:
        tuning = new_tuning(session)
        claim = take(session, queued(session, tuning)[0], new_worker(session))
    with sessions() as session:
        lost = tunings.ask(session, studies, claim)
        session.rollback()
    with transaction(sessions) as session:
        assert claims.held(session, claim)[1].planned.trial == claim.step.trial
        assert tunings.ask(session, studies, claim) == lost


def test_the_best_is_the_first_of_the_most_accurate(session: Session) -> None:
    tuning, worker = new_tuning(session, trials=5), new_worker(session)
    taken = [take(session, step, worker) for step in queued(session, tuning)]
    for claim, found in (
        (taken[0], {"state": "pruned", "value": 0.99}),
        (taken[1], {"state": "failed", "value": None}),
        (taken[3], {"value": 0.8}),
        (taken[4], {"value": 0.7}),
    ):
        done(session, claim, **found)
    assert best(tuning) == (4, 0.8)
    done(session, taken[2], value=0.8)
    assert best(tuning) == (3, 0.8), "of two that are equally good, whichever has ended first"
    assert tuning.state == "succeeded"


def best(tuning: Tuning) -> tuple[int, float]:
    assert tuning.best is not None
    return tuning.best["trial"], tuning.best["value"]


def test_trials_are_read_with_their_curves_in_pieces(session: Session) -> None:
    tuning, worker = new_tuning(session, trials=12), new_worker(session)
    claim = take(session, queued(session, tuning)[10], worker)
    points = [Metric(series="train/trial-11/accuracy", x=x, y=x / 10) for x in (1, 2)]
    flow.report(session, claim, [*points, Metric(series="train/trial-11/loss", x=1, y=2.0)], engine_seconds=1.0)
    rows = tunings.trials(session, tuning.id, after=8, limit=3)
    assert [row.step.key for row in rows] == ["trial-9", "trial-10", "trial-11"]
    assert [(row.curve, row.found) for row in rows] == [([], None), ([], None), ([(1, 0.1), (2, 0.2)], None)]
    done(session, claim)
    [row] = tunings.trials(session, tuning.id, after=10, limit=1)
    assert row.found is not None
    assert (row.found.value, row.step.state) == (0.9, StepState.SUCCEEDED)


def test_what_is_no_tuning_has_no_trials(session: Session) -> None:
    with pytest.raises(NotFound, match="There is no tuning"):
        tunings.trials(session, new_search(session).id)
    with pytest.raises(NotFound, match="There is no tuning"):
        tunings.get(session, new_search(session).id)


def test_what_somebody_died_over_is_put_right(sessions: Sessions, studies: Studies) -> None:
    with transaction(sessions) as session:
        tunings_made = [new_tuning(session, trials=1), new_tuning(session, trials=1)]
        claims_of = [take(session, queued(session, each)[0], new_worker(session)) for each in tunings_made]
    for claim in claims_of:
        with transaction(sessions) as session:
            done(session, tunings.ask(session, studies, claim))  # Its worker dies before it tells.
    deleted, kept = (each.id for each in tunings_made)
    with transaction(sessions) as session:
        jobs.delete(session, deleted)  # The API dies before it deletes the study.
    assert set(studies.of()) == {deleted, kept}
    tunings.tidy(sessions, studies)
    assert studies.of() == [kept]
    [trial] = studies.told(kept)
    assert (trial.state, trial.value) == (TrialState.COMPLETE, 0.9)
