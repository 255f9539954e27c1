"""1x1 convolutions as matrix products are the same convolutions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

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


class Kernels(TorchDispatchMode):
    """Which are asked for."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.names: set[str] = set()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        self.names.add(func.name())
        return func(*args, **(kwargs or {}))


def kernels(device: str, layout: torch.memory_format, guard: Callable[[], Any]) -> set[str]:
    """Those of a convolution; tensors have shapes and a device only, so a GPU is not needed."""
    with FakeTensorMode():
        conv = Pointwise(12, 20, 1, device=device)
        x = torch.empty(5, 12, 7, 7, device=device).contiguous(memory_format=layout)
        with guard(), Kernels() as asked:
            assert conv(x).is_contiguous(memory_format=layout)
        return asked.names


def test_a_gpu_that_rates_has_products_and_nothing_else_does() -> None:
    product = kernels("cuda", torch.channels_last, torch.no_grad)
    assert "aten::addmm" in product
    assert not product & {"aten::convolution", "aten::clone"}  # Nothing is turned round either.
    for device, layout, guard in (
        ("cpu", torch.channels_last, torch.no_grad),
        ("cuda", torch.contiguous_format, torch.no_grad),
        ("cuda", torch.channels_last, torch.enable_grad),
    ):
        others = kernels(device, layout, guard)
        assert "aten::convolution" in others
        assert "aten::addmm" not in others


def test_only_lone_1x1_convolutions_of_stride_1_become_products() -> None:
    lone, *others = (
        nn.Conv2d(8, 8, 1),
        nn.Conv2d(8, 8, 1, stride=2),
        nn.Conv2d(8, 8, 1, groups=2),
        nn.Conv2d(8, 8, 1, padding=1),
        nn.Conv2d(8, 8, 3),
    )
    net = nn.Sequential(lone, nn.Sequential(*others))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    make_pointwise(net)
    assert type(lone) is Pointwise
    assert {type(part) for part in others} == {nn.Conv2d}
    after = net.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], before[name]) for name in before)
