"""The loss of a training: from labels alone as before, and beside them from a teacher's answers."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from dna_engine.training.loss import Loss, divergence
from dna_engine.training.recipe import Recipe

LOGITS = torch.tensor([[2.0, 0.5, -1.0], [0.0, 0.3, 0.1]])
ANSWERS = torch.tensor([[1.0, 1.5, -3.0], [4.0, 0.0, 0.0]])
LABELS = torch.tensor([0, 2])
IMAGES = torch.zeros(2, 3, 4, 4)


class Answering(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return ANSWERS[: len(images)]


def recipe(weight: float, temperature: float) -> Recipe:
    return Recipe(epochs=1, teacher_weight=weight, temperature=temperature)


def test_without_a_teacher_it_is_cross_entropy() -> None:
    loss = Loss(Recipe(epochs=1, label_smoothing=0.1))
    assert torch.equal(loss(LOGITS, IMAGES, LABELS), nn.CrossEntropyLoss(label_smoothing=0.1)(LOGITS, LABELS))


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_the_distance_is_what_its_formula_says(temperature: float) -> None:
    total = 0.0
    for answers, logits in zip(ANSWERS.double() / temperature, LOGITS.double() / temperature, strict=True):
        wanted, found = answers.softmax(0), logits.softmax(0)
        total += float((wanted * (wanted / found).log()).sum())
    expected = temperature**2 * total / 2
    assert divergence(LOGITS, ANSWERS, temperature).item() == pytest.approx(expected, rel=1e-5)
    assert divergence(LOGITS, LOGITS, temperature).item() == pytest.approx(0, abs=1e-6)


def test_a_weight_shares_the_loss_between_labels_and_answers() -> None:
    told = nn.CrossEntropyLoss(label_smoothing=0.1)(LOGITS, LABELS).item()
    answered = divergence(LOGITS, ANSWERS, 2.0).item()
    for weight in (0.25, 1.0):
        found = Loss(recipe(weight, 2.0), Answering())(LOGITS, IMAGES, LABELS).item()
        assert found == pytest.approx((1 - weight) * told + weight * answered, rel=1e-6)


def test_the_target_of_a_mixed_image_is_the_mean_of_both_labels() -> None:
    for smoothing in (0.0, 0.1):
        targets = 0.3 * torch.eye(3)[LABELS] + 0.7 * torch.eye(3)[LABELS.flip(0)]
        expected = nn.CrossEntropyLoss(label_smoothing=smoothing)(LOGITS, targets)
        found = Loss(Recipe(epochs=1, label_smoothing=smoothing))(LOGITS, IMAGES, LABELS, 0.3)
        torch.testing.assert_close(found, expected)


def test_a_network_that_knows_nothing_costs_at_most_what_is_said() -> None:
    certain = torch.tensor([[99.0, 0.0, 0.0]])
    for weight in (0.5, 1.0):
        loss = Loss(recipe(weight, 3.0), nn.Identity())
        found = loss(torch.zeros(1, 3), certain, LABELS[:1]).item()
        assert found == pytest.approx(loss.of_ignorance(3), rel=1e-3)
    assert Loss(Recipe(epochs=1)).of_ignorance(3) == math.log(3)
