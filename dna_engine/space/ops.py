"""The candidate operations of a layer, and the table of those that have names. Torch-free."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from dna_engine.errors import InvalidSpace

#: Characters of the name of an op.
MAX_OP_NAME = 64


@dataclass(frozen=True, kw_only=True)
class Op:
    """One candidate operation of a layer: an MBConv (Sandler et al. 2018, with squeeze-excite), or a skip.

    Attributes:
        kernel: side of the depthwise convolution, odd.
        expansion: inner channels over input channels.
        se_ratio: squeeze-excite channels over the layer's *input* channels; 0 leaves it out.
        skip: the identity; only where stride is 1 and the widths agree.
    """

    name: str
    kernel: int = 3
    expansion: int = 6
    se_ratio: float = 0.25
    skip: bool = False

    def __post_init__(self) -> None:
        whole = type(self.kernel) is int and type(self.expansion) is int
        if not (isinstance(self.name, str) and isinstance(self.skip, bool) and whole):
            raise InvalidSpace(
                "An op has a name, whole numbers for kernel and expansion, and true or false for skip.",
                param="space.ops",
            )
        if not 1 <= len(self.name) <= MAX_OP_NAME:
            raise InvalidSpace(f"The name of an op has 1 to {MAX_OP_NAME} characters.", param="space.ops")
        if type(self.se_ratio) not in (int, float):
            raise InvalidSpace(f"Op {self.name!r}: se_ratio must be a number.", param="space.ops")
        if self.skip:
            return
        if not 1 <= self.kernel <= 15 or self.kernel % 2 == 0:
            raise InvalidSpace(
                f"Op {self.name!r}: the kernel must be odd and at most 15, not {self.kernel}.", param="space.ops"
            )
        if not 1 <= self.expansion <= 16:
            raise InvalidSpace(
                f"Op {self.name!r}: the expansion must be between 1 and 16, not {self.expansion}.", param="space.ops"
            )
        if self.se_ratio and not 0.1 <= self.se_ratio <= 1:  # Below, narrow layers would squeeze to no channel at all.
            raise InvalidSpace(
                f"Op {self.name!r}: se_ratio must be 0 or between 0.1 and 1, not {self.se_ratio}.", param="space.ops"
            )

    def to_json(self) -> str | dict[str, Any]:
        """The op's name when the table has it, otherwise its fields."""
        return self.name if OPS.get(self.name) == self else asdict(self)


def _mbconv(expansion: int, kernel: int) -> Op:
    return Op(name=f"mb{expansion}_{kernel}x{kernel}", kernel=kernel, expansion=expansion)


#: The named ops. A new op is one more row (a kernel, an expansion, a squeeze-excite ratio, or a skip).
OPS: dict[str, Op] = {
    op.name: op
    for op in (
        *(_mbconv(expansion, kernel) for expansion in (6, 3) for kernel in (3, 5, 7)),
        Op(name="skip", skip=True),
    )
}


#: The paper's six ops, in the order in which paths are numbered.
MBCONV_OPS: tuple[Op, ...] = tuple(op for op in OPS.values() if not op.skip)
