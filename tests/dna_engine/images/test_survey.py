"""Datasets by name: built in, or a folder of class folders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dna_engine.errors import DataError, UnknownName
from dna_engine.images.info import DIGITS
from dna_engine.images.survey import survey


def test_built_in_and_unknown_names() -> None:
    assert survey("digits") == DIGITS
    with pytest.raises(UnknownName, match="digits"):
        survey("digitz")


def test_a_folder_is_described_by_what_lies_in_it(tmp_path: Path) -> None:
    for split, count in (("train", 5), ("test", 2)):
        for name in ("cat", "dog"):
            folder = tmp_path / "pets" / split / name
            folder.mkdir(parents=True)
            for number in range(count):
                Image.new("RGB", (40, 30)).save(folder / f"{number}.png")
    info = survey(str(tmp_path / "pets"))
    assert (info.name, info.kind, info.location) == ("pets", "folder", str(tmp_path / "pets"))
    assert (info.num_classes, info.num_train, info.num_test, info.image_size) == (2, 10, 4, 30)
    assert info.class_names == ["cat", "dog"]


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no class folders"):
        survey(str(tmp_path))


def test_the_shapes_of_pictures_and_the_range_of_deep_ones_are_seen(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for number in range(10):
            values = np.full((8, 40), 4_000 if number else 900, np.uint16)
            Image.fromarray(values).save(tmp_path / name / f"{number}.png")
    info = survey(str(tmp_path))
    assert (info.image_size, info.aspect_ratios, info.white) == (8, (5.0, 5.0, 5.0), 4_095)
