"""A folder of pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dna_engine.images.info import DatasetInfo


@pytest.fixture
def folder(tmp_path: Path) -> DatasetInfo:
    """Three classes of coloured pictures, 20 to train with and 4 to test with; some grey, some not square."""
    rng = np.random.default_rng(0)
    for part, count in (("train", 20), ("test", 4)):
        for label, name in enumerate(("ant", "bee", "cat")):
            (tmp_path / part / name).mkdir(parents=True)
            for number in range(count):
                pixels = rng.integers(0, 80, (24, 32, 3), dtype=np.uint8)
                pixels[..., label] += 120
                picture = Image.fromarray(pixels)
                picture = picture.convert("L") if number == 0 else picture
                picture.save(tmp_path / part / name / f"{number:02}.png")
    return DatasetInfo(
        name="insects", kind="folder", location=str(tmp_path), num_classes=3, num_train=60, num_test=12, image_size=24
    )
