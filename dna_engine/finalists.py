"""The finalist step: a network that its ratings put among the best is looked at whole.

Ratings add up what each block does alone; what the blocks do together they do not see. A short training that begins with the weights
of the distilled blocks does. docs/benchmarks.md has what it picks where true accuracies are known.
"""

from __future__ import annotations

import math

import torch

from dna_engine import choose
from dna_engine.blockwise.begin import begin
from dna_engine.errors import NonFiniteLoss
from dna_engine.events import Log, Result
from dna_engine.plans import Step, files
from dna_engine.plans.results import Finalist, FinalistTried
from dna_engine.runtime import checkpoint as checkpoints
from dna_engine.runtime.context import Context
from dna_engine.runtime.cores import threads
from dna_engine.select import Network
from dna_engine.space.cost import work_per_operation
from dna_engine.spec import ResolvedSpec
from dna_engine.training.network import build, calm_classifier
from dna_engine.training.recipe import Recipe
from dna_engine.training.splits import load_splits
from dna_engine.training.train import fit


def run_step(spec: ResolvedSpec, step: Step, context: Context) -> Result:
    """Trains the network of that place among the ratings for a short time, and writes what it comes to on the rating images.

    The test images have no part in it.

    Raises:
        InfeasibleBudget: no network fits; says what would.
        Interrupted: told to stop; a checkpoint was written.
    """
    assert step.network is not None
    place = spec.finalists.index(step.network)
    rated = choose.shortlist(choose.problem_of(spec, context.run), spec, context.run)
    found = FinalistTried(finalist=_tried(spec, step, rated[place], context) if place < len(rated) else None)
    file = context.run / files.finalist(step.network)
    file.parent.mkdir(exist_ok=True)
    file.write_text(found.model_dump_json(indent=1) + "\n")
    checkpoints.remove(context.run / step.checkpoint)
    return found.result(step.outputs(spec))


def _tried(spec: ResolvedSpec, step: Step, network: Network, context: Context) -> Finalist | None:
    """What came of it; nothing of one whose training diverged, which tells that it is not the best."""
    try:
        found = _try(spec, step, network, context)
    except NonFiniteLoss:
        found = None
    if found is None or not math.isfinite(found.log_loss):
        message = f"The short training of {step.network} diverged: it is out, and the others decide."
        context.reporter.emit(Log(level="warning", message=message))
        return None
    return found


def _try(spec: ResolvedSpec, step: Step, network: Network, context: Context) -> Finalist:
    assert step.network is not None
    recipe, checkpoint = Recipe.of_finalist(spec), context.run / step.checkpoint
    torch.manual_seed(spec.seed)
    model = build(network.architecture)
    calm_classifier(model)
    model.to(context.device)
    splits = load_splits(spec, context.device, share=spec.select.epochs)
    with threads(work_per_operation(network.architecture, recipe.batch_size)):
        errors = begin(
            model,
            network.architecture,
            spec.parsed_space,
            context.run,
            splits.train,
            batch_size=recipe.batch_size,
            seed=spec.seed,
        )
        fitted = fit(
            model,
            splits.judged_by_held_out(),
            recipe,
            seed=spec.seed,
            context=context,
            checkpoint=checkpoint,
            part=step.network,
            rate_field="retrain.learning_rate",
            warn=False,
        )
    return Finalist(
        name=step.network,
        loss=network.loss,
        **network.costs,
        blocks=network.to_json()["blocks"],
        log_loss=fitted.test_loss,
        accuracy=fitted.test_accuracy,
        error=max(errors),
    )
