"""Changes of shape and colour: of a whole batch what timm does to one picture."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from timm.data.auto_augment import LEVEL_TO_ARG, NAME_TO_OP
from torch import Tensor

from dna_engine.images.pictures.pixels import MEAN
from dna_engine.training.augment.policies import CHANGES

SIDE = 33
SHARES = torch.tensor([0.3, 0.5, 0.9])
SHAPES = ("Rotate", "ShearX", "ShearY", "TranslateXRel", "TranslateYRel")


def pictures(*, rough: bool) -> Tensor:
    """Of no symmetry; smooth where resampling is not to matter."""
    along = torch.linspace(0, 1, SIDE)
    planes = [along[:, None] * 150 + 40 + 0 * along, along * 90 + 60 + 0 * along[:, None], along[:, None] * along * 200]
    images = torch.stack([torch.stack(planes).roll(shift, 0) for shift in range(3)])
    images[:, :, ::3, ::2] += 30 * rough
    return images.to(torch.uint8)


def by_timm(name: str, picture: Tensor, share: float) -> Tensor:
    level = LEVEL_TO_ARG[name]
    how = {"fillcolor": tuple(round(255 * mean) for mean in MEAN), "resample": Image.Resampling.BILINEAR}
    arguments = () if level is None else level(10 * share, {"translate_pct": 0.45})
    changed = NAME_TO_OP[name](Image.fromarray(picture.permute(1, 2, 0).numpy()), *arguments, **how)
    return torch.from_numpy(np.array(changed)).permute(2, 0, 1)


@pytest.mark.parametrize("name", CHANGES)
def test_each_image_is_changed_as_timm_changes_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("timm.data.auto_augment._randomly_negate", lambda level: level)
    images = pictures(rough=name not in SHAPES)
    found = CHANGES[name].apply(images, CHANGES[name].amount(SHARES, torch.ones(3)))
    assert found.dtype == torch.uint8
    assert not torch.equal(found, images)
    # timm shears from the corner, and so sends the middle elsewhere.
    inner = slice(8, -8)
    for image, picture, share in zip(found, images, SHARES.tolist(), strict=True):
        expected = by_timm(name, picture, share)
        if name.startswith("Shear"):
            assert (image[:, 16, 16].float() - picture[:, 16, 16].float()).abs().max() <= 2
        else:
            apart = (image.float() - expected.float()).abs()[:, inner, inner]
            assert apart.quantile(0.9) <= 3, (name, share)


def test_an_image_moves_the_other_way_by_the_other_sign() -> None:
    images = pictures(rough=False)
    for name in SHAPES:
        there, back = (
            CHANGES[name].apply(images, CHANGES[name].amount(SHARES, sign * torch.ones(3))) for sign in (1, -1)
        )
        assert not torch.equal(there, back)


def test_what_comes_from_beyond_the_border_is_of_the_mean_colour() -> None:
    moved = CHANGES["TranslateXRel"].apply(torch.zeros(1, 3, 20, 20, dtype=torch.uint8), torch.tensor([0.5]))
    torch.testing.assert_close(
        moved[0, :, 0, -1], torch.tensor([round(255 * mean) for mean in MEAN], dtype=torch.uint8)
    )
    assert not moved[0, :, :, :9].any()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", CHANGES)
def test_a_gpu_changes_images_as_a_cpu_does(name: str) -> None:
    images, amounts = pictures(rough=True), CHANGES[name].amount(SHARES, torch.ones(3))
    found = CHANGES[name].apply(images.to("cuda"), amounts.to("cuda")).cpu()
    assert (found.float() - CHANGES[name].apply(images, amounts).float()).abs().quantile(0.99) <= 1
