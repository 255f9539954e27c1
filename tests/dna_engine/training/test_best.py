"""Early stopping: it ends where held-out images say so, keeps the best weights, and goes on to the bit."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import torch
from torch import nn

from dna_engine.errors import Interrupted
from dna_engine.events import Metric
from dna_engine.training import train
from dna_engine.training.best import Best
from dna_engine.training.network import build
from dna_engine.training.recipe import Recipe
from dna_engine.training.splits import Splits, load_splits
from tests.dna_engine.runs import TINY_NETWORK, context, tiny_spec

CPU = torch.device("cpu")
#: Faster and faster, so that the network is soon worse than it was.
RECIPE = Recipe(epochs=9, batch_size=256, learning_rate=0.1, warmup_epochs=8.0, ema_decay=0.5, patience=2)


@pytest.fixture(scope="module")
def splits() -> Splits:
    return load_splits(tiny_spec(), CPU)


def fitted(splits: Splits, run: Path, stop_after: int | None = None) -> tuple[nn.Module, train.FitResult, list[float]]:
    """The network, what it came to, and its losses on the held-out images."""
    torch.manual_seed(0)
    model, asked = build(TINY_NETWORK.with_classes(10)), itertools.count()
    where, recorder = context(run, stop=lambda: stop_after is not None and next(asked) >= stop_after)
    result = train.fit(model, splits, RECIPE, seed=3, context=where, checkpoint=run / "c.safetensors", part="network")
    return model, result, [point.y for point in recorder.of(Metric) if point.series == "train/network/held_out_loss"]


def test_it_ends_when_it_has_not_got_better_and_keeps_the_best(splits: Splits, tmp_path: Path) -> None:
    model, result, losses = fitted(splits, tmp_path / "whole")
    stopped = result.early_stopping
    assert stopped is not None
    assert stopped.early
    assert len(losses) == stopped.epoch < RECIPE.epochs
    assert stopped.best_epoch == losses.index(min(losses)) + 1 == stopped.epoch - RECIPE.patience
    assert stopped.log_loss == min(losses) == pytest.approx(train.evaluate(model, splits.rate, CPU).loss, rel=1e-6)
    assert stopped.images == len(splits.rate)
    assert fitted(splits, tmp_path / "whole")[1].early_stopping == stopped, "a finished run is not done again"
    per_epoch = splits.train.steps(RECIPE.batch_size)
    behind_best = round(stopped.best_epoch) * per_epoch
    for stop_after in (
        1,
        behind_best,
    ):  # In the first epoch; and after the best, whose weights the checkpoint then holds.
        with pytest.raises(Interrupted):
            fitted(splits, tmp_path / "parts", stop_after)
    again, found, told = fitted(splits, tmp_path / "parts")
    assert (found.early_stopping, found.test_loss, told) == (stopped, result.test_loss, losses)
    assert all(torch.equal(tensor, again.state_dict()[name]) for name, tensor in model.state_dict().items())


def test_it_is_patient() -> None:
    best, model = Best(2, 10), nn.Linear(1, 1)
    for epoch, (loss, passed) in enumerate(
        [(2.0, False), (float("nan"), False), (1.0, False), (1.5, False), (1.0, True)], start=1
    ):
        best.look(model, loss, epoch)
        assert best.passed == passed
    assert (best.told.best_epoch, best.told.log_loss) == (3, 1.0)
