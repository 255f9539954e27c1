"""Trains a network by a recipe; goes on from its checkpoint to the bit.

Batches and dropout depend on the seed and the step number alone, so a run that was interrupted anywhere continues as if
nothing had happened (to the bit on a CPU).
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from timm.utils.model_ema import ModelEmaV3
from torch import Tensor, nn
from torch.nn import functional as F

from dna_engine.accuracy import Accuracy, Answers, judge, warning
from dna_engine.calibration import calibration_error
from dna_engine.errors import NonFiniteLoss
from dna_engine.events import Log, Metric, Progress
from dna_engine.plans.results import Stopped
from dna_engine.runtime.context import Context, precision
from dna_engine.runtime.pace import Pace
from dna_engine.training import batches
from dna_engine.training.best import Best
from dna_engine.training.loading import Loading
from dna_engine.training.loss import Loss
from dna_engine.training.network import train_classifier_alone
from dna_engine.training.recipe import Recipe
from dna_engine.training.splits import Splits

PROGRESS_EVERY = 0.5
#: A training whose loss, after the warm-up, is this many times that of a network that knows nothing is told of.
DIVERGING = 1.25


@dataclass(frozen=True)
class FitResult:
    """What training came to.

    Attributes:
        test_accuracy: share of the test images classified correctly, 0 to 1.
        test_loss: mean cross entropy (log-loss, nats) on the test images.
        test: what that accuracy says.
        seconds: spent training and evaluating, over all interruptions.
        images_per_second, step_images_per_second, loader_images_per_second, waited, early_stopping: see
            :class:`~dna_engine.plans.results.Trained`.
        evaluation: the answers to the test images one by one, which no figures hold.
    """

    test_accuracy: float
    test_loss: float
    test: Accuracy
    seconds: float
    images_per_second: float
    step_images_per_second: float
    loader_images_per_second: float
    waited: float
    early_stopping: Stopped | None
    evaluation: Evaluation

    @property
    def figures(self) -> dict[str, Any]:
        """All but the answers, by name."""
        return {name: value for name, value in vars(self).items() if name != "evaluation"}

    def to_json(self) -> dict[str, Any]:
        stopped = self.early_stopping and self.early_stopping.model_dump(mode="json")
        return {**self.figures, "test": self.test.model_dump(mode="json"), "early_stopping": stopped}


def fit(
    model: nn.Module,
    splits: Splits,
    recipe: Recipe,
    *,
    seed: int,
    context: Context,
    checkpoint: Path,
    part: str,
    rate_field: str = "learning_rate",
    warn: bool = True,
    teacher: nn.Module | None = None,
) -> FitResult:
    """Trains ``model`` in place on ``splits.train``; afterwards it holds the averaged weights where the recipe has them.

    The test images are looked at after each epoch for the curve, and decide nothing here. Where the recipe has ``patience``, ``splits.rate``
    decides when to stop, and which epoch's weights the network holds afterwards.

    Args:
        model: takes images (B, 3, S, S), gives logits (B, classes).
        checkpoint: where an interrupted run goes on from; removed by nobody here.
        rate_field: of the spec, to be changed where training diverges.
        warn: whether people are told of a training that diverges or has taught nothing; one that was only begun may do either. Nor
            is the end of such a one worth a checkpoint.
        teacher: whose answers are learned from, for a recipe that gives them a weight; see :class:`~dna_engine.training.loss.Loss`.
        part: names the network in events and in the series ``train/PART/loss``, ``accuracy``, ``best`` (accuracy so far) and, where it may
            stop early, ``held_out_loss``.

    Raises:
        NonFiniteLoss: training diverged.
        Interrupted: told to stop; a checkpoint was written.
    """
    run = _Run(
        model,
        splits,
        recipe,
        seed=seed,
        context=context,
        checkpoint=checkpoint,
        part=part,
        rate_field=rate_field,
        warn=warn,
        teacher=teacher,
    )
    run.resume()
    run.train()
    return run.finish()


@dataclass(frozen=True)
class Evaluation:
    """What a classifier answered on every image of a set, and its mean cross entropy (nats).

    Attributes:
        labels: of each image the number of its class.
        given: that of the class it was taken for.
        confidences: the probability (softmax) that this class was given.
        classes: how many there are.
    """

    labels: Sequence[int]
    given: Sequence[int]
    confidences: Sequence[float]
    classes: int
    loss: float

    @property
    def answers(self) -> Answers:
        return Answers.count(self.labels, self.given, self.classes)

    @property
    def accuracy(self) -> float:
        """0 to 1."""
        return self.answers.accuracy

    def judge(self) -> Accuracy:
        """What that accuracy says, and how good the probabilities are."""
        right = [label == given for label, given in zip(self.labels, self.given, strict=True)]
        return judge(self.answers, log_loss=self.loss, calibration_error=calibration_error(self.confidences, right))


def evaluate(
    model: nn.Module, images: batches.Images, device: torch.device, *, exact: bool = True, batch_size: int = 256
) -> Evaluation:
    """Runs a classifier on every image of a set.

    ``exact`` asks for full precision: what is claimed of a network must hold wherever it is run.
    """
    model.eval()
    given, confidences, truth, classes = [], [], [], 0
    loss = torch.zeros((), device=device, dtype=torch.float64)
    with torch.inference_mode(), nullcontext() if exact else precision(device):
        for x, labels in images.ordered(batch_size):
            logits = model(x.contiguous(memory_format=torch.channels_last)).float()
            classes = logits.shape[1]
            confidence, answer = logits.softmax(1).max(1)
            given.append(answer)
            confidences.append(confidence)
            truth.append(labels)
            loss += F.cross_entropy(logits, labels, reduction="sum")
    return Evaluation(
        labels=torch.cat(truth).tolist(),
        given=torch.cat(given).tolist(),
        confidences=torch.cat(confidences).tolist(),
        classes=classes,
        loss=loss.item() / len(images),
    )


class _Run:
    """One training run: what is kept in the checkpoint, and the loop."""

    def __init__(
        self,
        model: nn.Module,
        splits: Splits,
        recipe: Recipe,
        *,
        seed: int,
        context: Context,
        checkpoint: Path,
        part: str,
        rate_field: str,
        warn: bool,
        teacher: nn.Module | None = None,
    ) -> None:
        self.model = model.to(context.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.team = context.team
        self.net = self.team.wrapped(self.model, frozen=bool(recipe.frozen_epochs))
        self.splits, self.recipe, self.seed = splits, recipe, seed
        self.context, self.part, self.rate_field, self.warn = context, part, rate_field, warn
        self.steps_per_epoch = splits.train.steps(recipe.batch_size)
        self.batch = min(recipe.batch_size, len(splits.train))
        self.total = recipe.steps(self.steps_per_epoch)
        self.optimizer = recipe.make_optimizer(model)
        self.schedule = recipe.make_schedule(self.optimizer, self.steps_per_epoch)
        self.average = ModelEmaV3(model, decay=recipe.ema_decay, use_warmup=True) if recipe.ema_decay else None
        self.best = Best(recipe.patience, len(splits.rate)) if recipe.patience else None
        self.criterion = Loss(recipe, teacher)
        self.step = 0
        self.train_seconds = self.seconds = 0.0
        self.loading = Loading(splits.train, context.device)
        self.best_accuracy = 0.0
        self.told_of_divergence = False
        self.losses: list[Tensor] = []
        self.pace = Pace(context, checkpoint, self._state)
        self.last_shown = self.started = time.monotonic()
        self.first_step = 0

    # --- the loop

    def train(self) -> None:
        batches = self.splits.train.batches(
            self.recipe.batch_size,
            epochs=math.ceil(self.recipe.epochs),
            seed=self.seed,
            start=self.step,
            drawing=self.recipe.drawing,
            team=self.team,
        )
        while not self.done:
            began = time.monotonic()
            self._epoch(batches, min(self.steps_per_epoch - self.step % self.steps_per_epoch, self.total - self.step))
            self.train_seconds += time.monotonic() - began
            self._end_epoch()
            self.seconds += time.monotonic() - began
            self.pace.keep(last=self.done)

    @property
    def done(self) -> bool:
        return self.step == self.total or (self.best is not None and self.best.passed)

    def _epoch(self, batches: Iterator[tuple[Tensor, Tensor]], steps: int) -> None:
        self.model.train()
        if self.recipe.frozen_epochs:
            train_classifier_alone(self.model, self.step < self.recipe.frozen_epochs * self.steps_per_epoch)
        for left in reversed(range(steps)):
            self.losses.append(self._train_step(*self.loading.next(batches)))
            self.step += 1
            self._show()
            if left:  # Behind an epoch's last step its end comes first: it would not be made up for.
                self.pace.keep()
        self.loading.count()

    def _train_step(self, images: Tensor, labels: Tensor) -> Tensor:
        """One update; returns the loss, still on the device."""
        torch.manual_seed(
            self.seed * 1_000_003 + self.step + (self.team.rank << 48)
        )  # For dropout: the step's own stream.
        self.schedule.step_update(self.step)
        with precision(self.context.device):
            images, share = self.recipe.mixed(images, seed=self.seed, step=self.step)
            images = images.contiguous(memory_format=torch.channels_last)
            loss = self.team.weighed(self.criterion(self.net(images), images, labels, share), self.batch)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        if self.recipe.clip_grad:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip_grad)
        self.optimizer.step()
        if self.average is not None:
            self.average.update(self.model, step=self.step + 1)
        return self.team.mean(loss.detach())

    def _end_epoch(self) -> None:
        loss = self._mean_loss()
        accuracy = self.team.of_first(
            lambda: evaluate(self._averaged(), self.splits.test, self.context.device, exact=False).accuracy
        )
        self.losses.clear()
        epoch = self.step / self.steps_per_epoch
        self.best_accuracy = max(self.best_accuracy, accuracy)
        for name, value in (("loss", loss), ("accuracy", accuracy), ("best", self.best_accuracy)):
            self.pace.tell(Metric(series=f"train/{self.part}/{name}", x=epoch, y=value))
        if self.best is not None:
            self._look(self.best, epoch)
        if self.warn and epoch > self.recipe.warmup_epochs and not self.told_of_divergence:
            self._tell_of_divergence(loss, epoch)
        if self.warn and (said := self.loading.warning(self.part, self.step * self.batch, self.train_seconds)):
            self.context.reporter.emit(Log(level="warning", message=said))

    def _look(self, best: Best, epoch: float) -> None:
        """At the images that were held out, for the sake of stopping early."""
        found = self.team.of_first(
            lambda: evaluate(self._averaged(), self.splits.rate, self.context.device, exact=False).loss
        )
        best.look(self._averaged(), found, epoch)
        self.pace.tell(Metric(series=f"train/{self.part}/held_out_loss", x=epoch, y=found))

    def _tell_of_divergence(self, loss: float, epoch: float) -> None:
        knows_nothing = self.criterion.of_ignorance(int(self.splits.train.labels.max()) + 1)
        if loss > DIVERGING * knows_nothing:
            self.told_of_divergence = True
            message = (
                f"The training of {self.part} diverges: its loss is {loss:.2f} in epoch {epoch:.0f} of "
                f"{self.recipe.epochs:g}, that of a network that knows nothing is {knows_nothing:.2f}. Ask for a learning "
                f"rate lower than {self.recipe.learning_rate:g}."
            )
            self.context.reporter.emit(Log(level="warning", message=message))

    def finish(self) -> FitResult:
        began = time.monotonic()
        if self.average is not None:
            self.model.load_state_dict(self._averaged().state_dict())
        if self.best is not None:
            self.best.restore(self.model)
        reached = self.team.of_first(lambda: evaluate(self.model, self.splits.test, self.context.device))
        test = reached.judge()
        if self.warn and (said := warning(self.part, test)):
            advice = "More epochs may help, or more images, above all of rare classes."
            self.context.reporter.emit(Log(level="warning", message=f"{said} {advice}"))
        self.seconds += time.monotonic() - began
        if self.warn:
            self.pace.save()
        images = self.step * self.batch
        return FitResult(
            test_accuracy=reached.accuracy,
            test_loss=reached.loss,
            test=test,
            seconds=round(self.seconds, 3),
            images_per_second=round(images / self.train_seconds, 1),
            **self.loading.rates(images, self.train_seconds),
            early_stopping=None if self.best is None else self.best.told,
            evaluation=reached,
        )

    def _averaged(self) -> nn.Module:
        """The network with the mean of its last weights, where the recipe takes that; else as it is."""
        averaged: nn.Module = self.model if self.average is None else self.average.module
        return averaged

    def _mean_loss(self) -> float:
        loss = torch.stack(self.losses).mean().item()
        if loss != loss or loss == float("inf"):
            raise NonFiniteLoss(
                f"The loss of {self.part} is no longer finite at step {self.step} of {self.total}. "
                "Ask for a lower learning rate.",
                param=self.rate_field,
            )
        return loss

    # --- what others see, and what is kept

    def _show(self) -> None:
        now = time.monotonic()
        if now - self.last_shown < PROGRESS_EVERY and self.step < self.total:
            return
        self.last_shown = now
        self._mean_loss()
        pace = (now - self.started) / (self.step - self.first_step)
        self.context.reporter.emit(
            Progress(
                done=self.step,
                total=self.total,
                eta_seconds=round(pace * (self.total - self.step), 1),
                parts=[self.part],
            )
        )

    def _state(self) -> dict[str, Any]:
        if self.losses:
            self._mean_loss()  # Never keep what has diverged.
        return {
            "step": self.step,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": None if self.average is None else self.average.module.state_dict(),
            "losses": torch.stack(self.losses) if self.losses else None,
            "best_accuracy": self.best_accuracy,
            "best": None if self.best is None else self.best.state(),
            "loading": self.loading.state(),
            "train_seconds": self.train_seconds,
            "seconds": self.seconds,
        }

    def resume(self) -> None:
        """Goes on from the checkpoint where there is one."""
        state = self.pace.resume()
        if state is None:
            return
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.average is not None:
            self.average.module.load_state_dict(state["average"])
        if state["losses"] is not None:
            self.losses = list(state["losses"].to(self.context.device).unbind())
        self.step = self.first_step = state["step"]
        self.pace.goes_on("step", self.step, self.total)
        self.best_accuracy = state["best_accuracy"]
        if self.best is not None:
            self.best.resume(state["best"])
        self.loading.resume(state.get("loading"))
        self.train_seconds, self.seconds = state["train_seconds"], state["seconds"]
