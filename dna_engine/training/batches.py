"""Images as batches: augmentation on the device, one place for normalisation.

What fits in memory lives on the device as unsigned bytes and is cropped and flipped there, a batch at a time; larger
sets are decoded and cropped by worker processes. All else that changes images is done to either on the device. Every random choice
comes from (seed, epoch, place in the epoch), drawn on the CPU, so the stream of batches is the same on every device, with any number
of workers, and after an interruption.

Shapes: images (B, 3, S, S) float, labels (B,) int64. A *canvas* (3, S + 2M, S + 2M) is an image with a margin of M
pixels to crop from.
"""

from __future__ import annotations

import random
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import TypeVar

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from dna_engine.errors import DataError
from dna_engine.images.albums import Album
from dna_engine.images.pictures.pixels import MEAN, STD, Look
from dna_engine.images.pictures.pixels import PLAIN as PLAIN_LOOK
from dna_engine.runtime.cores import available
from dna_engine.runtime.seeds import stream
from dna_engine.runtime.team import ALONE, Team
from dna_engine.training.augment.draws import Draws
from dna_engine.training.crops import LEAST_SHARE, middle, pixels_of, random_crop, resized_crops
from dna_engine.training.drawing import PLAIN, Drawing, times_before

#: Pictures that a process asks for at once where each is an answer from elsewhere: an object store takes some 30 ms for any.
ASKED_AT_ONCE = 32

Batch = tuple[Tensor, Tensor]
T = TypeVar("T")
#: A picture to decode: its place, and for a random crop what that is drawn by.
Key = tuple[int, str | None]


def normalize(images: Tensor) -> Tensor:
    """Bytes (B, 3, S, S), or floats 0 to 255, to floats by ``pixels.MEAN`` and ``pixels.STD``."""
    std = torch.tensor(STD, device=images.device).view(3, 1, 1)
    mean = torch.tensor(MEAN, device=images.device).view(3, 1, 1)
    return images.to(torch.float32, copy=True).mul_(1 / (255 * std)).sub_(mean / std)


class Images(ABC):
    """A set of labelled images on a device."""

    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def steps(self, batch_size: int) -> int:
        """Batches in an epoch: whole ones only, or all images at once where there are fewer than a batch."""
        return max(1, len(self) // batch_size)

    @abstractmethod
    def epoch(
        self, epoch: int, batch_size: int, *, seed: int, start: int = 0, drawing: Drawing = PLAIN, team: Team = ALONE
    ) -> Iterator[Batch]:
        """Shuffled, augmented batches of epoch ``epoch`` (from 0), from batch ``start`` on; of each, this process's share in the team."""

    def ordered(self, batch_size: int) -> Iterator[Batch]:
        """Every image once, in order, centred; the last batch may be smaller."""
        return self.at(range(len(self)), batch_size)

    @abstractmethod
    def at(self, places: Sequence[int], batch_size: int) -> Iterator[Batch]:
        """The images at these places, likewise."""

    def batches(
        self, batch_size: int, *, epochs: int, seed: int, start: int = 0, drawing: Drawing = PLAIN, team: Team = ALONE
    ) -> Iterator[Batch]:
        """The batches of all epochs, from step ``start`` of the whole run on."""
        for epoch, first in self._epochs(batch_size, epochs, start):
            yield from self.epoch(epoch, batch_size, seed=seed, start=first, drawing=drawing, team=team)

    def _epochs(self, batch_size: int, epochs: int, start: int) -> Iterator[tuple[int, int]]:
        """Those from step ``start`` on, and of each the batch to begin with."""
        done, first = divmod(start, self.steps(batch_size))
        return ((epoch, first if epoch == done else 0) for epoch in range(done, epochs))

    def seconds_preparing(self) -> float | None:
        """What batches have taken since they were first asked for, had nobody but them been waited for; None where they are made when asked for."""
        return None

    def _cut(self, drawn: Sequence[T], batch_size: int, start: int) -> list[list[T]]:
        """The batches of an epoch's order, from batch ``start`` on."""
        return [list(drawn[i * batch_size : (i + 1) * batch_size]) for i in range(start, self.steps(batch_size))]


class StoredImages(Images):
    """Images as bytes on the device.

    Args:
        canvases: (N, 3, S + 2M, S + 2M), uint8.
        size: S, side of the images that come out.
        augment: random crops of the canvas while training; otherwise its centre.
        flip: mirror half of the training images, where ``augment`` is on.
    """

    def __init__(self, canvases: Tensor, labels: Tensor, size: int, *, augment: bool, flip: bool) -> None:
        self.canvases, self.labels, self.size = canvases, labels, size
        self.augment, self.flip = augment, flip

    def epoch(
        self, epoch: int, batch_size: int, *, seed: int, start: int = 0, drawing: Drawing = PLAIN, team: Team = ALONE
    ) -> Iterator[Batch]:
        order = drawing.order(self.labels.tolist(), seed, epoch)
        for number, indices in enumerate(self._cut(order, batch_size, start), start):
            chosen = torch.tensor(indices, device=self.labels.device)
            yield normalize(self._seen(chosen, (seed, epoch, number), drawing, team)), self.labels[team.share(chosen)]

    def _seen(self, chosen: Tensor, key: tuple[int, int, int], drawing: Drawing, team: Team) -> Tensor:
        if not self.augment:
            return self._centred(team.share(chosen))
        if drawing.crop_area is None:
            cropped = self._cropped(chosen, stream(*key))
        else:
            canvases = self.canvases[chosen]
            cropped = resized_crops(canvases, self.size, stream(*key), least=drawing.crop_area, flip=self.flip)
        return drawing.augmentation(team.share(cropped), Draws(stream(*key, "augment"), len(chosen), team))

    def at(self, places: Sequence[int], batch_size: int) -> Iterator[Batch]:
        for chosen in torch.split(torch.tensor(places, device=self.labels.device), batch_size):
            yield normalize(self._centred(chosen)), self.labels[chosen]

    @property
    def _margin(self) -> int:
        return (self.canvases.shape[-1] - self.size) // 2

    def _centred(self, chosen: Tensor) -> Tensor:
        inner = slice(self._margin, self._margin + self.size)
        return self.canvases[chosen, :, inner, inner]

    def _cropped(self, chosen: Tensor, generator: torch.Generator) -> Tensor:
        shifts = torch.randint(0, 2 * self._margin + 1, (2, len(chosen), 1), generator=generator)
        mirrored = torch.rand(len(chosen), 1, generator=generator) < (0.5 if self.flip else 0.0)
        along = torch.arange(self.size)
        rows = shifts[0] + along
        columns = shifts[1] + torch.where(mirrored, along.flip(0), along)
        device = self.canvases.device
        pixels = self.canvases[
            chosen[:, None, None], :, rows.to(device)[:, :, None], columns.to(device)[:, None, :]
        ]  # (B, S, S, 3)
        return pixels.permute(0, 3, 1, 2).contiguous()


class StreamedImages(Images):
    """Images decoded by worker processes: training by random resized crops, otherwise the centre."""

    def __init__(
        self,
        album: Album,
        indices: Sequence[int],
        size: int,
        *,
        augment: bool,
        flip: bool,
        device: torch.device,
        look: Look = PLAIN_LOOK,
    ) -> None:
        self.album, self.indices, self.size = album, list(indices), size
        self.augment, self.flip, self.look, self.device = augment, flip, look, device
        self.labels = torch.tensor([album.labels[index] for index in self.indices])
        self._preparing = 0.0

    def epoch(
        self, epoch: int, batch_size: int, *, seed: int, start: int = 0, drawing: Drawing = PLAIN, team: Team = ALONE
    ) -> Iterator[Batch]:
        return self._drawn([(epoch, start)], batch_size, seed, drawing, team)

    def batches(
        self, batch_size: int, *, epochs: int, seed: int, start: int = 0, drawing: Drawing = PLAIN, team: Team = ALONE
    ) -> Iterator[Batch]:
        """By the same processes for all epochs: they decode the next one's first pictures while the last one is looked at."""
        return self._drawn(self._epochs(batch_size, epochs, start), batch_size, seed, drawing, team)

    def at(self, places: Sequence[int], batch_size: int) -> Iterator[Batch]:
        keys: list[Key] = [(i, None) for i in places]
        for images, labels in self._load([keys[i : i + batch_size] for i in range(0, len(keys), batch_size)]):
            yield normalize(images), labels

    def seconds_preparing(self) -> float | None:
        return self._preparing

    def _drawn(
        self, epochs: Iterable[tuple[int, int]], batch_size: int, seed: int, drawing: Drawing, team: Team
    ) -> Iterator[Batch]:
        """The batches of these epochs, each from the batch beside it on."""
        epochs, count = list(epochs), min(batch_size, len(self))
        batches = chain.from_iterable(
            self._cut(self._keys(epoch, seed, drawing), batch_size, first) for epoch, first in epochs
        )
        places = ((epoch, number) for epoch, first in epochs for number in range(first, self.steps(batch_size)))
        loaded = self._load(map(team.share, batches), drawing.crop_area, processes=team.size)
        for place, (images, labels) in zip(places, loaded, strict=True):
            if self.augment:
                images = drawing.augmentation(images, Draws(stream(seed, *place, "augment"), count, team))
            yield normalize(images), labels

    def _keys(self, epoch: int, seed: int, drawing: Drawing) -> list[Key]:
        """One that comes again in its epoch is cropped in another way."""
        order = drawing.order(self.labels.tolist(), seed, epoch)
        if not self.augment:
            return [(place, None) for place in order]
        drawn = (f"{seed}/{epoch}/{place}" for place in order)
        return [
            (place, f"{key}/{times}" if times else key)
            for place, key, times in zip(order, drawn, times_before(order), strict=True)
        ]

    def _load(
        self, batches: Iterable[list[Key]], crop_area: float | None = None, *, processes: int = 1
    ) -> Iterator[Batch]:
        """Bytes and labels on the device; so many ``processes`` share the cores to decode on."""
        cuda, workers = self.device.type == "cuda", max(1, min(16, available() // processes))
        loader = DataLoader(
            _Decoded(self, crop_area),
            batch_sampler=batches,
            num_workers=workers,
            pin_memory=cuda,
            collate_fn=_as_it_is,
        )
        try:
            for images, labels, seconds in loader:
                self._preparing += seconds / workers
                yield images.to(self.device, non_blocking=cuda), labels.to(self.device, non_blocking=cuda)
        except DataError as error:  # A worker process adds its traceback; the last line is what the user needs.
            raise DataError(error.message.strip().splitlines()[-1].partition("DataError: ")[2]) from error


def _as_it_is(batch: T) -> T:
    return batch


class _Decoded(Dataset[tuple[Tensor, int]]):
    """What a worker process does: open, crop, resize."""

    def __init__(self, images: StreamedImages, crop_area: float | None) -> None:
        self.images, self.least = images, LEAST_SHARE if crop_area is None else crop_area

    def __getitems__(self, keys: list[Key]) -> tuple[Tensor, Tensor, float]:
        """A batch, as the loader asks for it, and the seconds that it took."""
        began = time.monotonic()
        if self.images.album.distant:
            with ThreadPoolExecutor(ASKED_AT_ONCE) as pool:
                found = list(pool.map(self.__getitem__, keys))
        else:
            found = [self[key] for key in keys]
        images, labels = torch.stack([pixels for pixels, _ in found]), torch.tensor([label for _, label in found])
        return images, labels, time.monotonic() - began

    def __getitem__(self, key: Key) -> tuple[Tensor, int]:
        place, seed = key
        index = self.images.indices[place]
        size, look = self.images.size, self.images.look
        picture = self.images.album.picture(index, look)
        if seed is None:
            picture = middle(picture, size, look)
        else:
            rng = random.Random(seed)
            picture = random_crop(picture, size, rng, flip=self.images.flip, look=look, least=self.least)
        return pixels_of(picture), self.images.album.labels[index]
