"""Optuna's account of tunings: a study for each, named by its id, in a schema of its own beside the service's tables.

The service's rows are the truth, and the studies follow them: a trial is told of as soon as its step is settled, and, should the
process have died in between, before the next one is asked for. So that Optuna's own tools show what goes on here, see docs/tuning.md.

What is proposed depends on the seed, the number of the trial and those that have finished by then, and on nothing else: each
question is put to a fresh sampler over a copy of the study.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import cast
from uuid import UUID

import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.exceptions import StorageInternalError
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner
from optuna.samplers import TPESampler
from optuna.storages import RDBStorage
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy import make_url, text

from dna_engine.plans import Step
from dna_engine.plans.results import TrialTried
from dna_engine.spec import ResolvedTuning
from dna_engine.spec.tunable import Choices, Parameter, Value
from store.connection import PATIENT, TimeOuts
from store.session import driver_url, make_engine

#: Where Optuna's tables are.
SCHEMA = "optuna"

#: Under which processes that start together take turns; any number nobody else uses.
_LOCK = 0x444E42

#: Of a trial in a study: the key of its step.
_STEP = "step"

#: The first ones, whose values are drawn at random, and how many must be complete before any is ended early.
_STARTUP, _COMPLETE = 10, 5

_STATES: Mapping[str, TrialState] = {
    "complete": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "diverged": TrialState.COMPLETE,
    "failed": TrialState.FAIL,
}

# Every study and trial that is made would be a line.
optuna.logging.set_verbosity(optuna.logging.WARNING)


@dataclass(frozen=True)
class Settled:
    """A trial whose step is done: the key of the step, and what it found."""

    key: str
    found: TrialTried


class Studies:
    """The studies of a database; connects when it is first asked.

    Where the database does not answer, its methods raise SQLAlchemy's ``OperationalError``, as everything of the store does.
    """

    def __init__(self, url: str, timeouts: TimeOuts | None = None) -> None:
        self._url, self._timeouts = url, timeouts or TimeOuts()

    @cached_property
    def _storage(self) -> RDBStorage:
        arguments = {"connect_timeout": math.ceil(self._timeouts.connect), "application_name": "dna"}
        pool = {"pool_size": 1, "max_overflow": 2, "pool_pre_ping": True, "pool_timeout": self._timeouts.pool}
        return RDBStorage(
            storage_url(self._url, self._timeouts),
            engine_kwargs={"connect_args": arguments, **pool},
            skip_table_creation=True,
        )

    def open(self) -> None:
        """Connects now: whoever holds rows while he asks holds them no longer than need be."""
        with _own_errors():
            assert self._storage

    def close(self) -> None:
        """Gives its connections back."""
        if "_storage" in self.__dict__:
            self._storage.engine.dispose()

    def ask(self, tuning_id: UUID, spec: ResolvedTuning, step: Step, settled: Sequence[Settled]) -> dict[str, Value]:
        """What a trial is to try; the same when it is asked again. One at a time for each tuning: hold its job.

        Args:
            settled: the trials that are done; who has died did not tell of them.
        """
        assert step.trial is not None
        with _own_errors():
            study = self._study(tuning_id, spec)
            _tell(study, settled)
            trials = study.get_trials(deepcopy=False)
            if known := _named(trials, step.key):
                return known.params
            space = _space(spec.search)
            params = _propose(trials, space, spec.seed, step.trial.number)
            attributes = {_STEP: step.key}
            running = create_trial(state=TrialState.RUNNING, params=params, distributions=space, user_attrs=attributes)
            study.add_trial(running)
            return params

    def running(self, tuning_id: UUID, spec: ResolvedTuning, key: str) -> RunningTrial:
        """The trial of that step, which was asked for before."""
        with _own_errors():
            return RunningTrial(self._storage, self._study(tuning_id, spec), key, spec)

    def tell(self, tuning_id: UUID, spec: ResolvedTuning, settled: Sequence[Settled]) -> None:
        """What has come of trials; of those that were told of before nothing is changed."""
        with _own_errors():
            _tell(self._study(tuning_id, spec), settled)

    def of(self) -> list[UUID]:
        """The tunings that there are studies of."""
        with _own_errors():
            return [UUID(name) for name in optuna.get_all_study_names(self._storage)]

    def told(self, tuning_id: UUID) -> list[FrozenTrial]:
        """The trials of a tuning as Optuna knows them."""
        with _own_errors():
            return optuna.load_study(study_name=str(tuning_id), storage=self._storage).get_trials()

    def delete(self, tuning_id: UUID) -> None:
        """Deletes the study of a tuning, if there is one."""
        with _own_errors(), suppress(KeyError):
            optuna.delete_study(study_name=str(tuning_id), storage=self._storage)

    def _study(self, tuning_id: UUID, spec: ResolvedTuning) -> Study:
        return optuna.create_study(
            storage=self._storage,
            study_name=str(tuning_id),
            direction="maximize",
            sampler=TPESampler(seed=spec.seed),
            pruner=_pruner(spec),
            load_if_exists=True,
        )


class RunningTrial:
    """A trial while its network is trained."""

    def __init__(self, storage: RDBStorage, study: Study, key: str, spec: ResolvedTuning) -> None:
        trial = _named(study.get_trials(deepcopy=False), key)
        assert trial is not None
        study_id = storage.get_study_id_from_name(study.study_name)
        self._storage, self._study, self._epochs = storage, study, spec.epochs
        self._id = storage.get_trial_id_from_study_id_trial_number(study_id, trial.number)

    def report(self, epoch: int, value: float) -> bool:
        """Takes a point of its curve; whether the trial is to end here. The last point ends it anyway."""
        with _own_errors():
            self._storage.set_trial_intermediate_value(self._id, epoch, value)
            if epoch >= self._epochs:
                return False
            return self._study.pruner.prune(self._study, self._storage.get_trial(self._id))


@contextmanager
def _own_errors() -> Iterator[None]:
    """The database's errors as the rest of the store knows them, not as Optuna wraps them."""
    try:
        yield
    except StorageInternalError as error:
        raise error.__cause__ or error from None


def importances(spec: ResolvedTuning, trials: Sequence[tuple[Mapping[str, Value], TrialTried]]) -> dict[str, float]:
    """How much each field matters for being among the best tenth of the trials, the most important first; in all 1.

    PED-ANOVA (Watanabe, Bansal and Hutter 2023), of trials by what they have tried and found; those that are complete count. Empty
    where they are too few to tell.
    """
    space = _space(spec.search)
    study = optuna.create_study(direction="maximize")
    for params, found in trials:
        if found.value is not None and _STATES[found.state] == TrialState.COMPLETE:
            study.add_trial(create_trial(params=dict(params), distributions=space, value=found.value))
    if len(study.get_trials(deepcopy=False)) < _STARTUP:
        return {}
    return optuna.importance.get_param_importances(study)


def prepare(url: str) -> None:
    """Makes Optuna's tables in its schema, which there is, or brings them to what this version of Optuna expects. One process at a time."""
    engine = make_engine(url, PATIENT, pool_size=1)
    try:
        with engine.begin() as turn:
            turn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            storage = RDBStorage(storage_url(url, PATIENT), skip_compatibility_check=True)
            storage.upgrade()
            storage.engine.dispose()
    finally:
        engine.dispose()


def storage_url(url: str, timeouts: TimeOuts | None = None) -> str:
    """The URL by which Optuna finds its tables in a database of the service."""
    parsed = make_url(driver_url(url))
    given = parsed.query.get("options", "")
    limits = timeouts.options if timeouts else ""
    options = f"{given} -c search_path={SCHEMA} {limits}".strip()
    return parsed.update_query_dict({"options": options}).render_as_string(hide_password=False)


def _propose(
    trials: Sequence[FrozenTrial], space: Mapping[str, BaseDistribution], seed: int, number: int
) -> dict[str, Value]:
    """By a tree-structured Parzen estimator, to which a trial that runs counts as a bad one: so those that run at once differ."""
    [own] = np.random.SeedSequence([seed, number]).generate_state(1)
    sampler = TPESampler(seed=int(own), n_startup_trials=_STARTUP, constant_liar=True)
    copy = optuna.create_study(direction="maximize", sampler=sampler)
    copy.add_trials(trials)
    return copy.ask(dict(space)).params


def _tell(study: Study, settled: Sequence[Settled]) -> None:
    known = {trial.user_attrs.get(_STEP): trial for trial in study.get_trials(deepcopy=False)}
    for each in settled:
        trial = known.get(each.key)
        if trial is None or trial.state.is_finished():
            continue
        state = _STATES[each.found.state]
        value = each.found.value if state == TrialState.COMPLETE else None
        study.tell(trial.number, value, state=state, skip_if_finished=True)


def _named(trials: Sequence[FrozenTrial], key: str) -> FrozenTrial | None:
    return next((trial for trial in trials if trial.user_attrs.get(_STEP) == key), None)


def _space(search: Mapping[str, Parameter]) -> dict[str, BaseDistribution]:
    """Sorted by name: what is drawn depends on the order, and the database keeps none."""
    return {name: _distribution(parameter) for name, parameter in sorted(search.items())}


def _distribution(parameter: Parameter) -> BaseDistribution:
    if isinstance(parameter, Choices):
        return CategoricalDistribution(parameter.choices)
    if parameter.whole:
        return IntDistribution(int(parameter.low), int(parameter.high), log=parameter.log)
    return FloatDistribution(parameter.low, parameter.high, log=parameter.log)


def _pruner(spec: ResolvedTuning) -> BasePruner:
    match spec.pruner:
        case "median":
            # The first epochs warm up.
            return MedianPruner(n_startup_trials=_COMPLETE, n_warmup_steps=max(1, spec.epochs // 4))
        case "hyperband":
            return _Hyperband(min_resource=1, max_resource=spec.epochs)
        case "none":
            return NopPruner()


class _Hyperband(HyperbandPruner):
    """Puts a trial into a bracket by its number alone. Optuna's takes the name of the study too, which is an id here, and the same seed
    would end other trials early."""

    def _get_bracket_id(self, study: Study, trial: FrozenTrial) -> int:  # noqa: ARG002  The name of the study was asked.
        return super()._get_bracket_id(cast(Study, SimpleNamespace(study_name="tuning")), trial)
