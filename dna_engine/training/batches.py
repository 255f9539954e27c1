"""Images as batches: held-out splits, augmentation on the device, one place for normalisation.

What fits in memory lives on the device as unsigned bytes and is cropped and flipped there, a batch at a time; larger
sets are decoded by worker processes. Every random choice comes from (seed, epoch, place in the epoch), drawn on the CPU,
so the stream of batches is the same on every device, with any number of workers, and after an interruption.

Shapes: images (B, 3, S, S) float, labels (B,) int64. A *canvas* (3, S + 2M, S + 2M) is an image with a margin of M
pixels to crop from.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from dna_engine.errors import DataError
from dna_engine.images.albums import Album, open_digits, open_folder, open_upload
from dna_engine.images.info import DatasetInfo
from dna_engine.images.pixels import MEAN, SMALL, STD, margin
from dna_engine.images.timm_albums import open_timm
from dna_engine.runtime.cores import available
from dna_engine.runtime.seeds import stream
from dna_engine.spec import ResolvedJob

#: Images whose canvases together take at most this many bytes live on the device.
IN_MEMORY = 2 << 30


def normalize(images: Tensor) -> Tensor:
    """Bytes (B, 3, S, S) to floats, by ``pixels.MEAN`` and ``pixels.STD``."""
    std = torch.tensor(STD, device=images.device).view(3, 1, 1)
    mean = torch.tensor(MEAN, device=images.device).view(3, 1, 1)
    return images.float().mul_(1 / (255 * std)).sub_(mean / std)


class Images(ABC):
    """A set of labelled images on a device."""

    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def steps(self, batch_size: int) -> int:
        """Batches in an epoch: whole ones only, or all images at once where there are fewer than a batch."""
        return max(1, len(self) // batch_size)

    @abstractmethod
    def epoch(self, epoch: int, batch_size: int, *, seed: int, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """Shuffled, augmented batches of epoch ``epoch`` (from 0), from batch ``start`` on."""

    @abstractmethod
    def ordered(self, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Every image once, in order, centred; the last batch may be smaller."""

    def batches(self, batch_size: int, *, epochs: int, seed: int, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """The batches of all epochs, from step ``start`` of the whole run on."""
        per_epoch = self.steps(batch_size)
        for epoch in range(start // per_epoch, epochs):
            first = start % per_epoch if epoch == start // per_epoch else 0
            yield from self.epoch(epoch, batch_size, seed=seed, start=first)

    def _order(self, epoch: int, batch_size: int, seed: int, start: int) -> list[list[int]]:
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

    def epoch(self, epoch: int, batch_size: int, *, seed: int, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        for number, indices in enumerate(self._order(epoch, batch_size, seed, start), start):
            chosen = torch.tensor(indices, device=self.labels.device)
            images = self._cropped(chosen, stream(seed, epoch, number)) if self.augment else self._centred(chosen)
            yield normalize(images), self.labels[chosen]

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
        self, album: Album, indices: Sequence[int], size: int, *, augment: bool, flip: bool, device: torch.device
    ) -> None:
        self.album, self.indices, self.size = album, list(indices), size
        self.augment, self.flip, self.device = augment, flip, device
        self.labels = torch.tensor([album.labels[index] for index in self.indices])

    def epoch(self, epoch: int, batch_size: int, *, seed: int, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        keys = [
            [(i, f"{seed}/{epoch}/{i}" if self.augment else None) for i in batch]
            for batch in self._order(epoch, batch_size, seed, start)
        ]
        return self._load(keys)

    def ordered(self, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
        keys: list[tuple[int, str | None]] = [(i, None) for i in range(len(self))]
        return self._load([keys[i : i + batch_size] for i in range(0, len(keys), batch_size)])

    def _load(self, batches: list[list[tuple[int, str | None]]]) -> Iterator[tuple[Tensor, Tensor]]:
        cuda = self.device.type == "cuda"
        loader = DataLoader(_Decoded(self), batch_sampler=batches, num_workers=min(16, available()), pin_memory=cuda)
        try:
            for images, labels in loader:
                yield normalize(images.to(self.device, non_blocking=cuda)), labels.to(self.device, non_blocking=cuda)
        except DataError as error:  # A worker process adds its traceback; the last line is what the user needs.
            raise DataError(error.message.strip().splitlines()[-1].partition("DataError: ")[2]) from error


class _Decoded(Dataset[tuple[Tensor, int]]):
    """What a worker process does: open, crop, resize. A key is a place and, for augmentation, a seed."""

    def __init__(self, images: StreamedImages) -> None:
        self.images = images

    def __getitem__(self, key: tuple[int, str | None]) -> tuple[Tensor, int]:
        place, seed = key
        index = self.images.indices[place]
        picture = self.images.album.picture(index)
        if seed is None:
            picture = _middle(picture, self.images.size)
        else:
            picture = _random_crop(picture, self.images.size, random.Random(seed), flip=self.images.flip)
        return _bytes(picture), self.images.album.labels[index]


def _random_crop(picture: Image.Image, size: int, rng: random.Random, *, flip: bool) -> Image.Image:
    """A quarter to all of the area, aspect ratio 3/4 to 4/3, resized to ``size``."""
    width, height = picture.size
    area, ratio = rng.uniform(0.25, 1.0) * width * height, rng.uniform(3 / 4, 4 / 3)
    w, h = min(width, round((area * ratio) ** 0.5)), min(height, round((area / ratio) ** 0.5))
    left, top = rng.randint(0, width - w), rng.randint(0, height - h)
    crop = picture.resize((size, size), Image.Resampling.BILINEAR, box=(left, top, left + w, top + h))
    return crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if flip and rng.random() < 0.5 else crop


def _middle(picture: Image.Image, size: int) -> Image.Image:
    """The square of ``size`` in the middle: what is left of a canvas without its margin."""
    cut = (_zoomed(size) - size) // 2
    return _square(picture, _zoomed(size)).crop((cut, cut, cut + size, cut + size))


def _square(picture: Image.Image, size: int) -> Image.Image:
    """The largest square in the middle, resized to ``size``."""
    width, height = picture.size
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    return picture.resize((size, size), Image.Resampling.BILINEAR, box=(left, top, left + side, top + side))


def _zoomed(size: int) -> int:
    """What the shorter side is resized to: large images lose their margin, small ones are kept whole."""
    return size + 2 * margin(size) if size > SMALL else size


def _bytes(picture: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).contiguous()


# --- splits


class Splits:
    """``rate`` was held out of the training images, by class, where a job decides by some; the test images decide nothing.

    Each is read when it is first asked for: most steps need one of the three, and photos take long to decode.
    """

    def __init__(self, *, train: Callable[[], Images], rate: Callable[[], Images], test: Callable[[], Images]) -> None:
        self._train, self._rate, self._test = train, rate, test

    @cached_property
    def train(self) -> Images:
        return self._train()

    @cached_property
    def rate(self) -> Images:
        return self._rate()

    @cached_property
    def test(self) -> Images:
        return self._test()


def load_splits(spec: ResolvedJob, device: torch.device) -> Splits:
    """The images of a job."""
    return load(
        spec.dataset,
        input_size=spec.input_size,
        rating_images=spec.held_out,
        seed=spec.seed,
        augment=spec.augment,
        flip=spec.flip,
        device=device,
    )


def load(
    dataset: DatasetInfo,
    *,
    input_size: int,
    rating_images: int,
    seed: int,
    augment: bool,
    flip: bool = True,
    device: torch.device,
) -> Splits:
    """Training, rating and test images, always RGB of ``input_size``.

    Raises:
        DataError: there are not enough images to hold some out; or, once they are asked for, they cannot be read.
    """
    train, test = _albums(dataset)
    held_out, kept = by_class(train.labels, rating_images, seed)
    if rating_images and (len(held_out) < 2 or len(kept) < 2):
        raise DataError(
            f"{dataset.name} has {len(train.labels)} training images; {rating_images} of them cannot be held out for "
            "rating. Change rating.images.",
            param="rating.images",
        )
    hold = partial(_hold, size=input_size, flip=flip, device=device)
    return Splits(
        train=partial(hold, train, kept, augment=augment),
        rate=partial(hold, train, held_out, augment=False),
        test=partial(hold, test, range(len(test.labels)), augment=False),
    )


def by_class(labels: Sequence[int], count: int, seed: int) -> tuple[list[int], list[int]]:
    """``count`` indices drawn so that every class keeps its share, and one image at least while others have more; the others,
    ascending.

    Those drawn are mixed so that any stretch of them holds all classes in their shares: ratings normalise by the
    statistics of a batch, and a batch of one class, as folders would give it, is nothing that a network was trained on.
    """
    places = torch.randperm(len(labels), generator=stream(seed, "held out")).tolist()
    sizes = Counter(labels)
    seen: Counter[int] = Counter()
    quantiles = []
    for index in places:
        seen[labels[index]] += 1
        last = seen[labels[index]] == sizes[labels[index]]
        quantiles.append((last, (seen[labels[index]] - 0.5) / sizes[labels[index]], index))
    drawn = [index for *_, index in sorted(quantiles)]
    return drawn[:count], sorted(drawn[count:])


def _albums(dataset: DatasetInfo) -> tuple[Album, Album]:
    match dataset.kind:
        case "builtin":
            return open_digits()
        case "folder":
            return open_folder(Path(dataset.location))
        case "upload":
            return open_upload(dataset.location)
        case "timm":
            return open_timm(dataset.location)


def _hold(
    album: Album, indices: Sequence[int], *, size: int, augment: bool, flip: bool, device: torch.device
) -> Images:
    side = size + 2 * margin(size)
    if len(indices) * 3 * side * side > IN_MEMORY:
        return StreamedImages(album, indices, size, augment=augment, flip=flip, device=device)
    canvases = torch.empty(len(indices), 3, side, side, dtype=torch.uint8)
    with ThreadPoolExecutor(available()) as pool:
        for place, canvas in enumerate(pool.map(lambda index: _canvas(album.picture(index), size), indices)):
            canvases[place] = canvas
    labels = torch.tensor([album.labels[index] for index in indices])
    return StoredImages(canvases.to(device), labels.to(device), size, augment=augment, flip=flip)


def _canvas(picture: Image.Image, size: int) -> Tensor:
    """An image with its margin: its own pixels, or black around small ones."""
    stored = _bytes(_square(picture, _zoomed(size)))
    return stored if size > SMALL else F.pad(stored, (margin(size),) * 4)
