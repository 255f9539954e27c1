"""The catalogue of teachers: which timm models can supervise, and the blocks they are cut into. Torch-free.

``catalogue.json`` is written by ``python -m dna_engine teachers --write`` from the models themselves (``blockwise/stages.py`` finds
the boundaries) and compared with them in the tests; a model that is not in it is refused by name.
"""

from __future__ import annotations

import functools
import itertools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files

from dna_engine.errors import InvalidSpec, TeacherError, UnknownName
from dna_engine.space import SPACES, Block, Cell, Space

#: Side in pixels of the images that the models of the catalogue are made for.
NATIVE_SIZE = 224
#: What they were counted with.
IMAGENET_CLASSES = 1000
#: Maps that are reduced further supervise nothing; what lies behind them costs as at this.
MAX_REDUCTION = 32


@dataclass(frozen=True, kw_only=True)
class TeacherBlock:
    """A stage of a teacher.

    Attributes:
        module: the module whose output is the block's feature map, e.g. ``blocks.2``.
        channels: of the feature map.
        reduction: input side over feature side.
        stride: reduction over the previous block's.
    """

    module: str
    channels: int
    reduction: int
    stride: int


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """A timm model with its blocks; ``params`` counts the whole model at its native number of classes.

    Attributes:
        name: as it was asked for, with a tag (``resnet50.a1_in1k``) or without.
        tags: of the weights that timm has for it, its own choice first; none where it has none.
        cuts: every module after which it can be cut, in the order in which they run, and the reduction of its map. A
            transformer's layers have none of their own, and 0 here: maps are made at the reductions that are asked for.
        flops: multiply-adds of one image of :data:`NATIVE_SIZE`, counted, down to the end of every cut and, as the last, of the
            whole model under the name ``""``.
    """

    name: str
    family: str
    params: int
    tags: tuple[str, ...]
    blocks: tuple[TeacherBlock, ...]
    cuts: Mapping[str, int]
    flops: Mapping[str, int]

    @property
    def names(self) -> tuple[str, ...]:
        """What it may be called to get certain weights, such as ``resnet50.a1_in1k``."""
        return tuple(f"{self.name}.{tag}" for tag in self.tags)

    @property
    def pretrained(self) -> bool:
        """Whether timm has weights for it."""
        return bool(self.tags)

    def classifies(self, boundary: str) -> bool:
        """Whether nothing that multiplies lies behind the boundary but a linear classifier, as far as the counts tell."""
        last = self.blocks[-1]
        behind = self.flops[""] - self.flops[last.module]
        return boundary == last.module and behind <= last.channels * IMAGENET_CLASSES

    @property
    def takes_one_size(self) -> bool:
        """Whether images must have :data:`NATIVE_SIZE`, as for a transformer, which knows every place in them."""
        return not any(self.cuts.values())


@functools.cache
def catalogue() -> dict[str, Teacher]:
    """Every usable teacher by name."""
    rows = json.loads(files("dna_engine").joinpath("catalogue.json").read_text())
    return {
        row["name"]: Teacher(
            name=row["name"],
            family=row["family"],
            params=row["params"],
            tags=tuple(row["tags"]),
            blocks=tuple(TeacherBlock(**block) for block in row["blocks"]),
            cuts=row["cuts"],
            flops=row["flops"],
        )
        for row in rows
    }


def get_teacher(name: str) -> Teacher:
    """A teacher of the catalogue, where the name has a tag too: ``resnet50.a1_in1k`` is the ResNet-50 with those weights.

    Raises:
        UnknownName: it is not there, or timm has no weights of that tag; the message names near ones.
    """
    model, dot, tag = name.partition(".")
    if model not in catalogue():
        raise UnknownName("teacher", name, catalogue(), param="teacher.model")
    teacher = catalogue()[model]
    if dot and tag not in teacher.tags:
        raise UnknownName("weights", name, teacher.names, param="teacher.model")
    return replace(teacher, name=name)


def is_known(name: str) -> bool:
    """Whether the catalogue has the model of that name, whatever its tag; specs of older versions may name others."""
    return name.partition(".")[0] in catalogue()


def check_weights(teacher: Teacher, weights: str) -> None:
    """Looks whether timm has the weights that are asked for.

    Raises:
        TeacherError: it has none for this model.
    """
    if weights in ("pretrained", "finetune") and not teacher.pretrained:
        raise TeacherError(
            f"timm has no weights for {teacher.name}: ask for weights train, or for another teacher.",
            param="teacher.weights",
        )


def align(teacher: Teacher, space: Space) -> list[str]:
    """The teacher's boundaries, one for each block of the space, whose reductions agree.

    Where more boundaries fit than are needed, the deepest of each reduction are taken, so that a block of the student
    ends where the teacher's resolution ends.

    Raises:
        TeacherError: the teacher has no such boundaries; the message gives both lists of reductions.
    """
    chosen: list[str] = []
    for reduction, group in itertools.groupby(space.reductions):
        wanted = len(list(group))
        offered = [block.module for block in teacher.blocks if block.reduction == reduction]
        if len(offered) < wanted:
            raise TeacherError(
                f"{teacher.name} cannot supervise {space.name}: the blocks of the space end at reductions "
                f"{space.reductions}, the teacher's at {[block.reduction for block in teacher.blocks]}. Take another "
                "teacher, or a space with the teacher's reductions.",
                param="teacher.model",
            )
        chosen += offered[-wanted:]
    return chosen


def check_boundaries(teacher: Teacher, space: Space, boundaries: Sequence[str]) -> None:
    """Looks whether the teacher can be cut after these modules, and its maps are as large as the space's.

    Raises:
        InvalidSpec: there are more or fewer than blocks.
        UnknownName: the teacher cannot be cut there.
        TeacherError: they are not in order, one lies in another, or their reductions are not the space's.
    """
    param = "teacher.boundaries"
    if len(boundaries) != len(space.blocks):
        raise InvalidSpec(
            f"The space has {len(space.blocks)} blocks, {len(boundaries)} teacher boundaries were given.", param=param
        )
    if unknown := [boundary for boundary in boundaries if boundary not in teacher.cuts]:
        raise UnknownName("boundary of " + teacher.name, unknown[0], teacher.cuts, param=param)
    places = [list(teacher.cuts).index(boundary) for boundary in boundaries]
    if any(before >= after for before, after in itertools.pairwise(places)) or any(
        inner.startswith(f"{outer}.") for inner, outer in itertools.pairwise(boundaries)
    ):
        raise TeacherError("Boundaries are given from the first to the last, and none inside another.", param=param)
    reductions = [teacher.cuts[boundary] for boundary in boundaries]
    if any(reductions) and reductions != space.reductions:
        raise TeacherError(
            f"The blocks of the space end at reductions {space.reductions}, these boundaries of {teacher.name} at {reductions}.",
            param=param,
        )


def check_size(teacher: Teacher, input_size: int) -> None:
    """Looks whether the teacher takes images of that size, as far as that is known without building it.

    Raises:
        TeacherError: it is a transformer, made for one size.
    """
    if teacher.takes_one_size and input_size != NATIVE_SIZE:
        raise TeacherError(
            f"{teacher.name} takes images of {NATIVE_SIZE} pixels, not {input_size}: give it teacher.input_size {NATIVE_SIZE}, for which "
            "images are resampled, or ask for another teacher.",
            param="teacher.input_size",
        )


#: Down to this share of the teacher's channels, ratings of a cell's paths were seen to repeat (docs/benchmarks.md, widths).
NARROW = 1 / 16

#: Widths behind each reduction of a space derived from a teacher, those of EfficientNet-B0, where the teacher allows them.
_DERIVED_WIDTHS = {4: (24, 32), 8: (40, 48), 16: (80, 96, 112), 32: (192, 256, 320)}


def enough_width(channels: int) -> int:
    """The narrowest cell, a multiple of 8, that is not warned of behind a teacher's map of so many channels."""
    return 8 * math.ceil(channels * NARROW / 8)


def default_space(teacher: Teacher) -> Space:
    """A space with one block for each block of the teacher, at its reductions.

    The paper's teacher gives the paper's space. Others get two cells a block, of three and four layers, as wide as
    EfficientNet-B0 at the same reduction, but nowhere narrower than :data:`NARROW` of the teacher's channels.

    Raises:
        TeacherError: the teacher has no block at a reduction of 4 to 32.
    """
    paper = SPACES["dna-mbconv"]
    usable = [block for block in teacher.blocks if block.reduction in _DERIVED_WIDTHS]
    if [block.reduction for block in usable] == paper.reductions:
        return paper
    if not usable:
        raise TeacherError(f"{teacher.name} has no feature map at a reduction of 4 to 32.", param="teacher.model")
    blocks = []
    before = 2
    for reduction, group in itertools.groupby(usable, key=lambda block: block.reduction):
        for place, block in enumerate(group):
            known = _DERIVED_WIDTHS[reduction]
            width = max(known[min(place, len(known) - 1)], enough_width(block.channels))
            stride = max(1, reduction // before)
            blocks.append(Block(stride=stride, cells=(Cell(depth=3, width=width), Cell(depth=4, width=width))))
            before = reduction
    return Space(name=f"derived from {teacher.name}", blocks=tuple(blocks), first_layer="nominal")
