"""A trial: a short training by a recipe of its own, judged by images that were held out."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
import torch

from dna_engine import pipeline, trial
from dna_engine.errors import Interrupted
from dna_engine.events import Log, Metric, Result
from dna_engine.plans import Step, plan_of
from dna_engine.plans.results import TrialTried
from dna_engine.runtime.context import never
from dna_engine.spec import ResolvedNetworks, ResolvedTuning, parse_job
from dna_engine.spec.tunable import Value
from dna_engine.training.splits import Splits, load_splits
from tests.dna_engine.runs import Recorder, context, tiny_tuning

SPEC = tiny_tuning()


def step(**params: Value) -> Step:
    """The first trial, with what it tries."""
    first = plan_of(SPEC).all_steps()[0]
    assert first.trial is not None
    return first.model_copy(update={"trial": first.trial.model_copy(update={"params": params})})


def run(
    folder: Path, *, spec: ResolvedTuning = SPEC, stop: Callable[[], bool] = never, **params: Value
) -> tuple[Result, Recorder]:
    where, recorder = context(folder, stop=stop)
    return pipeline.run_step(parse_job(spec.model_dump(mode="json")), step(**params), where), recorder


def curve(recorder: Recorder) -> dict[float, float]:
    return {point.x: point.y for point in recorder.of(Metric) if point.series == "train/trial-1/accuracy"}


def test_what_decides_are_held_out_images_and_the_test_images_are_not_even_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_test(spec: ResolvedNetworks, device: torch.device) -> Splits:
        splits = load_splits(spec, device)
        return Splits(
            train=lambda: splits.train, rate=lambda: splits.rate, test=lambda: pytest.fail("the test images are read")
        )

    monkeypatch.setattr(trial, "load_splits", without_test)
    result, recorder = run(tmp_path, learning_rate=0.01)
    found = TrialTried.model_validate(result.values)
    assert (found.state, found.epochs, result.artifacts) == ("complete", 2, [])
    assert curve(recorder)[2] == found.value
    assert found.value is not None
    assert (found.value * SPEC.images) % 1 == pytest.approx(0, abs=1e-6)
    splits = load_splits(SPEC, torch.device("cpu"))
    assert (len(splits.rate), len(splits.train)) == (287, SPEC.dataset.num_train - 287)


def test_each_has_its_own_recipe_and_what_is_left_open_follows_it(tmp_path: Path) -> None:
    curves = {rate: curve(run(tmp_path / str(rate), learning_rate=rate)[1]) for rate in (0.001, 0.02)}
    assert curves[0.001] != curves[0.02]
    spec = tiny_tuning(search={"batch_size": [16, 64]}, batch_size=None)
    assert spec.of_trial({"batch_size": 16}).learning_rate == pytest.approx(
        spec.of_trial({"batch_size": 64}).learning_rate / 2
    )


def test_interrupted_it_ends_the_same(tmp_path: Path) -> None:
    whole, told = run(tmp_path / "whole", learning_rate=0.01)
    asked = count()
    with pytest.raises(Interrupted):
        run(tmp_path / "parts", stop=lambda: next(asked) > 11, learning_rate=0.01)
    rest, told_then = run(tmp_path / "parts", learning_rate=0.01)
    assert TrialTried.model_validate(rest.values).value == TrialTried.model_validate(whole.values).value
    assert curve(told_then) == curve(told)
    assert not list((tmp_path / "parts/checkpoints").iterdir())


def test_one_that_diverges_is_no_failure(tmp_path: Path) -> None:
    wild = tiny_tuning(
        weight_decay=1, batch_size=32, search={"learning_rate": [1, 10]}
    )  # Weights grow ninefold a step.
    result, recorder = run(tmp_path, spec=wild, learning_rate=10.0)
    found = TrialTried.model_validate(result.values)
    assert (found.state, found.value) == ("diverged", 0.0)
    assert "diverged" in recorder.of(Log)[-1].message
