"""The spaces that have names. Torch-free."""

from __future__ import annotations

from dna_engine.errors import UnknownName
from dna_engine.space.space import Block, Cell, Space


def _block(stride: int, *cells: tuple[int, int]) -> Block:
    return Block(stride=stride, cells=tuple(Cell(depth=depth, width=width) for depth, width in cells))


#: The named spaces. ``dna-mbconv`` is the paper's (Li et al. 2020, table 1), ``-single`` its one-cell form.
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
