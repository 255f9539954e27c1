"""One layer of a network as built. Torch-free."""

from __future__ import annotations

from dataclasses import dataclass

from dna_engine.space.ops import Op


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A layer of some kind, or a skip, with the maps that it works on.

    Attributes:
        nominal: channels that expansion and squeeze-excite count from, where these are not the ``in_width`` that arrive. Kinds without
            an expansion work on what arrives.
        in_size: side of its input map in pixels.
    """

    op: Op
    in_width: int
    out_width: int
    stride: int
    in_size: int
    nominal: int | None = None

    @property
    def expansion(self) -> float:
        """Inner channels over those that arrive."""
        return self._of_arriving(self.op.expansion)

    @property
    def se_ratio(self) -> float:
        """Squeeze-excite channels over those that arrive."""
        return self._of_arriving(self.op.se_ratio)

    @property
    def inner(self) -> int:
        """Channels that squeeze-excite weighs, behind the expansion."""
        return (self.in_width if self._nominal is None else self._nominal) * self.op.expansion

    @property
    def squeezed(self) -> int:
        """Channels that squeeze-excite squeezes to, as timm rounds them; 0 where there is none."""
        return round(self.inner * (self.se_ratio / self.expansion)) if self.op.se_ratio else 0

    @property
    def _nominal(self) -> int | None:
        return self.nominal if self.op.layer.expands else None

    def _of_arriving(self, ratio: float) -> float:
        return ratio if self._nominal is None else ratio * self._nominal / self.in_width
