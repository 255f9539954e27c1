"""How far what a file answers is from what the trained network answers, on the same images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

#: Largest difference of a logit that is accepted, in standard deviations of the network's own logits over the images. Between
#: float32 and float64, or torch and onnxruntime, networks differ by 1e-6 to 1e-5 of it, those whose training ran wild included;
#: with weights cut to half precision by 3e-4 to 9e-3, with another epsilon in the batch norms by 4e-3 to 1e-1.
TOLERANCE = 1e-3
#: Share of the images, at least, to which the answer must be the same: the accuracy that is claimed holds up to a hundredth.
#: A logit within the tolerance changes only what was as good as undecided.
SAME_ANSWERS = 0.99

Logits = NDArray[np.float32]


@dataclass(frozen=True)
class Difference:
    """How far the logits of a file are from those of the trained network, on the same images.

    Attributes:
        largest: of any logit, absolute.
        relative: the same in standard deviations of the network's logits. Two ways to compute one network in float32 differ
            by their rounding, which grows with the logits: 2e-3 at logits of 236, where float32 and float64 differ as much.
        same_answers: share of the images with the same largest logit.
    """

    largest: float
    relative: float
    same_answers: float

    @classmethod
    def between(cls, expected: Logits, found: Logits) -> Difference:
        largest = float(np.abs(found - expected).max())
        return cls(
            largest=largest,
            relative=largest / max(float(expected.std()), float(np.finfo(np.float32).tiny)),
            same_answers=float((found.argmax(1) == expected.argmax(1)).mean()),
        )

    @property
    def reason(self) -> str | None:
        """Why such a file is not to be offered; None where it is."""
        if self.relative <= TOLERANCE and self.same_answers >= SAME_ANSWERS:  # Neither holds for what is no number.
            return None
        return (
            f"its logits on test images differ from the trained network's by up to {self.largest:.2e}, which is "
            f"{self.relative:.1e} of their spread ({TOLERANCE:.0e} is accepted), and {self.same_answers:.2%} of its answers "
            f"are the same ({SAME_ANSWERS:.0%} must be)."
        )


def accuracy(logits: Logits, labels: Tensor) -> float:
    """Share of the images whose largest logit is that of their class."""
    return float((logits.argmax(1) == labels.numpy()).mean())


def figures(logits: Mapping[str, Logits], labels: Tensor) -> dict[str, Any]:
    """What ``export.json`` says of the logits of each file, by its name, beside those of ``torch``."""
    expected = logits["torch"]
    differences = {name: Difference.between(expected, found) for name, found in logits.items() if name != "torch"}
    return {
        "images": len(expected),
        "spread": float(expected.std()),
        "largest_difference": {name: difference.largest for name, difference in differences.items()},
        "relative_difference": {name: difference.relative for name, difference in differences.items()},
        "same_answers": {name: difference.same_answers for name, difference in differences.items()},
        "accuracy": {name: accuracy(found, labels) for name, found in logits.items()},
    }
