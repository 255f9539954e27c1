"""Finalists: trained for a short time from inherited weights, judged on images held out of the training ones."""

from __future__ import annotations

import math
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from dna_engine import choose, finalists, pipeline
from dna_engine.errors import Interrupted, NonFiniteLoss
from dna_engine.events import Log, Metric
from dna_engine.plans import Kind, Phase, Step, files, plan_of
from dna_engine.plans.results import FinalistTried
from dna_engine.runtime.context import Context
from dna_engine.training.splits import load_splits
from dna_engine.training.train import fit
from tests.dna_engine.runs import context, tiny_spec

SPEC = tiny_spec()
STEP = Step(key="finalist-1", kind=Kind.FINALIST, network="finalist-1")


@pytest.fixture(scope="module")
def rated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder up to the ratings."""
    run = tmp_path_factory.mktemp("rated")
    where, _ = context(run)
    for phase in (Phase.TEACHER, Phase.DISTILL, Phase.RATE):
        for step in plan_of(SPEC).steps(phase):
            pipeline.run_step(SPEC, step, where)
    return run


@pytest.fixture
def run(rated: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(rated, tmp_path / "run"))


def tried(run: Path, step: Step = STEP) -> FinalistTried:
    return FinalistTried.model_validate_json((run / files.finalist(step.network or "")).read_text())


def test_a_finalist_is_judged_on_the_rating_images(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    used = []

    def spied(model, splits, recipe, **rest):  # type: ignore[no-untyped-def]
        used.append((splits, recipe))
        return fit(model, splits, recipe, **rest)

    monkeypatch.setattr(finalists, "fit", spied)
    where, recorder = context(run)
    result = pipeline.run_step(SPEC, STEP, where)
    ((splits, recipe),) = used
    everything = load_splits(SPEC, torch.device("cpu"))
    assert torch.equal(splits.test.canvases, everything.rate.canvases)  # type: ignore[attr-defined]
    assert len(splits.train) == pytest.approx(len(everything.train) * SPEC.select.epochs, abs=1)
    assert recipe.epochs == 1
    finalist = tried(run).finalist
    assert finalist is not None
    assert result.values["finalist"] == finalist.model_dump(mode="json")
    assert 0 < finalist.log_loss < math.log(10)  # It knows something.
    assert {metric.series.split("/")[1] for metric in recorder.of(Metric)} == {"finalist-1"}
    assert not (run / STEP.checkpoint).exists()


def test_a_finalist_that_was_stopped_goes_on_to_the_same_figures(run: Path, rated: Path) -> None:
    pipeline.run_step(SPEC, STEP, context(run)[0])
    whole = tried(run)
    shutil.rmtree(run / "finalists")
    asked = iter(range(10**6))
    where, _ = context(run, stop=lambda: next(asked) >= 2)
    with pytest.raises(Interrupted):
        pipeline.run_step(SPEC, STEP, where)
    assert (run / STEP.checkpoint).exists()
    pipeline.run_step(SPEC, STEP, Context(run, where.device, where.reporter))
    assert tried(run) == whole


@pytest.mark.parametrize("diverges", ["at once", "in the end"])
def test_a_finalist_that_diverges_is_out(run: Path, monkeypatch: pytest.MonkeyPatch, diverges: str) -> None:
    def diverging(*given, **rest):  # type: ignore[no-untyped-def]
        if diverges == "at once":
            raise NonFiniteLoss("The loss is no longer finite.")
        return replace(fit(*given, **rest), test_loss=math.inf)

    monkeypatch.setattr(finalists, "fit", diverging)
    where, recorder = context(run)
    assert pipeline.run_step(SPEC, STEP, where).values == {"finalist": None}
    assert tried(run).finalist is None
    assert [log.message for log in recorder.of(Log)] == [
        "The short training of finalist-1 diverged: it is out, and the others decide."
    ]


def test_where_fewer_networks_fit_the_others_are_nothing(run: Path) -> None:
    """The tightest budget has one network."""
    low = choose.problem_of(SPEC, run).cost_range["flops"][0]
    tight = SPEC.model_copy(update={"budget": SPEC.budget.model_copy(update={"flops": low})})
    step = Step(key="finalist-2", kind=Kind.FINALIST, network="finalist-2")
    assert pipeline.run_step(tight, step, context(run)[0]).values == {"finalist": None}
    assert tried(run, step).finalist is None
