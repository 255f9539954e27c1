"""The candidate operations of a layer, and the table of those that have names. Torch-free."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from dna_engine.errors import InvalidSpace
from dna_engine.space.kinds import KINDS, Kind

#: Characters of the name of an op.
MAX_OP_NAME = 64

#: What the fields are that a kind does not have.
WITHOUT: dict[str, int | float] = {"start": 0, "end": 0, "expansion": 1, "se_ratio": 0.0}


@dataclass(frozen=True, kw_only=True)
class Op:
    """One candidate operation of a layer: a layer of one of the kinds of :data:`~dna_engine.space.kinds.KINDS`, or a skip.

    Attributes:
        kernel: side of its convolution, odd: the depthwise one where there is one. 0 leaves it out of a universal layer.
        expansion: inner channels over input channels.
        se_ratio: squeeze-excite channels over the layer's *input* channels; 0 leaves it out.
        skip: the identity; only where stride is 1 and the widths agree.
        kind: mbconv, fused, universal, separable or conv.
        start, end: of a universal layer, sides of the depthwise convolutions in front of its expansion and behind its projection; 0
            leaves them out.
    """

    name: str
    kernel: int = 3
    expansion: int = 6
    se_ratio: float = 0.25
    skip: bool = False
    kind: str = "mbconv"
    start: int = 0
    end: int = 0

    def __post_init__(self) -> None:
        whole = all(type(value) is int for value in (self.kernel, self.expansion, self.start, self.end))
        if not (isinstance(self.name, str) and isinstance(self.skip, bool) and whole):
            raise InvalidSpace(
                "An op has a name, whole numbers for kernel and expansion, and true or false for skip.",
                param="space.ops",
            )
        if not 1 <= len(self.name) <= MAX_OP_NAME:
            raise InvalidSpace(f"The name of an op has 1 to {MAX_OP_NAME} characters.", param="space.ops")
        if type(self.se_ratio) not in (int, float):
            raise InvalidSpace(f"Op {self.name!r}: se_ratio must be a number.", param="space.ops")
        if not isinstance(self.kind, str) or self.kind not in KINDS:
            raise InvalidSpace(
                f"Op {self.name!r}: the kind must be one of {', '.join(KINDS)}, not {self.kind!r}.", param="space.ops"
            )
        for reason in () if self.skip else self._wrong():
            raise InvalidSpace(f"Op {self.name!r}: {reason}", param="space.ops")

    def _wrong(self) -> Iterator[str]:
        """What is wrong with the sizes of its layer."""
        for field, value in WITHOUT.items():
            if field not in self.layer.takes and getattr(self, field) != value:
                yield f"{self.kind} has no {field}; it takes {', '.join(self.layer.takes)}."
        optional = "start" in self.layer.takes
        for side, kernel in (("kernel", self.kernel), ("start", self.start), ("end", self.end)):
            if not (kernel == 0 and (optional or side != "kernel")) and (not 1 <= kernel <= 15 or kernel % 2 == 0):
                yield f"the {side} must be {'0 or ' if optional else ''}odd and at most 15, not {kernel}."
        if not 1 <= self.expansion <= 16:
            yield f"the expansion must be between 1 and 16, not {self.expansion}."
        if self.se_ratio and not 0.1 <= self.se_ratio <= 1:  # Below, narrow layers would squeeze to no channel at all.
            yield f"se_ratio must be 0 or between 0.1 and 1, not {self.se_ratio}."

    @property
    def layer(self) -> Kind:
        """What its layer is built of."""
        return KINDS[self.kind]

    @property
    def strides(self) -> bool:
        """Whether a block can begin with it: a skip changes no shape, and without any kernel nothing can halve the map."""
        return not self.skip and any((self.start, self.kernel, self.end))

    def to_json(self) -> str | dict[str, Any]:
        """The op's name when the table has it, otherwise its fields."""
        if OPS.get(self.name) == self:
            return self.name
        fields = asdict(self)
        if self.kind == "mbconv":
            return {name: fields[name] for name in ("name", "kernel", "expansion", "se_ratio", "skip")}
        return {name: fields[name] for name in ("name", "kind", *self.layer.takes)}


def new_op(name: str, kind: str, **sizes: float) -> Op:
    """An op of a kind: sizes that are not given are the kind's own.

    Raises:
        InvalidSpace: the kind does not exist, or has no such layer.
    """
    known: dict[str, Any] = dict(KINDS[kind].takes) if kind in KINDS else {}
    return Op(name=name, kind=kind, **(WITHOUT | known | sizes))


def _mbconv(expansion: int, kernel: int) -> Op:
    return Op(name=f"mb{expansion}_{kernel}x{kernel}", kernel=kernel, expansion=expansion)


def _fused(expansion: int, kernel: int) -> Op:
    return new_op(f"fused{expansion}_{kernel}x{kernel}", "fused", expansion=expansion, kernel=kernel)


def _universal(name: str, expansion: int, start: int, kernel: int) -> Op:
    """Under the names of the MobileNetV4 paper's variants, with the kernels that they have."""
    sides = "".join(f"_{side}x{side}" for side in (start, kernel) if side)
    return new_op(f"{name}{expansion}{sides}", "universal", expansion=expansion, start=start, kernel=kernel)


#: The paper's six ops, in the order in which paths are numbered.
MBCONV_OPS: tuple[Op, ...] = tuple(_mbconv(expansion, kernel) for expansion in (6, 3) for kernel in (3, 5, 7))

#: The named ops. A new op is one more row: a kind of layer with its kernels, expansion and squeeze-excite ratio.
OPS: dict[str, Op] = {
    op.name: op
    for op in (
        *MBCONV_OPS,
        Op(name="skip", skip=True),
        *(_fused(expansion, kernel) for expansion in (4, 2) for kernel in (3, 5)),
        *(_universal("ib", expansion, 0, kernel) for expansion in (4, 2) for kernel in (3, 5)),
        *(_universal("extradw", 4, start, kernel) for start in (3, 5) for kernel in (3, 5)),
        *(_universal("convnext", 4, start, 0) for start in (3, 5)),
        *(_universal("ffn", expansion, 0, 0) for expansion in (4, 2)),
        *(new_op(f"separable_{kernel}x{kernel}", "separable", kernel=kernel) for kernel in (3, 5)),
        *(new_op(f"conv_{kernel}x{kernel}", "conv", kernel=kernel) for kernel in (1, 3, 5)),
    )
}
