"""Squares of pictures of any shape: whole, with a margin, or by chance; never of nothing."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from dna_engine.images.albums import FolderAlbum
from dna_engine.images.pictures.pixels import Fit, Look, preprocessing
from dna_engine.images.pictures.prepare import prepare
from dna_engine.training.batches import StreamedImages, normalize
from dna_engine.training.crops import canvas, middle, pixels_of, random_crop
from tests.dna_engine.images.pictures.test_prepare import numbered
from tests.dna_engine.training.sets import CPU
from tests.untidy_pictures import PICTURES

FITS: list[Fit] = ["crop", "pad", "squash"]


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 2), (1, 700), (700, 1), (2, 3)])
def test_no_crop_is_empty(width: int, height: int, fit: Fit) -> None:
    picture = Image.new("RGB", (width, height), "red")
    for seed in range(200):
        crop = random_crop(picture, 8, random.Random(seed), flip=True, look=Look(fit=fit, background="red"))
        assert crop.getcolors() == [(64, (255, 0, 0))]


@pytest.mark.parametrize("fit", FITS)
def test_crops_of_a_long_picture(fit: Fit) -> None:
    """By chance all of it is seen; where it is kept whole a crop has a quarter of it at least."""
    shares, columns = [], set()
    for seed in range(60):
        crop = np.asarray(
            random_crop(numbered(320, 64), 32, random.Random(seed), flip=False, look=Look(fit, "#0000ff"))
        )
        inside = crop[crop[..., 2] < 128]
        red, green = (inside[:, channel].astype(int) for channel in (0, 1))
        shares.append(np.ptp(red) * np.ptp(green) / 255**2)
        columns |= set(np.unique(red // 32))
    assert columns == set(range(8))
    assert min(shares) > 0.15
    assert max(shares) > 0.65 if fit != "crop" else max(shares) < 0.6


@pytest.mark.parametrize("fit", FITS)
def test_crops_are_drawn_by_the_seed(fit: Fit) -> None:
    def drawn(seed: str) -> bytes:
        return random_crop(numbered(60, 40), 16, random.Random(seed), flip=True, look=Look(fit)).tobytes()

    assert drawn("0/0/1") == drawn("0/0/1") != drawn("0/0/2")


def test_cropping_draws_what_it_always_drew() -> None:
    """Jobs of before there was a choice go on as they began."""
    rng = random.Random("3/1/7")
    area, ratio = rng.uniform(0.25, 1.0) * 90 * 60, rng.uniform(3 / 4, 4 / 3)
    w, h = min(90, round((area * ratio) ** 0.5)), min(60, round((area / ratio) ** 0.5))
    left, top = rng.randint(0, 90 - w), rng.randint(0, 60 - h)
    expected = numbered(90, 60).resize((24, 24), Image.Resampling.BILINEAR, box=(left, top, left + w, top + h))
    expected = expected.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else expected
    assert random_crop(numbered(90, 60), 24, random.Random("3/1/7"), flip=True).tobytes() == expected.tobytes()


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("size", [16, 64, 96])
def test_the_middle_of_a_canvas_is_what_is_tested(size: int, fit: Fit) -> None:
    look = Look(fit, "#102030")
    held = canvas(numbered(90, 40), size, look)
    margin = (held.shape[-1] - size) // 2
    inner = held[:, margin : margin + size, margin : margin + size]
    assert torch.equal(inner, pixels_of(middle(numbered(90, 40), size, look)))
    if fit != "crop":
        assert held[:, 0].unique(dim=1).flatten().tolist() == [16, 32, 48], "the margin is the background"


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> FolderAlbum:
    folder = tmp_path_factory.mktemp("pictures")
    for name, make in PICTURES.items():
        (folder / name).write_bytes(make())
    return FolderAlbum(sorted(folder.iterdir()), [0] * len(PICTURES))


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("size", [32, 80])
def test_pictures_are_prepared_for_users_as_they_are_for_networks(album: FolderAlbum, size: int, fit: Fit) -> None:
    look = Look(fit, "#1080f0")

    def seen(path: Path) -> Any:
        return normalize(pixels_of(middle(album.picture(album.paths.index(path), look), size, look))[None])[0].numpy()

    for path in album.paths:
        assert np.abs(prepare(path, preprocessing(size, [], look)) - seen(path)).max() < 1e-5, path.name


def test_a_set_that_is_streamed_has_the_look_that_was_asked_for(tmp_path: Path) -> None:
    Image.new("RGB", (40, 8), "red").save(tmp_path / "long.png")
    images = StreamedImages(
        FolderAlbum([tmp_path / "long.png"], [0]), [0], 16, augment=False, flip=False, look=Look("pad", "#000000"), device=CPU
    )  # fmt: skip
    ((batch, _),) = images.ordered(1)
    red = batch[0, 0] > 0
    assert [int(rows) for rows in red.sum(0).unique()] == [3], "16 x 8 / 40 rows of the picture"
