"""Whether mirrored pictures of one class look like another's: arrows, hands, letters. Torch-free.

Each of a bounded sample of pictures votes for the class of the picture that is nearest to it, another than itself, by a small copy of its
pixels; and so does its mirror image, if that is as near to any as pictures of its class are to each other. Where a class is known by such
votes, and its mirror images vote for one other class, networks that are trained on mirrored pictures learn what is wrong. Of pictures that
cannot be told apart so, nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from PIL import Image

from dna_engine.images.check.report import Findings, Level

#: Side of the small copies.
SIDE = 16
#: Pictures that are looked at, of a class and in all.
MOST_OF_CLASS, MOST = 50, 2_000
#: Pictures of a class that say something.
FEWEST = 8
#: Share of its pictures by which a class is known, of its mirror images that must vote for one other, and by which those votes must have grown.
_KNOWN, _TAKEN, _GROWN = 0.6, 0.5, 0.3
#: A mirror image that is farther from all others than all but this share of the pictures of its class votes for nothing.
_FARTHEST = 0.1

Array = np.ndarray[Any, np.dtype[np.float32]]


def sample(sizes: Sequence[int]) -> list[list[int]]:
    """Which pictures of each class are looked at, spread evenly over it; none where that would be too few to say something.

    Args:
        sizes: pictures by class.
    """
    most = min(MOST_OF_CLASS, MOST // max(1, len(sizes)))
    if most < FEWEST:
        return [[] for _ in sizes]
    return [[place * size // min(size, most) for place in range(min(size, most))] for size in sizes]


def small_copies(picture: Image.Image) -> tuple[Array, Array]:
    """An RGB picture and its mirror image as they are compared, (3 SIDE²) each."""
    pixels = np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BOX), dtype=np.float32)
    flat = pixels - pixels.mean()
    flat /= np.linalg.norm(flat) + 1.0
    return flat.ravel(), flat[:, ::-1].ravel()


def taken_for_others(originals: Array, mirrored: Array, labels: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The classes whose mirror images look like those of another, and which.

    Args:
        originals: small copies (N, D), and ``mirrored`` those of their mirror images.
        labels: their classes (N).
    """
    of = np.asarray(labels)
    likeness = originals @ originals.T
    np.fill_diagonal(likeness, -np.inf)
    turned = mirrored @ originals.T
    votes, mirror_votes = of[likeness.argmax(1)], of[turned.argmax(1)]
    for label in np.unique(of):
        mine = of == label
        own = votes[mine]
        if mine.sum() < FEWEST or (own == label).mean() < _KNOWN:
            continue
        near = turned[mine].max(1) >= np.quantile(likeness[mine].max(1), _FARTHEST)
        other, share = _most_often(mirror_votes[mine][near & (mirror_votes[mine] != label)], mine.sum())
        if share >= _TAKEN and share - (own == other).mean() >= _GROWN:
            yield int(label), other


def _most_often(votes: np.ndarray[Any, Any], count: int) -> tuple[int, float]:
    """The class that most vote for, and which share of so many that is."""
    tally = np.bincount(votes, minlength=1)
    return int(tally.argmax()), float(tally.max() / count)


def tell(findings: Findings, names: Sequence[str], taken: Sequence[tuple[int, int]]) -> None:
    """Adds the classes of :func:`taken_for_others`, where there are any."""
    if taken:
        findings.add(
            "mirrored_looks_like_another_class",
            Level.WARNING,
            "Mirror images of a class look like another's, so that pictures are not mirrored to train with unless a job says flip. Where "
            "left and right mean nothing here, let it.",
            [f"{names[label]} like {names[other]}" for label, other in taken],
        )
