"""Early stopping: the best weights so far by images that were held out, and when it is long enough ago that they were found."""

from __future__ import annotations

import math
from typing import Any

from torch import nn

from dna_engine.plans.results import Stopped


class Best:
    """The network of one epoch, and how many have passed without a better one.

    Args:
        patience: epochs without a lower loss after which a training ends.
        images: held out, that the loss is of.
    """

    def __init__(self, patience: int, images: int) -> None:
        self._patience, self._images = patience, images
        self._loss, self._epoch, self._now = math.inf, 0.0, 0.0
        self._weights: dict[str, Any] = {}

    def look(self, model: nn.Module, loss: float, epoch: float) -> None:
        """At the end of an epoch: the mean cross entropy on the images that were held out. One that is not finite is no better."""
        self._now = epoch
        if loss < self._loss or not self._weights:
            self._loss, self._epoch = loss, epoch
            self._weights = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}

    @property
    def passed(self) -> bool:
        """Whether it is time to stop."""
        return bool(self._weights) and self._now - self._epoch >= self._patience

    def restore(self, model: nn.Module) -> None:
        """The best weights into the network."""
        if self._weights:
            model.load_state_dict(self._weights)

    @property
    def told(self) -> Stopped:
        return Stopped(
            epoch=self._now, best_epoch=self._epoch, log_loss=self._loss, images=self._images, early=self.passed
        )

    def state(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {"loss": self._loss, "epoch": self._epoch, "now": self._now, "weights": self._weights}

    def resume(self, state: dict[str, Any]) -> None:
        self._loss, self._epoch, self._now, self._weights = (
            state[name] for name in ("loss", "epoch", "now", "weights")
        )
