"""A layer behind the adaptors of its distilled cell as one without them, on the maps of the block before.

Between two blocks stand, in the order of the maps: the exit adaptor of the one before, W_leave and a bias; the entry adaptor of the one
behind, W_enter, and its norm with gamma and the variance of the maps there. But for a constant they are one matrix, from the C channels
that arrive to the nominal ones:

    A = diag(gamma / sqrt(variance + eps)) W_enter W_leave

What becomes of it is a matter of how the layer behind begins:

- With a convolution W over all channels, of 1x1 or k x k: W' = W A. Exact for 1x1, where the norm behind takes the constant away. Of
  k x k it is so within the map, but not at its border: the zeros that stand for what lies outside have no constant.
- With a depthwise convolution, one kernel for each nominal channel, and then a 1x1 one, W: behind A they are a k x k convolution that
  one kernel for each arriving channel cannot express. For each of these the nearest kernel is taken, and for W' the 1x1 convolution
  that comes nearest to what W gives, on the images' maps as the network has them. A squeeze-excite between the two begins anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import Tensor, nn

from dna_engine.blockwise.cell import CellSupernet
from dna_engine.space import Op

#: Images whose maps are summed up at once.
_CHUNK = 16


@dataclass(frozen=True)
class Names:
    """What timm's modules call the parts of a kind of layer.

    Attributes:
        mix: the first convolution over all channels.
        project, norm: the last 1x1, and the norm of the inner channels in front of it; empty where there are none but those that arrive.
        start: the depthwise convolution in front of ``mix``, and ``start_norm`` behind it; empty where there is none.
    """

    mix: str
    project: str = ""
    norm: str = ""
    start: str = ""
    start_norm: str = ""


def names_of(op: Op) -> Names:
    """The names in a layer of this op."""
    match op.kind:
        case "mbconv":
            return Names("conv_pw", "conv_pwl", "bn2")
        case "fused":
            return Names("conv_exp", "conv_pwl", "bn1")
        case "universal":
            names = Names("pw_exp.conv", "pw_proj.conv", "dw_mid.bn" if op.kernel else "pw_exp.bn")
            return replace(names, start="dw_start.conv", start_norm="dw_start.bn") if op.start else names
        case "separable":
            return Names("conv_pw", start="conv_dw", start_norm="bn1")
        case _:
            return Names("conv")


@dataclass(frozen=True)
class Adaptors:
    """The adaptors between two blocks, on images.

    Attributes:
        matrix: A, (nominal, C), in double precision.
        entered: the maps (B, nominal, H, W) behind them.
    """

    matrix: Tensor
    entered: Tensor


def adaptors(before: CellSupernet, cell: CellSupernet, maps: Tensor) -> Adaptors:
    """Those between two cells, on the maps (B, C, H, W) that the first gives, by the statistics of the batch."""
    enter, norm = cast(nn.Sequential, cell.enter)
    assert isinstance(enter, nn.Conv2d)
    assert isinstance(norm, nn.BatchNorm2d)
    leave = cast(nn.Conv2d, before.leave)
    adapted = enter(leave(maps))
    scale = norm.weight * torch.rsqrt(adapted.float().var((0, 2, 3), correction=0) + norm.eps)
    # In double precision: products of matrices would cost what the fold is to be exact to.
    matrix = scale.double()[:, None] * (enter.weight.flatten(1).double() @ leave.weight.flatten(1).double())
    return Adaptors(matrix, norm(adapted))


def fold(op: Op, rated: nn.Module, built: nn.Module, between: Adaptors, arriving: Tensor) -> dict[str, Tensor]:
    """The weights of a rated layer as they are without the adaptors in front of it.

    Where the layer begins with a depthwise convolution, the kernels of the built one are set, and parts that it keeps are left out.

    Args:
        arriving: the maps (B, C, H, W) that the built layer is given, on the images of the adaptors.
    """
    names, weights = names_of(op), {name: tensor.clone() for name, tensor in rated.state_dict().items()}
    mix = f"{names.mix}.weight"
    if not names.start:
        weights[mix] = torch.einsum("onhw,nc->ochw", weights[mix].double(), between.matrix).to(weights[mix].dtype)
        return weights
    kernels = built.get_parameter(f"{names.start}.weight")
    kernels.copy_(_nearest_kernels(names, rated, between).view_as(kernels))
    wanted = _seen(rated.get_submodule(names.mix), lambda: rated(between.entered.clone()))[1]
    given = _seen(built.get_submodule(names.mix), lambda: built(arriving.clone()))[0]
    kept = (names.start, names.start_norm, *(() if names.project else ("se.",)))
    left = {name: tensor for name, tensor in weights.items() if not name.startswith(kept)}
    return left | {mix: _least_squares(given, wanted)[:, :, None, None].to(weights[mix].dtype)}


def _nearest_kernels(names: Names, rated: nn.Module, between: Adaptors) -> Tensor:
    """For each arriving channel a kernel, (C, k * k): the first singular vector of what it is convolved with behind A, over all that the
    1x1 convolution gives, whatever activation stands between.
    """
    start = rated.get_submodule(names.start)
    gain = rated.get_parameter(f"{names.start_norm}.weight") / start(between.entered).float().std((0, 2, 3))
    kernels = gain.double()[:, None] * rated.get_parameter(f"{names.start}.weight").flatten(1).double()
    mix = rated.get_parameter(f"{names.mix}.weight").flatten(1).double()
    whole = torch.einsum("on,nc,nk->cok", mix, between.matrix, kernels)
    nearest = torch.linalg.svd(whole, full_matrices=False).Vh[:, 0]
    mean = between.matrix.T @ kernels
    nearest *= torch.where((nearest * mean).sum(1, keepdim=True) < 0, -1.0, 1.0)  # An activation knows signs.
    return cast(Tensor, nearest)


def _seen(module: nn.Module, run: Callable[[], Tensor]) -> tuple[Tensor, Tensor]:
    """What a module is given and gives while something runs."""
    seen: list[tuple[Tensor, Tensor]] = []
    handle = module.register_forward_hook(lambda _, given, output: seen.append((given[0], output)))
    try:
        run()
    finally:
        handle.remove()
    return seen[0]


def _least_squares(given: Tensor, wanted: Tensor) -> Tensor:
    """The matrix (O, C) that, but for a constant, brings maps (B, C, H, W) nearest to those (B, O, H, W) wanted."""
    count = wanted.numel() // wanted.shape[1]
    means = [maps.mean((0, 2, 3), dtype=torch.float64)[:, None] for maps in (given, wanted)]
    gram = -count * means[0] @ means[0].T
    cross = -count * means[1] @ means[0].T
    for chunks in zip(torch.split(given, _CHUNK), torch.split(wanted, _CHUNK), strict=True):
        x, y = (maps.double().transpose(0, 1).flatten(1) for maps in chunks)
        gram += x @ x.T
        cross += y @ x.T
    return cast(Tensor, cross @ torch.linalg.pinv(gram, hermitian=True))
