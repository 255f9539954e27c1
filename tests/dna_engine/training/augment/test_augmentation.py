"""What is done to a batch: what was asked for, image by image, the same whenever it is drawn by the same numbers."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from dna_engine.images.pictures.pixels import MEAN, STD
from dna_engine.recipes import Numbers
from dna_engine.runtime.seeds import stream
from dna_engine.training.augment.augmentation import NOTHING, Augmentation
from dna_engine.training.augment.draws import Draws
from dna_engine.training.augment.policies import AutoAugment, RandAugment

IMAGES = torch.randint(256, (64, 3, 20, 20), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))

EACH = {
    "randaugment": Numbers(randaugment=9.0),
    "autoaugment": Numbers(autoaugment=True),
    "color_jitter": Numbers(color_jitter=0.4),
    "random_erasing": Numbers(random_erasing=0.5),
}


def augmented(numbers: Numbers, *key: int) -> Tensor:
    return Augmentation.of(numbers)(IMAGES, Draws(stream(*key), len(IMAGES)))


@pytest.mark.parametrize("numbers", EACH.values(), ids=EACH)
def test_what_is_drawn_again_is_the_same_and_other_numbers_draw_another(numbers: Numbers) -> None:
    before = IMAGES.clone()
    first = augmented(numbers, 1)
    assert torch.equal(first, augmented(numbers, 1))
    assert not torch.equal(first, augmented(numbers, 2))
    assert torch.equal(IMAGES, before), "the images that are held stay as they are"
    changed = (first != IMAGES).flatten(1).any(1)
    assert changed.any()


def test_nothing_is_done_where_nothing_is_asked_for() -> None:
    assert Augmentation.of(Numbers()) == NOTHING
    assert NOTHING(IMAGES, Draws(stream(0), len(IMAGES))) is IMAGES


def test_policies() -> None:
    assert Augmentation.of(Numbers(randaugment=7.0, randaugment_layers=3)).policy == RandAugment(7.0, 3)
    assert Augmentation.of(Numbers(autoaugment=True)).policy == AutoAugment()


def test_randaugment_makes_half_of_its_changes_with_magnitudes_around_the_one_asked_for() -> None:
    layers = RandAugment(6.0, 2).draw(Draws(stream(0), 4_000))
    assert len(layers) == 2
    for drawn in layers:
        made = drawn.numbers[drawn.numbers >= 0]
        assert len(made) / 4_000 == pytest.approx(0.5, abs=0.05)
        assert set(made.tolist()) == set(range(15))
        assert drawn.shares.mean().item() == pytest.approx(0.6, abs=0.01)
        assert drawn.shares.std().item() == pytest.approx(0.05, abs=0.01)
        assert set(drawn.signs.tolist()) == {-1.0, 1.0}


def test_autoaugment_draws_its_pairs_evenly() -> None:
    first, _ = AutoAugment().draw(Draws(stream(0), 5_000))
    equalized = (first.numbers == AutoAugment().names.index("Equalize")).float().mean().item()
    # Of the 25 pairs of timm's v0, five begin with Equalize: by 0.8, 0.4, 1.0, 0.8 and 1.0.
    assert equalized == pytest.approx((0.8 + 0.4 + 1.0 + 0.8 + 1.0) / 25, abs=0.02)


def test_so_many_images_lose_a_box_as_was_asked_for() -> None:
    plain = torch.zeros(1_000, 3, 20, 20, dtype=torch.uint8)
    erased = Augmentation.of(Numbers(random_erasing=0.3))(plain, Draws(stream(0), 1_000))
    boxes = (erased != 0).any(1)
    assert boxes.flatten(1).any(1).float().mean().item() == pytest.approx(0.3, abs=0.05)
    for box in boxes[boxes.flatten(1).any(1)]:
        rows, columns = box.any(1), box.any(0)
        assert torch.equal(box, rows[:, None] & columns), "one box"
        assert 0.01 <= box.float().mean().item() <= 0.4
    noise = erased.permute(0, 2, 3, 1)[boxes] / 255
    torch.testing.assert_close(noise.mean(0), torch.tensor(MEAN), atol=0.05, rtol=0)
    torch.testing.assert_close(noise.std(0), torch.tensor(STD), atol=0.05, rtol=0)


def test_jitter_keeps_to_its_strength() -> None:
    grey = torch.full((500, 3, 4, 4), 100, dtype=torch.uint8)
    found = Augmentation.of(Numbers(color_jitter=0.2))(grey, Draws(stream(0), 500)).float()
    assert 78 <= found.min() < 85
    assert 115 < found.max() <= 122
