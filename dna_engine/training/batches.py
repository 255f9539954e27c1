"""Images as batches: augmentation on the device, one place for normalisation.

What fits in memory lives on the device as unsigned bytes and is cropped and flipped there, a batch at a time; larger
sets are decoded by worker processes. Every random choice comes from (seed, epoch, place in the epoch), drawn on the CPU,
so the stream of batches is the same on every device, with any number of workers, and after an interruption.

Shapes: images (B, 3, S, S) float, labels (B,) int64. A *canvas* (3, S + 2M, S + 2M) is an image with a margin of M
pixels to crop from.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from dna_engine.errors import DataError
from dna_engine.images.albums import Album
from dna_engine.images.pictures.pixels import MEAN, PLAIN, STD, Look
from dna_engine.runtime.cores import available
from dna_engine.runtime.seeds import stream
from dna_engine.runtime.team import ALONE, Team
from dna_engine.spec.parts import Sampling
from dna_engine.training.crops import middle, pixels_of, random_crop

#: Pictures that a process asks for at once where each is an answer from elsewhere: an object store takes some 30 ms for any.
ASKED_AT_ONCE = 32


def normalize(images: Tensor) -> Tensor:
    """Bytes (B, 3, S, S) to floats, by ``pixels.MEAN`` and ``pixels.STD``."""
    std = torch.tensor(STD, device=images.device).view(3, 1, 1)
    mean = torch.tensor(MEAN, device=images.device).view(3, 1, 1)
    return images.float().mul_(1 / (255 * std)).sub_(mean / std)


def drawn_by_class(labels: Sequence[int], generator: torch.Generator) -> list[int]:
    """As many places as there are labels, mixed, and of every class as many as of any other, up to one.

    The places of a class come in turns, each of which has them all: none twice before every other has come.
    """
    members: dict[int, list[int]] = {}
    for place, label in enumerate(labels):
        members.setdefault(label, []).append(place)
    rounds = -(-len(labels) // len(members))
    turns = [_turns(places, rounds, generator) for places in members.values()]
    drawn = [turns[number][turn] for turn in range(rounds) for number in _mixed(len(turns), generator)]
    return drawn[: len(labels)]


def _turns(places: Sequence[int], count: int, generator: torch.Generator) -> list[int]:
    passes = -(-count // len(places))
    return [places[index] for _ in range(passes) for index in _mixed(len(places), generator)][:count]


def _mixed(count: int, generator: torch.Generator) -> list[int]:
    mixed: list[int] = torch.randperm(count, generator=generator).tolist()
    return mixed


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
        self,
        epoch: int,
        batch_size: int,
        *,
        seed: int,
        start: int = 0,
        sampling: Sampling = "uniform",
        team: Team = ALONE,
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Shuffled, augmented batches of epoch ``epoch`` (from 0), from batch ``start`` on; of each, this process's share in the team."""

    @abstractmethod
    def ordered(self, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Every image once, in order, centred; the last batch may be smaller."""

    def batches(
        self,
        batch_size: int,
        *,
        epochs: int,
        seed: int,
        start: int = 0,
        sampling: Sampling = "uniform",
        team: Team = ALONE,
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """The batches of all epochs, from step ``start`` of the whole run on."""
        per_epoch = self.steps(batch_size)
        for epoch in range(start // per_epoch, epochs):
            first = start % per_epoch if epoch == start // per_epoch else 0
            yield from self.epoch(epoch, batch_size, seed=seed, start=first, sampling=sampling, team=team)

    def _order(self, epoch: int, batch_size: int, seed: int, start: int, sampling: Sampling) -> list[list[int]]:
        if sampling == "by_class":
            shuffled = drawn_by_class(self.labels.tolist(), stream(seed, epoch))
        else:
            shuffled = torch.randperm(len(self), generator=stream(seed, epoch)).tolist()
        return [shuffled[i * batch_size : (i + 1) * batch_size] for i in range(start, self.steps(batch_size))]


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
        self,
        epoch: int,
        batch_size: int,
        *,
        seed: int,
        start: int = 0,
        sampling: Sampling = "uniform",
        team: Team = ALONE,
    ) -> Iterator[tuple[Tensor, Tensor]]:
        for number, indices in enumerate(self._order(epoch, batch_size, seed, start, sampling), start):
            chosen = torch.tensor(indices, device=self.labels.device)
            images = self._cropped(chosen, stream(seed, epoch, number)) if self.augment else self._centred(chosen)
            yield normalize(team.share(images)), self.labels[team.share(chosen)]

    def ordered(self, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
        for chosen in torch.split(torch.arange(len(self), device=self.labels.device), batch_size):
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
        look: Look = PLAIN,
    ) -> None:
        self.album, self.indices, self.size = album, list(indices), size
        self.augment, self.flip, self.look, self.device = augment, flip, look, device
        self.labels = torch.tensor([album.labels[index] for index in self.indices])

    def epoch(
        self,
        epoch: int,
        batch_size: int,
        *,
        seed: int,
        start: int = 0,
        sampling: Sampling = "uniform",
        team: Team = ALONE,
    ) -> Iterator[tuple[Tensor, Tensor]]:
        keys = [
            [(i, f"{seed}/{epoch}/{i}" if self.augment else None) for i in batch]
            for batch in map(team.share, self._order(epoch, batch_size, seed, start, sampling))
        ]
        return self._load(keys, processes=team.size)

    def ordered(self, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
        keys: list[tuple[int, str | None]] = [(i, None) for i in range(len(self))]
        return self._load([keys[i : i + batch_size] for i in range(0, len(keys), batch_size)])

    def _load(
        self, batches: list[list[tuple[int, str | None]]], *, processes: int = 1
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """So many ``processes`` share the cores to decode on."""
        cuda = self.device.type == "cuda"
        workers = max(1, min(16, available() // processes))
        loader = DataLoader(_Decoded(self), batch_sampler=batches, num_workers=workers, pin_memory=cuda)
        try:
            for images, labels in loader:
                yield normalize(images.to(self.device, non_blocking=cuda)), labels.to(self.device, non_blocking=cuda)
        except DataError as error:  # A worker process adds its traceback; the last line is what the user needs.
            raise DataError(error.message.strip().splitlines()[-1].partition("DataError: ")[2]) from error


class _Decoded(Dataset[tuple[Tensor, int]]):
    """What a worker process does: open, crop, resize. A key is a place and, for augmentation, a seed."""

    def __init__(self, images: StreamedImages) -> None:
        self.images = images

    def __getitems__(self, keys: list[tuple[int, str | None]]) -> list[tuple[Tensor, int]]:
        """A batch, as the loader asks for it."""
        if not self.images.album.distant:
            return [self[key] for key in keys]
        with ThreadPoolExecutor(ASKED_AT_ONCE) as pool:
            return list(pool.map(self.__getitem__, keys))

    def __getitem__(self, key: tuple[int, str | None]) -> tuple[Tensor, int]:
        place, seed = key
        index = self.images.indices[place]
        size, look = self.images.size, self.images.look
        picture = self.images.album.picture(index, look)
        if seed is None:
            picture = middle(picture, size, look)
        else:
            picture = random_crop(picture, size, random.Random(seed), flip=self.images.flip, look=look)
        return pixels_of(picture), self.images.album.labels[index]
