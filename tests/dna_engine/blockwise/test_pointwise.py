"""1x1 convolutions as matrix products are the same convolutions."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from dna_engine.blockwise.pointwise import Pointwise, make_pointwise


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("side", [1, 7])
def test_a_product_is_the_convolution(bias: bool, side: int) -> None:
    torch.manual_seed(0)
    conv = Pointwise(12, 20, 1, bias=bias).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    x = torch.randn(5, 12, side, side).contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        torch.testing.assert_close(conv.product(x), conv(x), rtol=1e-5, atol=1e-6)
        assert conv.product(x).is_contiguous(memory_format=torch.channels_last)


def test_only_lone_1x1_convolutions_of_stride_1_become_products() -> None:
    lone, strided, grouped, wide = (
        nn.Conv2d(8, 8, 1),
        nn.Conv2d(8, 8, 1, stride=2),
        nn.Conv2d(8, 8, 1, groups=2),
        nn.Conv2d(8, 8, 3),
    )
    net = nn.Sequential(lone, nn.Sequential(strided, grouped), wide)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    make_pointwise(net)
    assert [type(part) for part in (lone, strided, grouped, wide)] == [Pointwise, nn.Conv2d, nn.Conv2d, nn.Conv2d]
    after = net.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], before[name]) for name in before)
