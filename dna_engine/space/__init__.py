"""What may be searched: ops, cells, blocks, the spaces of them, and what any network of a space costs. Torch-free."""

from dna_engine.space.space import (
    MAX_BLOCKS,
    MAX_PATHS,
    MBCONV_OPS,
    OPS,
    SPACES,
    Block,
    Cell,
    CellRef,
    Op,
    Space,
    get_space,
    parse_op,
    parse_space,
)

__all__ = [
    "MAX_BLOCKS",
    "MAX_PATHS",
    "MBCONV_OPS",
    "OPS",
    "SPACES",
    "Block",
    "Cell",
    "CellRef",
    "Op",
    "Space",
    "get_space",
    "parse_op",
    "parse_space",
]
