"""The images of a job: to train with, held out to decide by, and to test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from pathlib import Path

import torch

from dna_engine.errors import DataError
from dna_engine.images.albums import Album, Albums, open_digits, open_folder, open_upload
from dna_engine.images.info import DatasetInfo
from dna_engine.images.pictures.pixels import PLAIN, Look, margin
from dna_engine.images.shards.album import open_shards
from dna_engine.images.timm_albums import open_timm
from dna_engine.runtime.cores import available
from dna_engine.runtime.seeds import stream
from dna_engine.spec import ResolvedNetworks
from dna_engine.training.batches import ASKED_AT_ONCE, Images, StoredImages, StreamedImages
from dna_engine.training.crops import canvas

#: Images whose canvases together take at most this many bytes live on the device.
IN_MEMORY = 2 << 30
#: Images that a thread is given at once.
TOGETHER = 32
#: Images of at most so many pixels a side are read by one thread: several would wait for one another longer than they read.
SMALL = 96


class Splits:
    """``rate`` was held out, by class, where a job decides by some images: of those given for that (``val``), else of those to train
    with. The test images decide nothing.

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

    def judged_by_held_out(self) -> Splits:
        """The same, with the images that were held out in the place of the test images: where a training is to decide something."""
        return Splits(train=lambda: self.train, rate=lambda: self.rate, test=lambda: self.rate)


def load_splits(spec: ResolvedNetworks, device: torch.device, *, share: float = 1.0) -> Splits:
    """The images of a job; of those to train with a ``share`` of every class, all from 1 on."""
    return splits_of(
        spec.dataset,
        input_size=spec.input_size,
        rating_images=spec.held_out,
        seed=spec.seed,
        augment=spec.augment,
        flip=spec.flip,
        look=spec.look,
        device=device,
        share=share,
    )


def splits_of(
    dataset: DatasetInfo,
    *,
    input_size: int,
    rating_images: int,
    seed: int,
    augment: bool,
    flip: bool = True,
    look: Look = PLAIN,
    device: torch.device,
    share: float = 1.0,
) -> Splits:
    """Training, rating and test images, always RGB of ``input_size``; of those to train with a ``share`` of every class, all from 1 on.

    Raises:
        DataError: there are not enough images to hold some out; or, once they are asked for, they cannot be read.
    """
    train, test, val = _albums(dataset)
    source = train if val is None else val
    held_out, kept = by_class(source.labels, rating_images, seed)
    kept = kept if val is None else list(range(len(train.labels)))
    if rating_images and (len(held_out) < 2 or len(kept) < 2):
        raise DataError(
            f"{dataset.name} has {len(source.labels)} {'training' if val is None else 'validation'} images; {rating_images} of them "
            "cannot be held out for rating. Change rating.images.",
            param="rating.images",
        )
    if share < 1:
        chosen, _ = by_class([train.labels[index] for index in kept], max(2, round(share * len(kept))), seed)
        kept = [kept[place] for place in sorted(chosen)]
    hold = partial(_hold, size=input_size, flip=flip, look=look, device=device)
    return Splits(
        train=partial(hold, train, kept, augment=augment),
        rate=partial(hold, source, held_out, augment=False),
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


def _albums(dataset: DatasetInfo) -> Albums:
    match dataset.kind:
        case "builtin":
            return Albums(*open_digits())
        case "folder":
            return open_folder(Path(dataset.location), dataset.layout)
        case "upload":
            return open_upload(dataset.location)
        case "timm":
            return Albums(*open_timm(dataset.location))
        case "shards":
            return open_shards(dataset.location)


def _hold(
    album: Album, indices: Sequence[int], *, size: int, augment: bool, flip: bool, look: Look, device: torch.device
) -> Images:
    side = size + 2 * margin(size)
    if len(indices) * 3 * side * side > IN_MEMORY:
        return StreamedImages(album, indices, size, augment=augment, flip=flip, look=look, device=device)
    canvases = torch.empty(len(indices), 3, side, side, dtype=torch.uint8)

    def fill(first: int) -> None:
        for place in range(first, min(first + together, len(indices))):
            canvases[place] = canvas(album.picture(indices[place], look), size, look)

    threads, together = _shared_out(album, indices)
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(fill, range(0, len(indices), together)):
            pass  # What cannot be read raises its error here.
    labels = torch.tensor([album.labels[index] for index in indices])
    return StoredImages(canvases.to(device), labels.to(device), size, augment=augment, flip=flip)


def _shared_out(album: Album, indices: Sequence[int]) -> tuple[int, int]:
    """How many threads read the pictures, and how many of them one after another each is given."""
    if album.distant:
        return ASKED_AT_ONCE, 1
    small = not indices or max(album.size(indices[0])) <= SMALL
    return 1 if small else available(), TOGETHER
