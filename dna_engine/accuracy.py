"""What an accuracy on some test images says, and what it does not: intervals, the levels of guessing, a comparison. Torch-free.

Sources: the interval of a share is Wilson's (J. Am. Stat. Assoc. 22, 1927, 209-212), that of a difference of two shares is
Newcombe's (Statistics in Medicine 17, 1998, 873-890, method 10). Balanced accuracy is the mean over the classes of the share
of their images that were right: whoever answers without looking at the image reaches one over the number of classes, however
unequal the classes are (Brodersen et al., ICPR 2010).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist, fmean, harmonic_mean
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Interval = tuple[float, float]
Verdict = Literal["at chance", "answers one class only"]
Standing = Literal["better", "worse", "undecided"]

#: Standard deviations of a normal distribution between which 95% of it lie.
Z = NormalDist().inv_cdf(0.975)


class Accuracy(BaseModel):
    """What a classifier reached on the test images, beside what is reached without looking at them. Shares are 0 to 1."""

    model_config = ConfigDict(frozen=True)

    images: int = Field(description="Test images.")
    accuracy: float = Field(description="Share of them that were classified correctly.")
    interval: Interval = Field(description="95% interval of the accuracy over images of that kind (Wilson).")
    balanced_accuracy: float = Field(description="Mean over the classes of the share of their images that were right.")
    chance: float = Field(description="What guessing reaches: one over the number of classes.")
    majority: float = Field(description="What always answering the commonest class of the test images reaches.")
    verdict: Verdict | None = Field(
        description="In words, where the classifier cannot be told from one that does not look at the image."
    )
    log_loss: float | None = Field(
        default=None, description="Mean cross entropy, nats; null of what early versions have trained, as the next."
    )
    calibration_error: float | None = Field(
        default=None,
        description="How far, 0 to 1, confidence and accuracy lie apart: expected calibration error, 15 bins of equal width (ECE).",
    )


class Comparison(BaseModel):
    """The winner beside its control on the same test images."""

    model_config = ConfigDict(frozen=True)

    difference: float = Field(description="The winner's accuracy less the control's.")
    interval: Interval = Field(
        description="95% interval of the difference (Newcombe), as of two sets of images: on one it is rather too wide."
    )
    says: str = Field(description="What that means, in a sentence.")


@dataclass(frozen=True)
class Answers:
    """What a classifier answered, by class in the order of the logits: ``images`` of it, ``right`` of those, answers ``given``."""

    images: Sequence[int]
    right: Sequence[int]
    given: Sequence[int]

    @classmethod
    def count(cls, labels: Sequence[int], answers: Sequence[int], classes: int) -> Answers:
        """Of one label and one answer for each image."""
        of, given = Counter(labels), Counter(answers)
        right = Counter(label for label, answer in zip(labels, answers, strict=True) if label == answer)
        return cls(*([counted[number] for number in range(classes)] for counted in (of, right, given)))

    @property
    def accuracy(self) -> float:
        return sum(self.right) / sum(self.images)


def judge(answers: Answers, *, log_loss: float | None = None, calibration_error: float | None = None) -> Accuracy:
    """The accuracy with all that it has to be read beside; what does not come of counting is given.

    It is at chance where neither it lies above always answering the commonest class, nor balanced accuracy above guessing,
    each by its 95% interval. That of balanced accuracy is Wilson's for as many images of equal classes as would be as
    telling: the number of classes times the harmonic mean of their sizes. With equal classes the two are one.
    """
    images = sum(answers.images)
    interval = wilson(answers.accuracy, images)
    majority = max(answers.images) / images
    recalls = [right / of for right, of in zip(answers.right, answers.images, strict=True) if of]
    balanced = fmean(recalls)
    telling = len(recalls) * harmonic_mean([of for of in answers.images if of])
    verdict: Verdict | None = None
    if len(recalls) > 1 and sum(map(bool, answers.given)) == 1:
        verdict = "answers one class only"
    elif interval[0] <= majority and wilson(balanced, telling)[0] <= 1 / len(recalls):
        verdict = "at chance"
    return Accuracy(
        images=images,
        accuracy=answers.accuracy,
        interval=interval,
        balanced_accuracy=balanced,
        chance=1 / len(answers.images),
        majority=majority,
        verdict=verdict,
        log_loss=log_loss,
        calibration_error=calibration_error,
    )


def wilson(share: float, images: float) -> Interval:
    """The 95% interval of a share of so many images."""
    spread = Z * Z / images
    middle = share + spread / 2
    reach = Z * sqrt(share * (1 - share) / images + spread / (4 * images))
    return max(0.0, (middle - reach) / (1 + spread)), min(1.0, (middle + reach) / (1 + spread))


def compare(winner: Accuracy, control: Accuracy, rival: str = "its control") -> Comparison:
    """What the search was worth: whether its network is better than another one of as many multiply-adds, trained alike.

    Args:
        control: of the other network: a random one, where nothing else is said.
        rival: what it is called.
    """
    difference = winner.accuracy - control.accuracy
    interval = _newcombe(winner, control.accuracy, control.interval)
    return Comparison(
        difference=difference, interval=interval, says=_sentence(winner, control, difference, interval, rival)
    )


def standing(winner: Accuracy, control: float) -> Standing:
    """The same in a word, where of the control only the accuracy on those images is known."""
    low, high = _newcombe(winner, control, wilson(control, winner.images))
    return "better" if low > 0 else "worse" if high < 0 else "undecided"


def _newcombe(winner: Accuracy, control: float, of_control: Interval) -> Interval:
    """The 95% interval of a difference of two shares, each with its own."""
    difference = winner.accuracy - control
    (low, high), (control_low, control_high) = winner.interval, of_control
    return (
        difference - sqrt((winner.accuracy - low) ** 2 + (control_high - control) ** 2),
        difference + sqrt((high - winner.accuracy) ** 2 + (control - control_low) ** 2),
    )


def recorded(values: Mapping[str, Any]) -> Accuracy | None:
    """The ``test`` among the values of a step or training; None where there is none, as of a teacher that was downloaded."""
    return None if values.get("test") is None else Accuracy.model_validate(values["test"])


def warning(name: str, found: Accuracy) -> str | None:
    """What to tell people of a training that taught nothing; None where it did."""
    if found.verdict is None:
        return None
    low, high = found.interval
    return (
        f"{name}: {found.verdict}. {found.accuracy:.2%} of {found.images:,} test images are right (95% interval "
        f"{low:.1%} to {high:.1%}), {found.balanced_accuracy:.2%} as the mean of the classes; guessing reaches "
        f"{found.chance:.2%}, always answering the commonest class {found.majority:.2%}."
    )


def _sentence(winner: Accuracy, control: Accuracy, difference: float, interval: Interval, rival: str) -> str:
    named = rival.removeprefix("its ")
    subject = rival if named == rival else f"The {named}"
    if winner.verdict and control.verdict:
        return f"Neither the winner nor {rival} can be told from guessing."
    if control.verdict == "answers one class only":
        return f"The winner beats {rival}, which answers one class only."
    if winner.verdict == "answers one class only":
        return f"{subject} beats the winner, which answers one class only."
    low, high = (100 * limit for limit in interval)
    if low > 0:
        return f"The winner beats {rival} by {100 * difference:.1f} points (95% interval {low:.1f} to {high:.1f})."
    if high < 0:
        return f"{subject} beats the winner by {-100 * difference:.1f} points (95% interval {-high:.1f} to {-low:.1f})."
    return f"{winner.images:,} test images do not tell winner from {named} ({low:+.1f} to {high:+.1f} points)."
