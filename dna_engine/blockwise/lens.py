"""Images as a teacher wants them: at its own size, normalised as it was trained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dna_engine.images.pictures import pixels
from dna_engine.runtime.team import ALONE, Team
from dna_engine.training.batches import Images
from dna_engine.training.drawing import PLAIN, Drawing
from dna_engine.training.splits import Splits


class Lens(nn.Module):
    """From images (B, 3, S, S) normalised by ``pixels.MEAN`` and ``pixels.STD`` to what a model was trained with.

    Args:
        mean, std: the model's normalisation, per channel.
        size: side in pixels that it is given; None for that of the images.
    """

    def __init__(
        self,
        *,
        mean: Sequence[float] = pixels.MEAN,
        std: Sequence[float] = pixels.STD,
        size: int | None = None,
    ) -> None:
        super().__init__()
        ours = torch.tensor([pixels.MEAN, pixels.STD]).view(2, 1, 3, 1, 1)
        theirs = torch.tensor([list(mean), list(std)]).view(2, 1, 3, 1, 1)
        self.size = size
        self.same = bool(torch.equal(ours, theirs))
        self.scale: Tensor
        self.shift: Tensor
        self.register_buffer("scale", ours[1] / theirs[1])
        self.register_buffer("shift", (ours[0] - theirs[0]) / theirs[1])

    def forward(self, images: Tensor) -> Tensor:
        """Resampled where the size differs (bilinear, antialiased), then normalised anew where that does."""
        if self.size not in (None, images.shape[-1]):
            images = F.interpolate(
                images, size=(self.size, self.size), mode="bilinear", align_corners=False, antialias=True
            )
        return images if self.same else images * self.scale + self.shift


def seen(splits: Splits, lens: Lens) -> Splits:
    """The images of a job as they are seen through a lens."""
    return Splits(
        train=lambda: _Seen(splits.train, lens),
        rate=lambda: _Seen(splits.rate, lens),
        test=lambda: _Seen(splits.test, lens),
    )


class _Seen(Images):
    def __init__(self, images: Images, lens: Lens) -> None:
        self.labels, self._images, self._lens = images.labels, images, lens

    def epoch(
        self, epoch: int, batch_size: int, *, seed: int, start: int = 0, drawing: Drawing = PLAIN, team: Team = ALONE
    ) -> Iterator[tuple[Tensor, Tensor]]:
        for images, labels in self._images.epoch(epoch, batch_size, seed=seed, start=start, drawing=drawing, team=team):
            yield self._lens(images), labels

    def batches(
        self, batch_size: int, *, epochs: int, seed: int, start: int = 0, drawing: Drawing = PLAIN, team: Team = ALONE
    ) -> Iterator[tuple[Tensor, Tensor]]:
        for images, labels in self._images.batches(
            batch_size, epochs=epochs, seed=seed, start=start, drawing=drawing, team=team
        ):
            yield self._lens(images), labels

    def seconds_preparing(self) -> float | None:
        return self._images.seconds_preparing()

    def at(self, places: Sequence[int], batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
        for images, labels in self._images.at(places, batch_size):
            yield self._lens(images), labels
