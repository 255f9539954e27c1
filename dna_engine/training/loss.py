"""What a network is trained to make small."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dna_engine.training.recipe import Recipe


class Loss:
    """Cross entropy with the labels and, where there is a teacher, the distance to its answers (Hinton, Vinyals and Dean 2015)

        (1 - w) CE(labels, z) + w T² KL(softmax(t / T) || softmax(z / T)),

    of the network's logits z, the teacher's t, its weight w and the temperature T of the recipe. The factor T² keeps the gradients of
    both parts in proportion, whatever T is. Labels may be smoothed; the teacher's answers are as they are, to the images as the network sees
    them. Of mixed images (:mod:`~dna_engine.training.augment.mixing`) the targets are mixed too: s CE(labels, z) + (1 - s) CE(partners, z) is
    the cross entropy with the mean of both labels, which have the shares s and 1 - s.

    Args:
        teacher: gives logits (B, classes) for normalised images (B, 3, S, S), in evaluation mode; for a recipe that gives it a weight.
    """

    def __init__(self, recipe: Recipe, teacher: nn.Module | None = None) -> None:
        assert (teacher is not None) == (recipe.teacher_weight > 0)
        self._recipe, self._teacher = recipe, teacher

    def __call__(self, logits: Tensor, images: Tensor, labels: Tensor, share: float = 1.0) -> Tensor:
        """The mean over a batch; one pass of the teacher. ``share`` is what each image has of its own, the rest is its partner's."""
        told = self._told(logits, labels)
        if share < 1:
            told = share * told + (1 - share) * self._told(logits, labels.flip(0))
        if self._teacher is None:
            return told
        with torch.no_grad():
            answers = self._teacher(images)
        weight = self._recipe.teacher_weight
        return (1 - weight) * told + weight * divergence(logits, answers, self._recipe.temperature)

    def _told(self, logits: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(logits, labels, label_smoothing=self._recipe.label_smoothing)

    def of_ignorance(self, classes: int) -> float:
        """At most what a network costs that gives every class the same chance: ln(classes), whatever the smoothing, for either part."""
        weight, temperature = self._recipe.teacher_weight, self._recipe.temperature
        return ((1 - weight) + weight * temperature**2) * math.log(classes)


def divergence(logits: Tensor, answers: Tensor, temperature: float) -> Tensor:
    """T² KL(softmax(answers / T) || softmax(logits / T)), the mean over a batch of both (B, classes), in nats."""
    found, wanted = (F.log_softmax(some.float() / temperature, dim=1) for some in (logits, answers))
    return temperature**2 * F.kl_div(found, wanted, reduction="batchmean", log_target=True)
