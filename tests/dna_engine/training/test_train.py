"""Training: it learns, it resumes to the bit, it stops when told and when it diverges."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import load_file
from torch import nn

from dna_engine import retrain
from dna_engine.accuracy import Accuracy
from dna_engine.errors import Interrupted, NonFiniteLoss
from dna_engine.events import Checkpoint, Log, Metric, Progress
from dna_engine.plans import Kind, Step
from dna_engine.space.cost import Cost
from dna_engine.training import train
from dna_engine.training.loss import divergence
from dna_engine.training.network import build, count
from dna_engine.training.recipe import Recipe
from dna_engine.training.splits import Splits, load_splits
from tests.dna_engine.runs import TINY_NETWORK, context, tiny_spec

CPU = torch.device("cpu")
NETWORK = TINY_NETWORK.with_classes(10)


@pytest.fixture(scope="module")
def splits() -> Splits:
    return load_splits(tiny_spec(), CPU)


def fresh() -> nn.Module:
    torch.manual_seed(0)
    return build(NETWORK, dropout=0.2, drop_path=0.1)


def fit(
    model: nn.Module,
    splits: Splits,
    recipe: Recipe,
    run: Path,
    stop_after: int | None = None,
    teacher: nn.Module | None = None,
) -> train.FitResult:
    asked = iter(range(10**9))
    stopping = (lambda: False) if stop_after is None else (lambda: next(asked) >= stop_after)
    where, _ = context(run, stop=stopping)
    return train.fit(
        model,
        splits,
        recipe,
        seed=3,
        context=where,
        checkpoint=run / "checkpoints/t.safetensors",
        part="winner",
        teacher=teacher,
    )


def test_it_learns_and_says_how_it_goes(splits: Splits, tmp_path: Path) -> None:
    where, recorder = context(tmp_path)
    recipe = Recipe(epochs=3, batch_size=64, learning_rate=0.02, warmup_epochs=0.5)
    result = train.fit(
        fresh(), splits, recipe, seed=0, context=where, checkpoint=tmp_path / "c.safetensors", part="winner"
    )
    assert result.test_accuracy > 0.5
    assert result.test_loss < 2.0
    assert result.images_per_second > 0
    metrics = recorder.of(Metric)
    assert [m.x for m in metrics if m.series == "train/winner/loss"] == [1.0, 2.0, 3.0]
    losses = [m.y for m in metrics if m.series == "train/winner/loss"]
    assert losses[-1] < losses[0]
    assert len([m for m in metrics if m.series == "train/winner/accuracy"]) == 3
    last = recorder.of(Progress)[-1]
    assert last.done == last.total == 3 * splits.train.steps(64)
    assert last.parts == ["winner"]
    assert [event.name for event in recorder.of(Checkpoint)] == ["c.safetensors"]
    assert result.test.verdict is None
    assert not recorder.of(Log)


def test_a_training_that_taught_nothing_says_so(splits: Splits, tmp_path: Path) -> None:
    where, recorder = context(tmp_path)
    recipe = Recipe(epochs=1, batch_size=256, learning_rate=1e-9, warmup_epochs=0)
    result = train.fit(
        fresh(), splits, recipe, seed=0, context=where, checkpoint=tmp_path / "c.safetensors", part="control"
    )
    assert result.test.verdict is not None
    (said,) = recorder.of(Log)
    assert said.level == "warning"
    assert said.message.startswith(f"control: {result.test.verdict}. ")


#: All that a recipe may switch on.
EVERYTHING = Recipe(
    epochs=2,
    batch_size=256,
    optimizer="lamb",
    ema_decay=0.99,
    dropout=0.2,
    drop_path=0.1,
    sampling="by_class",
    repeats=2,
    crop_area=0.5,
    randaugment=9.0,
    color_jitter=0.2,
    random_erasing=0.5,
    mixup=0.2,
    cutmix=1.0,
    mix_probability=0.9,
)


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(epochs=2, batch_size=256, learning_rate=0.02, dropout=0.2, drop_path=0.1, ema_decay=0.9),
        Recipe.named("paper", epochs=2, batch_size=256),
        Recipe(epochs=1.4, batch_size=128, dropout=0.2),
        EVERYTHING,
    ],
    ids=["quick", "paper", "fraction", "everything"],
)
def test_an_interrupted_run_ends_as_an_uninterrupted_one_to_the_bit(
    splits: Splits, tmp_path: Path, recipe: Recipe
) -> None:
    whole, interrupted = fresh(), fresh()
    expected = fit(whole, splits, recipe, tmp_path / "whole")
    for stop_after in (2, 3):  # In the first epoch, and in the second.
        with pytest.raises(Interrupted):
            fit(interrupted, splits, recipe, tmp_path / "parts", stop_after)
        interrupted = fresh()
        torch.manual_seed(99)  # What happened in between must not matter.
    result = fit(interrupted, splits, recipe, tmp_path / "parts")
    assert (result.test_accuracy, result.test_loss) == (expected.test_accuracy, expected.test_loss)
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, interrupted.state_dict()[name]), name


def timm_model() -> nn.Module:
    torch.manual_seed(0)
    model: nn.Module = timm.create_model("resnet10t", num_classes=10)
    return model


FURTHER = Recipe(epochs=2, batch_size=256, frozen_epochs=1, layer_decay=0.75)


def test_a_model_is_trained_further_from_its_classifier_on(splits: Splits, tmp_path: Path) -> None:
    model, before = timm_model(), timm_model().state_dict()
    with pytest.raises(Interrupted):
        fit(model, splits, FURTHER, tmp_path, stop_after=splits.train.steps(256) - 1)
    changed = {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}
    assert changed == {"fc.weight", "fc.bias"}, "norms and their statistics stay as well"
    model = timm_model()
    fit(model, splits, FURTHER, tmp_path)
    assert all(parameter.requires_grad for parameter in model.parameters())
    names = {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}
    assert names == before.keys()


def test_a_model_that_is_trained_further_goes_on_to_the_bit(splits: Splits, tmp_path: Path) -> None:
    whole, interrupted = timm_model(), timm_model()
    fit(whole, splits, FURTHER, tmp_path / "whole")
    for stop_after in (2, 4):  # While its classifier alone is trained, and later.
        with pytest.raises(Interrupted):
            fit(interrupted, splits, FURTHER, tmp_path / "parts", stop_after)
        interrupted = timm_model()
    fit(interrupted, splits, FURTHER, tmp_path / "parts")
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, interrupted.state_dict()[name]), name


def test_whenever_it_is_interrupted_its_curves_are_told_whole(splits: Splits, tmp_path: Path) -> None:
    recipe = Recipe(epochs=2, batch_size=512)
    steps = 2 * splits.train.steps(512)
    goes_on: list[str] = []

    def told(run: Path, stop_after: int | None = None) -> list[Metric]:
        asked = iter(range(10**9))
        where, recorder = context(run, stop=lambda: stop_after is not None and next(asked) >= stop_after)
        train.fit(fresh(), splits, recipe, seed=3, context=where, checkpoint=run / "c.safetensors", part="winner")
        goes_on[:] = [log.message for log in recorder.of(Log) if "goes on" in log.message]
        return recorder.of(Metric)

    whole = told(tmp_path)
    assert [point.x for point in whole] == [1.0, 1.0, 1.0, 2.0, 2.0, 2.0]
    assert told(tmp_path) == whole  # From the checkpoint of its end.
    assert goes_on == [f"c goes on from its checkpoint at step {steps} of {steps}."]
    for stop_after in range(steps):
        run = tmp_path / str(stop_after)
        with pytest.raises(Interrupted):
            told(run, stop_after)
        assert told(run) == whole, stop_after


def test_a_part_of_an_epoch_is_so_many_steps_of_it(splits: Splits, tmp_path: Path) -> None:
    where, recorder = context(tmp_path)
    recipe = Recipe(epochs=0.5, batch_size=64, learning_rate=1e-9)
    model, per_epoch = fresh(), splits.train.steps(64)
    held = splits.judged_by_held_out()
    found = train.fit(
        model, held, recipe, seed=3, context=where, checkpoint=tmp_path / "c.safetensors", part="t", warn=False
    )
    assert recorder.of(Progress)[-1].total == round(per_epoch / 2)
    assert {point.x for point in recorder.of(Metric)} == {round(per_epoch / 2) / per_epoch}
    assert found.test.images == len(splits.rate)
    assert found.test_loss == train.evaluate(model, splits.rate, CPU).loss
    assert not recorder.of(Log)  # Of a training that has taught nothing yet.


def test_one_that_was_only_begun_may_diverge(splits: Splits, tmp_path: Path) -> None:
    where, recorder = context(tmp_path)
    recipe = Recipe(epochs=1.5, batch_size=64, learning_rate=3.0, warmup_epochs=0.1, clip_grad=0)
    where_to = tmp_path / "c.safetensors"
    train.fit(fresh(), splits, recipe, seed=0, context=where, checkpoint=where_to, part="winner", warn=False)
    assert not recorder.of(Log)


class Answering(nn.Module):
    """Knows digits by their darkest rows, as well as that goes."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.mean((1, 3))[:, :10] * 3


def test_a_teachers_answers_may_take_the_place_of_all_labels(splits: Splits, tmp_path: Path) -> None:
    recipe = Recipe(epochs=1, batch_size=128, teacher_weight=1.0, temperature=2.0)
    labels, networks = splits.train.labels, []
    for name in ("true", "wrong"):
        splits.train.labels = labels if name == "true" else labels.flip(0)
        networks.append(fresh())
        fit(networks[-1], splits, recipe, tmp_path / name, teacher=Answering())
    splits.train.labels = labels
    taught, also = (network.state_dict() for network in networks)
    assert all(torch.equal(taught[name], also[name]) for name in taught)
    images, _ = next(splits.test.ordered(64))
    networks[0].eval()
    known, unknown = (divergence(model(images), Answering()(images), 2.0).item() for model in (networks[0], fresh()))
    assert known < unknown


def test_a_finished_run_is_not_done_again(splits: Splits, tmp_path: Path) -> None:
    recipe = Recipe(epochs=1, batch_size=256)
    first, again = fresh(), fresh()
    done = fit(first, splits, recipe, tmp_path)
    assert fit(again, splits, recipe, tmp_path, stop_after=0).test_loss == done.test_loss


def test_it_stops_when_the_loss_is_no_longer_finite_and_keeps_nothing(splits: Splits, tmp_path: Path) -> None:
    recipe = Recipe(epochs=1, batch_size=256, learning_rate=1e30, warmup_epochs=0)
    with pytest.raises(NonFiniteLoss, match="lower learning rate"):
        fit(fresh(), splits, recipe, tmp_path)
    assert not (tmp_path / "checkpoints/t.safetensors").exists()


def test_evaluation_counts_every_image_once(splits: Splits) -> None:
    class Always(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return torch.eye(10)[7].expand(len(images), 10) * 5

    found = train.evaluate(Always(), splits.test, CPU, batch_size=100)
    share = (splits.test.labels == 7).float().mean().item()
    norm = torch.logsumexp(torch.eye(10)[7] * 5, 0).item()
    assert found.accuracy == pytest.approx(share)
    assert found.loss == pytest.approx(norm - 5 * share, rel=1e-5)
    images = torch.bincount(splits.test.labels, minlength=10).tolist()
    assert found.answers.images == images
    assert found.answers.right == [images[7] if number == 7 else 0 for number in range(10)]
    assert found.answers.given == [360 if number == 7 else 0 for number in range(10)]


def test_the_step_writes_weights_and_figures(tmp_path: Path) -> None:
    spec = tiny_spec(retrain={"epochs": 1, "batch_size": 256, "start": "scratch", "distill": {"weight": 0}})
    step = Step(key="train-winner", kind=Kind.TRAIN, network="winner")
    folder = tmp_path / "winner"
    folder.mkdir()
    (folder / "architecture.json").write_text(json.dumps(NETWORK.to_json()))
    where, _ = context(tmp_path)
    result = retrain.run_step(spec, step, where)
    assert result.artifacts == [*step.outputs(spec), "winner/confusion.json", "winner/confusion.svg"]
    figures = json.loads((folder / "training.json").read_text())
    assert figures == json.loads(json.dumps(result.values))
    assert Cost(**figures["predicted"]) == Cost(**figures["counted"]) == count(NETWORK)
    assert figures["recipe"]["epochs"] == 1
    model = build(NETWORK)
    model.load_state_dict(load_file(folder / "weights.safetensors"))
    found = train.evaluate(model, load_splits(spec, CPU).test, CPU)
    assert found.accuracy == figures["test_accuracy"] == figures["test"]["accuracy"]
    assert found.loss == pytest.approx(figures["test_loss"], rel=1e-5)
    probabilities = {"log_loss", "calibration_error"}
    said, judged = Accuracy.model_validate(figures["test"]), found.judge()
    assert said.model_dump(exclude=probabilities) == judged.model_dump(exclude=probabilities)
    assert said.calibration_error == pytest.approx(judged.calibration_error, rel=1e-4)
    assert figures["test"]["log_loss"] == figures["test_loss"]
    assert not list((tmp_path / "checkpoints").iterdir())


def test_a_training_that_diverges_says_so_once(splits: Splits, tmp_path: Path) -> None:
    where, recorder = context(tmp_path)
    recipe = Recipe(epochs=4, batch_size=64, learning_rate=3.0, warmup_epochs=0.1, clip_grad=0)
    train.fit(fresh(), splits, recipe, seed=0, context=where, checkpoint=tmp_path / "c.safetensors", part="winner")
    (told,) = (log for log in recorder.of(Log) if "diverges" in log.message)
    assert told.level == "warning"
    assert "that of a network that knows nothing is 2.30" in told.message
    assert told.message.endswith("Ask for a learning rate lower than 3.")


def test_one_that_learns_does_not(splits: Splits, tmp_path: Path) -> None:
    where, recorder = context(tmp_path)
    train.fit(
        fresh(), splits, Recipe(epochs=2), seed=0, context=where, checkpoint=tmp_path / "c.safetensors", part="winner"
    )
    assert not [log for log in recorder.of(Log) if "diverges" in log.message]


def test_gradients_are_clipped_to_the_recipes_norm(splits: Splits, tmp_path: Path) -> None:
    """By plain SGD of rate 1 the first step is the gradient itself: its length tells."""
    lengths = {}
    for clip in (0.0, 1e-3):
        model = fresh()
        before = [weights.detach().clone() for weights in model.parameters()]
        recipe = Recipe(epochs=2, batch_size=128, warmup_epochs=0, clip_grad=clip)
        where, _ = context(tmp_path)
        run = train._Run(
            model,
            splits,
            recipe,
            seed=0,
            context=where,
            checkpoint=tmp_path / "c",
            part="winner",
            rate_field="r",
            warn=True,
        )
        run.optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
        run.schedule = recipe.make_schedule(run.optimizer, 10)
        run._train_step(*next(splits.train.batches(128, epochs=1, seed=0)))
        moved = [(after - was).norm() for was, after in zip(before, model.parameters(), strict=True)]
        lengths[clip] = torch.stack(moved).norm().item()
    assert lengths[1e-3] == pytest.approx(1e-3, rel=1e-2)
    assert lengths[0.0] > 1e-2
