"""Whether the pictures of a class look like its own or like another's: a hint that labels were exchanged. Torch-free.

Each of a bounded sample of pictures votes for the class of the training picture that is nearest to it, by its colours and its edges at
16 by 16 pixels. Such votes are often wrong, but they are wrong in the same way for pictures of the same kind: so the votes of the
pictures to test a class with are compared with those of the pictures to train each class with. Where it is far more likely that some
of them are another class's, the two splits do not mean the same by a label.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from dna_engine.images.check.report import Findings, Level

#: Side of the pictures that are compared, of the patches whose edges are counted, and directions that edges have.
SIDE, _PATCH, _DIRECTIONS = 16, 4, 8
#: What is added to a contrast before it divides: flat pictures have none.
_FAINT = 0.05
#: Pictures of a split that are looked at, and of a class.
MOST, MOST_OF_CLASS = 6000, 600
#: Pictures of a class that say something; of fewer nothing is told.
FEWEST = 20
#: How many of a class's pictures might be another's.
_SHARES = (0.25, 0.5, 1.0)
#: Natural logarithm of how many times more likely that must make their votes.
_FAR = 20.0

Array = np.ndarray[Any, Any]


def vector(picture: Image.Image) -> Array:
    """An RGB picture as it is compared: its colours, less what all of it has of them, and its edges by direction, in patches."""
    small = np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BOX), dtype=np.float32) / 255
    half = SIDE // 2
    colours = small.reshape(half, 2, half, 2, 3).mean(axis=(1, 3)).ravel()
    colours = (colours - colours.mean()) / (colours.std() + _FAINT)
    edges = _edges(small.mean(axis=2))
    return np.concatenate([edges / (np.linalg.norm(edges) + _FAINT), colours / np.sqrt(colours.size)])


def _edges(grey: Array) -> Array:
    """How steep it is in each patch (SIDE / 4)², by direction; up and down are one."""
    down, right = np.gradient(grey)
    direction = (np.arctan2(down, right) % np.pi / np.pi * _DIRECTIONS).astype(int) % _DIRECTIONS
    steep = np.hypot(down, right) * (direction == np.arange(_DIRECTIONS)[:, None, None])
    patches = SIDE // _PATCH
    summed: Array = steep.reshape(_DIRECTIONS, patches, _PATCH, patches, _PATCH).sum(axis=(2, 4)).ravel()
    return summed


def sample(sizes: Sequence[int]) -> list[list[int]]:
    """Which pictures of each class are looked at, spread evenly over it.

    Args:
        sizes: pictures by class.
    """
    most = min(MOST_OF_CLASS, max(FEWEST, MOST // len(sizes)))
    classes = MOST // most  # Of very many the first; a hint is all that comes of it.
    return [_spread(size, most) if number < classes else [] for number, size in enumerate(sizes)]


def _spread(size: int, most: int) -> list[int]:
    taken = min(size, most)
    return [place * size // taken for place in range(taken)]


@dataclass(frozen=True)
class Sampled:
    """Vectors of pictures (N, D), and their labels (N)."""

    vectors: Array
    labels: Array


def tell(findings: Findings, names: Sequence[str], train: Sampled, test: Sampled) -> None:
    """Adds the classes whose pictures to test with look like those to train another class with."""
    if len(train.labels) < 2 or not len(test.labels):
        return
    own, others = _votes(train, train, skip_self=True), _votes(train, test, skip_self=False)
    habits = _habits(own, train.labels, len(names))
    told = []
    for number, name in enumerate(names):
        votes = others[test.labels == number]
        if min(len(votes), (train.labels == number).sum()) >= FEWEST:
            other, far = _most_likely(habits[:, votes], number)
            told += [f"{name} like {names[other]}"] if far > _FAR else []
    if told:
        findings.add(
            "looks_like_another_class",
            Level.WARNING,
            "A hint, from small copies: pictures to test a class with look like those to train another class with. See whether labels were "
            "exchanged between the splits.",
            told,
        )


def _most_likely(habits: Array, own: int) -> tuple[int, float]:
    """The class that most likely has some of the pictures, and by how much more likely that makes their votes (a logarithm).

    Args:
        habits: how likely each class has each of the votes (classes, votes).
        own: the class that they are said to be of.
    """
    alone = np.log(habits[own]).sum()
    shared = [np.log((1 - share) * habits[own] + share * habits).sum(axis=1) for share in _SHARES]
    gained = np.max(shared, axis=0) - alone
    other = int(gained.argmax())
    return other, float(gained[other])


def _votes(train: Sampled, asked: Sampled, *, skip_self: bool) -> Array:
    """For each picture the label of the training picture that is nearest; not itself."""
    from sklearn.neighbors import NearestNeighbors  # slow to import, and only a check needs it

    nearest = NearestNeighbors(n_neighbors=1 + skip_self, algorithm="brute").fit(train.vectors)
    found = nearest.kneighbors(asked.vectors, return_distance=False)
    if not skip_self:
        return np.asarray(train.labels[found[:, 0]])
    itself = found[:, 0] == np.arange(len(found))  # Of pictures that are the same the other may come first.
    return np.asarray(train.labels[np.where(itself, found[:, 1], found[:, 0])])


def _habits(votes: Array, labels: Array, classes: int) -> Array:
    """Which class the pictures of each class vote for, as shares (classes, classes), each a little above 0."""
    counts = np.full((classes, classes), 0.5)
    np.add.at(counts, (labels, votes), 1)
    return np.asarray(counts / counts.sum(axis=1, keepdims=True))
