"""How fast batches come beside how fast they are taken: whether a training waits for its images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypedDict

import torch

from dna_engine.runtime.stopwatch import Stopwatch
from dna_engine.training.batches import Batch, Images

#: Of the time spent training, what may go by waiting before people are told; and seconds of training before it is known.
MUCH, KNOWN_AFTER = 0.2, 10.0


class Rates(TypedDict):
    """See :class:`~dna_engine.plans.results.Trained`."""

    step_images_per_second: float
    loader_images_per_second: float
    waited: float


class Loading:
    """Takes the batches of a training from its images and sums what is waited for them."""

    def __init__(self, images: Images, device: torch.device) -> None:
        self._images, self._watch = images, Stopwatch(device)
        self._waited = self._preparing = 0.0
        self._known = 0.0
        self._told = False

    def next(self, batches: Iterator[Batch]) -> Batch:
        """The next batch."""
        with self._watch.running():
            return next(batches)

    def count(self) -> None:
        """At the end of an epoch: a GPU is waited for, so that the time of the epoch is all that it took."""
        self._waited += self._watch.taken()
        if (preparing := self._images.seconds_preparing()) is not None:
            self._preparing += preparing - self._known
            self._known = preparing

    def rates(self, images: int, seconds: float) -> Rates:
        """Of so many images that were trained on in so many seconds."""
        alone = self._waited if self._images.seconds_preparing() is None else self._preparing
        return Rates(
            step_images_per_second=round(images / max(seconds - self._waited, 1e-9), 1),
            loader_images_per_second=round(images / max(alone, 1e-9), 1),
            waited=round(min(1.0, self._waited / seconds), 4),
        )

    def warning(self, part: str, images: int, seconds: float) -> str | None:
        """Said once: that the training waits, and what helps."""
        if self._told or seconds < KNOWN_AFTER or self._waited < MUCH * seconds:
            return None
        self._told = True
        found = self.rates(images, seconds)
        held = self._images.seconds_preparing() is None
        advice = (
            "They are changed on the device that trains: a recipe that changes less, such as quick, is faster."
            if held
            else "They are decoded as they go: give the worker more cores, or make the files smaller than they are."
        )
        return (
            f"The training of {part} waits for its images {found['waited']:.0%} of the time: they come at "
            f"{found['loader_images_per_second']:,.0f} a second, the network takes {found['step_images_per_second']:,.0f}. {advice}"
        )

    def state(self) -> dict[str, float]:
        """For a checkpoint."""
        return {"waited": self._waited, "preparing": self._preparing}

    def resume(self, state: dict[str, float] | None) -> None:
        """Checkpoints of early versions have nothing of it."""
        if state is not None:
            self._waited, self._preparing = state["waited"], state["preparing"]
