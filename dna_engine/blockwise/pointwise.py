"""1x1 convolutions that a GPU computes as matrix products where a cell is rated.

cuDNN turns channels_last maps of full precision round and back, and makes a plan for every new shape of a stack, which takes
the host tens of milliseconds; cuBLAS does neither. In training, in bfloat16, the device takes as long for either, and
the host longer for a product and its gradient.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Pointwise(nn.Conv2d):
    """A 1x1 convolution of stride 1; on a CPU, where convolutions are the faster, it is nothing else."""

    def forward(self, x: Tensor) -> Tensor:
        turned = x.is_cuda and x.is_contiguous(memory_format=torch.channels_last)
        return self.product(x) if turned and not torch.is_grad_enabled() else super().forward(x)

    def product(self, x: Tensor) -> Tensor:
        """The same of channels_last maps (B, C, H, W), by a matrix product."""
        return F.linear(x.permute(0, 2, 3, 1), self.weight.flatten(1), self.bias).permute(0, 3, 1, 2)


def make_pointwise(module: nn.Module) -> None:
    """Has every 1x1 convolution in it, of stride 1, one group and no padding, compute so; parameters and their names stay."""
    for part in module.modules():
        if type(part) is not nn.Conv2d:
            continue
        if (part.kernel_size, part.stride, part.padding, part.groups) == ((1, 1), (1, 1), (0, 0), 1):
            part.__class__ = Pointwise
