"""Where a timm model may be cut: its stage ends, what their maps are, and what it computes up to there.

timm's own ``feature_info`` names only the last stage of each resolution; the stages between (an EfficientNet has two pairs that share
one) are found beside those it names. A transformer keeps one resolution throughout: its cuts are the quarters of its depth.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from dna_engine.catalogue import MAX_REDUCTION, NATIVE_SIZE, TeacherBlock
from dna_engine.errors import TeacherError

#: Blocks that keep more resolution than this are left to the student's stem.
MIN_REDUCTION = 4


#: Reductions to which the token maps of a transformer are resampled, one for each quarter of its depth.
TOKEN_REDUCTIONS = (4, 8, 16, 32)


def find_blocks(model: nn.Module) -> tuple[TeacherBlock, ...]:
    """The blocks of a timm model, from its structure and one pass over shapes (no arithmetic is done).

    Raises:
        TeacherError: the model has no stages that this way finds.
    """
    if keeps_resolution(model):
        return _token_blocks(model)
    modules = _stage_ends(model)
    size = NATIVE_SIZE
    blocks: list[TeacherBlock] = []
    before = 1
    for module, shape in output_shapes(model, modules, size).items():
        if len(shape) != 4 or size // shape[-1] < MIN_REDUCTION:
            continue
        reduction = round(size / shape[-1])
        blocks.append(
            TeacherBlock(module=module, channels=shape[1], reduction=reduction, stride=max(1, reduction // before))
        )
        before = reduction
    if not blocks:
        raise TeacherError(f"{type(model).__name__} has no stages that give feature maps.", param="teacher.model")
    return tuple(blocks)


def find_cuts(model: nn.Module) -> dict[str, int]:
    """Every module after which :func:`cut` can cut a timm model, in order, with the reduction of its map; see :class:`Teacher`."""
    if keeps_resolution(model):
        return {stage["module"]: 0 for stage in feature_info_of(model)}
    size = NATIVE_SIZE
    shapes = output_shapes(model, list(_opened(model)), size)
    maps = {module: round(size / shape[-1]) for module, shape in shapes.items() if len(shape) == 4}
    return {module: reduction for module, reduction in maps.items() if MIN_REDUCTION <= reduction <= MAX_REDUCTION}


def _opened(module: nn.Module, prefix: str = "") -> Iterator[str]:
    """Paths of the modules in the order in which they end; of a stack its layers too, before itself."""
    for name, child in module.named_children():
        if isinstance(child, nn.Sequential):
            yield from _opened(child, f"{prefix}{name}.")
        yield prefix + name


def feature_info_of(model: nn.Module) -> list[dict[str, Any]]:
    if not hasattr(model, "feature_info"):
        raise TeacherError(f"{type(model).__name__} does not say where its stages end.", param="teacher.model")
    info: Any = model.feature_info
    return list(info)


def keeps_resolution(model: nn.Module) -> bool:
    """Whether the model is a transformer whose tokens keep one resolution from the first layer to the last."""
    info = feature_info_of(model)
    return len(info) > len(TOKEN_REDUCTIONS) and len({stage["reduction"] for stage in info}) == 1


def _token_blocks(model: nn.Module) -> tuple[TeacherBlock, ...]:
    info = feature_info_of(model)
    quarters = range(1, len(TOKEN_REDUCTIONS) + 1)
    ends = [info[len(info) * quarter // len(TOKEN_REDUCTIONS) - 1] for quarter in quarters]
    return tuple(
        TeacherBlock(module=end["module"], channels=end["num_chs"], reduction=reduction, stride=reduction // before)
        for end, reduction, before in zip(ends, TOKEN_REDUCTIONS, (1, *TOKEN_REDUCTIONS[:-1]), strict=True)
    )


def _stage_ends(model: nn.Module) -> list[str]:
    """The stages that timm names, and the numbered stacks of layers that stand beside them in the same container."""
    named = [stage["module"] for stage in feature_info_of(model)]
    parent = Counter(name.rpartition(".")[0] for name in named).most_common(1)[0][0]
    ends = []
    for name, child in model.get_submodule(parent).named_children():
        path = f"{parent}.{name}" if parent else name
        if path in named or (name.isdigit() and isinstance(child, nn.Sequential)):
            ends.append(path)
    return ends


def count_flops(model: nn.Module, modules: Sequence[str]) -> dict[str, int]:
    """Multiply-adds of one image of the native size down to the end of each module, and of the whole model under ``""``."""
    flops: dict[str, int] = {}
    with FlopCounterMode(display=False) as counter:

        def count(path: str, _output: Any) -> None:
            flops[path] = counter.get_total_flops() // 2

        _pass_shapes(model, modules, NATIVE_SIZE, count)
    return {path: flops[path] for path in modules} | {"": counter.get_total_flops() // 2}


def output_shapes(model: nn.Module, modules: Sequence[str], size: int) -> dict[str, torch.Size]:
    """Output shape of each module for one image of ``size``."""
    shapes: dict[str, torch.Size] = {}

    def record(path: str, output: Any) -> None:
        if isinstance(output, Tensor):
            shapes[path] = output.shape

    _pass_shapes(model, modules, size, record)
    return {path: shapes[path] for path in modules if path in shapes}


def _pass_shapes(model: nn.Module, modules: Sequence[str], size: int, ended: Callable[[str, Any], None]) -> None:
    """One image through the model on shapes alone; ``ended`` is told the path and the output of each module."""

    def hook(path: str) -> Any:
        return lambda _module, _inputs, output: ended(path, output)

    handles = [model.get_submodule(path).register_forward_hook(hook(path)) for path in modules]
    state = {name: tensor.to("meta") for name, tensor in [*model.named_parameters(), *model.named_buffers()]}
    training = model.training
    try:
        torch.func.functional_call(model.eval(), state, (torch.empty(1, 3, size, size, device="meta"),))
    finally:
        model.train(training)
        for handle in handles:
            handle.remove()
