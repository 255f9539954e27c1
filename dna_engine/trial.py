"""The trial step: a network is trained by one recipe of those that a tuning tries, and judged by the images that were held out.

The test images have no part in it: what is chosen by them would look better than it is.
"""

from __future__ import annotations

import math

from dna_engine.errors import NonFiniteLoss
from dna_engine.events import Log, Result
from dna_engine.plans import Step
from dna_engine.plans.results import TrialTried
from dna_engine.retrain import begun, fit_network, recipe_of
from dna_engine.runtime import checkpoint as checkpoints
from dna_engine.runtime.context import Context
from dna_engine.space.architecture import Architecture
from dna_engine.spec import ResolvedTuning
from dna_engine.training.splits import load_splits
from dna_engine.training.train import FitResult


def run_step(spec: ResolvedTuning, step: Step, context: Context) -> Result:
    """Trains the network by the recipe of the trial; leaves no files. Its curve is ``train/KEY/accuracy``.

    Raises:
        Interrupted: told to stop; a checkpoint was written.
    """
    try:
        found = _tried(_fit(spec, step, context), spec.epochs)
    except NonFiniteLoss:
        found = TrialTried(state="diverged", value=0.0)
    if not context.team.leads:
        return Result(artifacts=[])
    if found.state == "diverged":
        context.reporter.emit(Log(message=f"{step.key} diverged: it counts as one that answers nothing."))
    checkpoints.remove(context.run / step.checkpoint)
    return found.result([])


def _fit(spec: ResolvedTuning, step: Step, context: Context) -> FitResult:
    assert step.trial is not None
    assert step.trial.params is not None
    own = spec.of_trial(step.trial.params)
    architecture, recipe = Architecture.from_json(spec.architecture), recipe_of(own)
    model, splits = begun(own, architecture, recipe), load_splits(own, context.device).judged_by_held_out()
    return fit_network(own, step, architecture, model, recipe, splits, context, part=step.key, warn=False)


def _tried(fitted: FitResult, epochs: int) -> TrialTried:
    """What is judged are weights, of which the training may have lost some by its very end."""
    if not math.isfinite(fitted.test_loss):
        return TrialTried(state="diverged", value=0.0, epochs=epochs)
    return TrialTried(
        state="complete",
        value=fitted.test_accuracy,
        epochs=epochs,
        log_loss=fitted.test_loss,
        seconds=fitted.seconds,
    )
