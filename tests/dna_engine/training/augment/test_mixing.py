"""Mixed images: something of a partner in each, and the share that a label keeps of its own."""

from __future__ import annotations

import random

import pytest
import torch

from dna_engine.recipes import Numbers
from dna_engine.training.augment.mixing import mixed

IMAGES = torch.arange(6.0).view(6, 1, 1, 1).expand(6, 3, 16, 16)


def rngs(count: int = 40) -> list[random.Random]:
    return [random.Random(number) for number in range(count)]


def test_mixup_averages_images_by_the_share_of_their_labels() -> None:
    for rng in rngs():
        found, share = mixed(IMAGES, Numbers(mixup=0.8), rng)
        torch.testing.assert_close(found, IMAGES * share + IMAGES.flip(0) * (1 - share))
        assert 0 <= share <= 1


def test_cutmix_lays_a_square_of_the_partner_over_an_image() -> None:
    shares = []
    for rng in rngs():
        found, share = mixed(IMAGES, Numbers(cutmix=1.0), rng)
        own, partners = found == IMAGES, found == IMAGES.flip(0)
        assert (own | partners).all()
        assert own.float().mean().item() == pytest.approx(share)
        shares.append(share)
    assert len(set(shares)) > 20


def test_with_both_either_is_taken_and_the_rest_of_the_batches_stays() -> None:
    numbers = Numbers(mixup=1.0, cutmix=1.0, mix_probability=0.5)
    kinds = {"as it was": 0, "mixup": 0, "cutmix": 0}
    for rng in rngs(200):
        found, share = mixed(IMAGES, numbers, rng)
        if share == 1:
            assert found is IMAGES or torch.equal(found, IMAGES)
            kinds["as it was"] += 1
        else:
            kinds["cutmix" if len(found[0].unique()) == 2 else "mixup"] += 1
    assert kinds["as it was"] == pytest.approx(100, abs=25)
    assert min(kinds.values()) > 20


def test_the_same_numbers_mix_alike_and_none_is_mixed_where_that_is_not_asked_for() -> None:
    (first, share), (again, same) = (mixed(IMAGES, Numbers(cutmix=1.0), random.Random(3)) for _ in range(2))
    assert torch.equal(first, again)
    assert share == same
    assert mixed(IMAGES, Numbers(), random.Random(3)) == (IMAGES, 1.0)
