"""The digits that ship with the engine are scikit-learn's, in the parts that it draws."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from dna_engine.images.albums import open_digits
from dna_engine.images.info import DIGITS


def test_they_are_those_of_scikit_learn() -> None:
    train, test = open_digits()
    assert (len(train.labels), len(test.labels)) == (DIGITS.num_train, DIGITS.num_test)
    digits = load_digits()
    pixels = (digits.images * (255 / 16)).round().astype(np.uint8)
    parts = train_test_split(pixels, digits.target, test_size=0.2, stratify=digits.target, random_state=0)
    assert np.array_equal(train.pixels, parts[0])
    assert np.array_equal(test.pixels, parts[1])
    assert (train.labels, test.labels) == (parts[2].tolist(), parts[3].tolist())


def test_they_are_opened_without_it() -> None:
    code = "import sys; from dna_engine.images.albums import open_digits; open_digits(); print({'sklearn', 'scipy'} & {*sys.modules})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"
