"""The spaces that have names. Torch-free."""

from __future__ import annotations

from dna_engine.errors import UnknownName
from dna_engine.space.ops import OPS, Op
from dna_engine.space.space import Block, Cell, Space


def _block(stride: int, *cells: tuple[int, int]) -> Block:
    return Block(stride=stride, cells=tuple(Cell(depth=depth, width=width) for depth, width in cells))


def _ops(names: str) -> tuple[Op, ...]:
    return tuple(OPS[name] for name in names.split())


#: The named spaces. ``dna-mbconv`` is the paper's (Li et al. 2020, table 1), ``-single`` its one-cell form. ``mbconv-small`` and
#: ``fused-small`` (with layers of EfficientNetV2, Tan and Le 2021) are for small images; ``mobilenetv4`` has the layers, and widths
#: between those of the small and the medium network, of Qin et al. 2024, as far as timm's EfficientNet has them: no second layer behind
#: the pooling, and no attention.
SPACES: dict[str, Space] = {
    space.name: space
    for space in (
        Space(
            name="dna-mbconv",
            blocks=(
                _block(2, (2, 24), (3, 24), (2, 32)),
                _block(2, (2, 40), (3, 40), (4, 40)),
                _block(2, (2, 80), (3, 80), (4, 80)),
                _block(1, (3, 112), (4, 112), (4, 96)),
                _block(2, (4, 192), (5, 192), (5, 160)),
                _block(1, (1, 320)),
            ),
        ),
        Space(
            name="dna-mbconv-single",
            blocks=(
                _block(2, (2, 24)),
                _block(2, (4, 40)),
                _block(2, (4, 80)),
                _block(1, (4, 112)),
                _block(2, (4, 192)),
                _block(1, (1, 320)),
            ),
        ),
        Space(
            name="mbconv-small",
            blocks=(
                _block(2, (2, 24), (2, 32)),
                _block(2, (2, 48), (3, 48)),
                _block(2, (2, 96), (3, 96)),
            ),
            stem_width=16,
            first_width=16,
            head_width=384,
        ),
        Space(
            name="fused-small",
            blocks=(
                _block(2, (2, 24), (2, 32)),
                _block(2, (2, 48), (3, 48)),
                _block(2, (2, 96), (3, 96)),
            ),
            ops=_ops("conv_3x3 fused2_3x3 fused4_3x3 separable_3x3 mb3_3x3 mb6_3x3"),
            stem_width=16,
            first_stage=OPS["conv_3x3"],
            first_width=16,
            head_width=384,
            first_layer="nominal",
        ),
        Space(
            name="mobilenetv4",
            blocks=(
                _block(2, (2, 32), (1, 48), (2, 48)),
                _block(2, (2, 64), (2, 80), (3, 80)),
                _block(2, (4, 96), (5, 96), (4, 160)),
                _block(2, (4, 128), (5, 128), (4, 256)),
            ),
            ops=_ops("fused4_3x3 ib4_3x3 extradw4_3x3_5x5 extradw4_5x5_5x5 convnext4_3x3 convnext4_5x5 ffn4"),
            stem_width=32,
            first_stage=None,
            first_width=32,
            head_width=960,
            activation="relu",
            first_layer="nominal",
        ),
    )
}


def get_space(name: str) -> Space:
    """A preset by name.

    Raises:
        UnknownName: there is no such preset.
    """
    if name not in SPACES:
        raise UnknownName("space", name, SPACES, param="space")
    return SPACES[name]
