"""Two processes train one network: on the same images, by the same recipe, as one; they stop together and go on together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from timm.layers.norm_act import convert_sync_batchnorm
from torch import Tensor, distributed, nn

from dna_engine.errors import Interrupted, NonFiniteLoss
from dna_engine.events import Checkpoint, Metric
from dna_engine.images.info import DatasetInfo
from dna_engine.runtime.context import never
from dna_engine.runtime.team import ALONE, Team, Together
from dna_engine.training import splits as splitting
from dna_engine.training import train
from dna_engine.training.batches import Images
from dna_engine.training.network import build
from dna_engine.training.recipe import Recipe
from dna_engine.training.splits import Splits, load_splits
from tests.dna_engine.runs import TINY_NETWORK, context, tiny_spec
from tests.dna_engine.teams import together
from tests.dna_engine.training.sets import CPU, load_folder

NETWORK = TINY_NETWORK.with_classes(10)


@pytest.fixture(scope="module")
def splits() -> Splits:
    return load_splits(tiny_spec(), CPU)


def tiny(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return build(NETWORK, dropout=0.2, drop_path=0.1)


class Plain(nn.Module):
    """Normalises nothing, so that it learns from a batch what it learns from its parts."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(3 * 16 * 16, 10)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.layer(images.flatten(1))
        return logits


def fitted(
    run: Path,
    team: Team,
    model: nn.Module,
    splits: Splits,
    recipe: Recipe,
    stop: Callable[[], bool] = never,
    teacher: nn.Module | None = None,
) -> dict[str, Any]:
    """What came of it, on this process."""
    where, recorder = context(run)
    where = replace(where, team=team, stop=team.agreed(stop))
    result, error = None, None
    try:
        result = train.fit(
            model,
            splits,
            recipe,
            seed=3,
            context=where,
            checkpoint=run / "c.safetensors",
            part="p",
            teacher=teacher,
        )
    except (Interrupted, NonFiniteLoss) as raised:
        error = type(raised).__name__
    return {
        "error": error,
        "losses": [point.y for point in recorder.of(Metric) if point.series.endswith("/loss")],
        "accuracy": result and result.test_accuracy,
        "weights": {name: weights.detach().clone() for name, weights in model.named_parameters()},
        "state": {name: tensor.clone() for name, tensor in model.state_dict().items()},
        "checkpoints": len(recorder.of(Checkpoint)),
    }


def assert_same(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    for name, tensor in one.items():
        assert torch.equal(tensor, other[name]), name


def shares(images: Images, batch: int) -> None:
    """Every batch of an epoch is what the two take of it, every other image each."""
    drawing = Recipe(epochs=1, randaugment=9.0, color_jitter=0.2, random_erasing=0.5).drawing
    whole = list(images.epoch(1, batch, seed=4, drawing=drawing))
    parts = [
        list(images.epoch(1, batch, seed=4, drawing=drawing, team=Together(rank=rank, size=2))) for rank in range(2)
    ]
    for (pictures, labels), *taken in zip(whole, *parts, strict=True):
        for rank, (own, own_labels) in enumerate(taken):
            assert torch.equal(own, pictures[rank::2])
            assert torch.equal(own_labels, labels[rank::2])


def test_the_images_of_a_step_are_those_of_one_process(
    splits: Splits, folder: DatasetInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those held in memory, and those that are decoded as they are asked for."""
    shares(splits.train, 97)
    monkeypatch.setattr(splitting, "IN_MEMORY", 0)
    shares(load_folder(folder).train, 15)


def test_two_learn_from_a_batch_what_one_does(splits: Splits, tmp_path: Path) -> None:
    """Also from one of an odd number of images, of which the first takes one more."""
    recipe = Recipe(epochs=2, batch_size=101, learning_rate=0.01)
    alone = fitted(tmp_path, ALONE, Plain(), splits, recipe)
    first, second = together(tmp_path / "t", lambda team: fitted(tmp_path / "t", team, Plain(), splits, recipe))
    assert_same(first["weights"], second["weights"])
    assert first["losses"] == pytest.approx(alone["losses"], rel=1e-5)
    for name, weights in alone["weights"].items():
        torch.testing.assert_close(first["weights"][name], weights, rtol=1e-4, atol=1e-5)


RECIPE = Recipe(epochs=4, batch_size=64, learning_rate=0.02, warmup_epochs=0.5, ema_decay=0.9, teacher_weight=0.5)


class Answering(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return images.mean((1, 3))[:, :10] * 3


def test_a_network_with_norms_is_as_good_and_goes_on_to_the_bit(splits: Splits, tmp_path: Path) -> None:
    """However each process would have begun, all begin as the first; one that is told to stop stops both."""

    def whole(team: Team, run: Path = tmp_path / "whole", stop: Callable[[], bool] = never) -> dict[str, Any]:
        return fitted(run, team, tiny(seed=team.rank), splits, RECIPE, stop, Answering())

    def interrupted(team: Team) -> dict[str, Any]:
        asked = iter(range(10**9))
        return whole(team, tmp_path / "parts", lambda: team.rank == 1 and next(asked) == 30)

    alone = fitted(tmp_path / "alone", ALONE, tiny(), splits, RECIPE, teacher=Answering())
    first, second = together(tmp_path / "whole", whole)
    assert first["accuracy"] == second["accuracy"] == pytest.approx(alone["accuracy"], abs=0.1)
    assert alone["accuracy"] > 0.6
    stopped = together(tmp_path / "parts", interrupted)
    assert [one["error"] for one in stopped] == ["Interrupted"] * 2
    assert [one["checkpoints"] for one in stopped] == [1, 0], "the first alone writes"
    assert_same(stopped[0]["weights"], stopped[1]["weights"])
    again, _ = together(tmp_path / "again", lambda team: whole(team, tmp_path / "parts"))
    assert again["losses"] == first["losses"]
    assert_same(first["state"], again["state"])


def test_while_the_classifier_alone_is_trained_all_before_it_stays(splits: Splits, tmp_path: Path) -> None:
    """Norms are as in evaluation then, so that two learn what one does; afterwards all is trained."""
    recipe = Recipe(epochs=2, batch_size=256, learning_rate=0.02, warmup_epochs=0, frozen_epochs=1)
    steps = splits.train.steps(recipe.batch_size)

    def first_epoch(team: Team) -> dict[str, Any]:
        asked = iter(range(10**9))
        run = tmp_path / str(team.size)
        return fitted(run, team, tiny(), splits, recipe, lambda: next(asked) == steps - 1)

    begun, alone = dict(tiny().named_parameters()), first_epoch(ALONE)
    first, second = together(tmp_path / "t", first_epoch)
    assert first["error"] == alone["error"] == "Interrupted"
    changed = {name for name, weights in first["weights"].items() if not torch.equal(weights, begun[name])}
    assert changed == {"classifier.weight", "classifier.bias"}
    assert_same(first["weights"], second["weights"])
    assert len(first["losses"]) == 1
    assert first["losses"] == pytest.approx(alone["losses"], rel=1e-5)
    again, _ = together(tmp_path / "t", lambda team: fitted(tmp_path / "2", team, tiny(), splits, recipe))
    assert again["error"] is None
    assert not any(torch.equal(weights, begun[name]) for name, weights in again["weights"].items())


class Breaking(Plain):
    """Has no loss at its third batch."""

    def __init__(self, breaks: bool) -> None:
        super().__init__()
        self.breaks, self.seen = breaks, 0

    def forward(self, images: Tensor) -> Tensor:
        self.seen += 1
        return super().forward(images) * (float("nan") if self.breaks and self.seen == 3 else 1.0)


def test_a_loss_that_one_has_no_more_ends_both_and_nothing_is_kept(splits: Splits, tmp_path: Path) -> None:
    def work(team: Team) -> dict[str, Any]:
        """Told to stop, it would write a checkpoint behind that very batch."""
        model = Breaking(breaks=team.rank == 1)
        return fitted(tmp_path, team, model, splits, Recipe(epochs=1, batch_size=64), lambda: model.seen == 3)

    first, _ = together(tmp_path, work)
    assert first["error"] == "NonFiniteLoss"
    assert not (tmp_path / "c.safetensors").exists()


def test_norms_that_see_the_whole_batch_have_the_weights_of_those_that_do_not(splits: Splits) -> None:
    """As on GPUs; nothing but a GPU can train them."""
    model, images = tiny().eval(), next(splits.test.ordered(8))[0]
    before, answers = model.state_dict(), model(images)
    synchronised = convert_sync_batchnorm(model)
    assert synchronised is model
    assert any(isinstance(module, nn.SyncBatchNorm) for module in model.modules())
    assert_same(before, model.state_dict())
    assert torch.equal(model(images), answers)


@pytest.mark.gpu
def test_on_a_gpu_norms_see_the_whole_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a team of one, as far as one GPU can show it."""
    device = torch.device("cuda", 0)
    for name, value in {"RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "0"}.items():
        monkeypatch.setenv(name, value)
    torch.cuda.set_device(device)
    team = Together.join(device)
    try:
        where, recorder = context(tmp_path, device="cuda:0")
        where = replace(where, team=team, stop=team.agreed(never))
        model, on_gpu = tiny(), load_splits(tiny_spec(), device)
        checkpoint = tmp_path / "c.safetensors"
        found = train.fit(
            model, on_gpu, RECIPE, seed=3, context=where, checkpoint=checkpoint, part="p", teacher=Answering()
        )
    finally:
        distributed.destroy_process_group()
    assert any(isinstance(module, nn.SyncBatchNorm) for module in model.modules())
    assert found.test_accuracy > 0.6
    assert recorder.of(Checkpoint)
