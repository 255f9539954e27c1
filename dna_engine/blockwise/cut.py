"""A model cut into blocks: its maps at every boundary, from one pass.

Token maps of a transformer are resampled to reductions 4, 8, 16 and 32, so that a student that shrinks its maps can follow; the maps of
any model that sees the images at another size than the student are resampled to the student's sides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from dna_engine.blockwise.cell import check_sides
from dna_engine.blockwise.stages import TOKEN_REDUCTIONS, feature_info_of, find_blocks, keeps_resolution, output_shapes
from dna_engine.catalogue import NATIVE_SIZE
from dna_engine.errors import TeacherError
from dna_engine.spec import ResolvedSpec


class Chain(nn.Module):
    """A model whose modules run one after another, cut after each boundary; what lies behind the last one is dropped.

    Args:
        sides: that the maps are resampled to, one for each boundary; None leaves them as they come.
    """

    def __init__(self, model: nn.Module, boundaries: Sequence[str], sides: Sequence[int] | None = None) -> None:
        super().__init__()
        self.segments = nn.ModuleList(nn.Sequential(*segment) for segment in _cut(model, boundaries))
        self.depth, self.sides = len(boundaries), sides

    def forward(self, images: Tensor, depth: int) -> list[Tensor]:
        """Maps after boundaries 1 to ``depth``."""
        maps = []
        x = images
        for segment in self.segments[:depth]:
            x = segment(x)
            maps.append(x)
        if self.sides is None:
            return maps
        return [_resampled(map_, side) for map_, side in zip(maps, self.sides, strict=False)]


def _cut(model: nn.Module, boundaries: Sequence[str]) -> list[list[nn.Module]]:
    segments: list[list[nn.Module]] = []
    current: list[nn.Module] = []
    waiting = list(boundaries)
    for path, module in _in_order(model, boundaries):
        current.append(module)
        if path == waiting[0]:
            segments.append(current)
            current = []
            waiting.pop(0)
        if not waiting:
            return segments
    raise TeacherError(
        f"{type(model).__name__} cannot be cut after {waiting[0]!r}: a boundary is a module that runs in sequence, and "
        f"boundaries are given from the first to the last. Its stages end at "
        f"{', '.join(block.module for block in find_blocks(model))}.",
        param="teacher.boundaries",
    )


def _in_order(module: nn.Module, boundaries: Sequence[str], prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    """The modules in the order in which they run; a stack that holds a boundary is opened."""
    for name, child in module.named_children():
        path = prefix + name
        if isinstance(child, nn.Sequential) and any(boundary.startswith(path + ".") for boundary in boundaries):
            yield from _in_order(child, boundaries, path + ".")
        else:
            yield path, child


class Tokens(nn.Module):
    """A transformer cut after some of its layers; tokens become maps, class and register tokens are dropped.

    Args:
        sides: that the maps are resampled to, one for each boundary; None for those of reductions 4, 8, 16, 32.
    """

    def __init__(self, model: nn.Module, boundaries: Sequence[str], sides: Sequence[int] | None = None) -> None:
        super().__init__()
        offered = [stage["module"] for stage in feature_info_of(model)]
        layers = [offered.index(boundary) if boundary in offered else -1 for boundary in boundaries]
        if min(layers) < 0 or layers != sorted(layers) or len(layers) > len(TOKEN_REDUCTIONS):
            raise TeacherError(
                f"{type(model).__name__} cannot be cut after {', '.join(boundaries)}: name up to "
                f"{len(TOKEN_REDUCTIONS)} of {offered[0]} to {offered[-1]}, in order.",
                param="teacher.boundaries",
            )
        self.model, self.layers, self.depth, self.sides = model, layers, len(layers), sides

    def forward(self, images: Tensor, depth: int) -> list[Tensor]:
        """Maps after boundaries 1 to ``depth``."""
        maps = self.model.forward_intermediates(  # type: ignore[operator]
            images, indices=self.layers[:depth], stop_early=True, intermediates_only=True, output_fmt="NCHW"
        )
        sides = self.sides or [-(-images.shape[-1] // reduction) for reduction in TOKEN_REDUCTIONS]
        return [_resampled(tokens, side) for tokens, side in zip(maps, sides, strict=False)]


def _resampled(map_: Tensor, side: int) -> Tensor:
    """A map (B, C, H, H) with another side: means of what falls together, bilinear where it grows."""
    if side < map_.shape[-1]:
        return F.adaptive_avg_pool2d(map_, side)
    return F.interpolate(map_, size=(side, side), mode="bilinear", align_corners=False)


def cut(model: nn.Module, boundaries: Sequence[str], sides: Sequence[int] | None = None) -> Chain | Tokens:
    """The model in parts, itself unchanged.

    Args:
        sides: that the maps are resampled to, one for each boundary; by default what the model gives for the images.

    Raises:
        TeacherError: it does not have those boundaries.
    """
    parts = Tokens if keeps_resolution(model) else Chain
    return parts(model, boundaries, sides)


def check(model: nn.Module, spec: ResolvedSpec) -> None:
    """Looks, on shapes alone, whether the model can supervise the search: be cut as it says, take images of its size, and end
    each block at the resolution of the space.

    Raises:
        TeacherError: it cannot.
    """
    boundaries, size = spec.teacher.boundaries, spec.teacher_size
    cut(model, boundaries)
    try:
        shapes = output_shapes(model, boundaries, size)
    except (AssertionError, RuntimeError) as error:  # A transformer of another size; maps that shrank to nothing.
        raise TeacherError(
            f"{spec.teacher.model} cannot take images of {size} pixels ({error}). Give it {NATIVE_SIZE} as teacher.input_size, or "
            "ask for another teacher.",
            param="teacher.input_size",
        ) from error
    if size == spec.input_size and not keeps_resolution(model):
        check_sides(spec, [shapes[boundary][-1] for boundary in boundaries])
