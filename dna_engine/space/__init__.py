"""What may be searched: ops, cells, blocks, the spaces of them, and what any network of a space costs. Torch-free."""

from dna_engine.space.ops import MBCONV_OPS, OPS, Op
from dna_engine.space.parse import parse_op, parse_space
from dna_engine.space.presets import SPACES, get_space
from dna_engine.space.space import MAX_BLOCKS, MAX_PATHS, Block, Cell, CellRef, Space

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
