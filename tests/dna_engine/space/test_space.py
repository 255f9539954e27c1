"""Spaces: what they count, how they are written, what is refused."""

from __future__ import annotations

import itertools

import pytest

from dna_engine.catalogue import align, get_teacher
from dna_engine.errors import InvalidSpace
from dna_engine.space import MAX_PATHS, MBCONV_OPS, OPS, Block, Cell, CellRef, get_space, parse_space
from dna_engine.space.cost import cost_range
from tests.dna_engine.space.explicit import EXPLICIT


def test_the_papers_space_is_counted_exactly() -> None:
    space = get_space("dna-mbconv")
    assert space.paths_per_block == [288, 1548, 1548, 2808, 16848, 6]
    assert sum(space.paths_per_block) == 23_046
    assert space.networks == 195_898_498_887_057_408


def test_its_single_form_has_one_cell_a_block() -> None:
    space = get_space("dna-mbconv-single")
    assert space.networks == 6**19
    assert [(b.cells[0].depth, b.cells[0].width) for b in space.blocks] == [
        (2, 24),
        (4, 40),
        (4, 80),
        (4, 112),
        (4, 192),
        (1, 320),
    ]


def test_the_small_space_is_worth_searching() -> None:
    space = get_space("mbconv-small")
    assert space.networks >= 10**5
    assert max(len(block.cells) for block in space.blocks) >= 2


@pytest.mark.parametrize(("name", "reductions"), [("fused-small", [4, 8, 16]), ("mobilenetv4", [4, 8, 16, 32])])
def test_spaces_of_other_layers_are_worth_searching_and_have_teachers(name: str, reductions: list[int]) -> None:
    space = get_space(name)
    assert space.reductions == reductions
    assert space.networks > 10**5
    assert sum(space.paths_per_block) < MAX_PATHS
    assert {op.kind for op in space.ops} - {"mbconv"}
    for teacher in ("resnet18", "resnet50", "tf_efficientnet_b7", "convnext_tiny"):
        assert len(align(get_teacher(teacher), space)) == len(reductions)


def test_mobilenetv4_reaches_from_about_its_small_network_to_beyond_its_medium_one() -> None:
    """Of timm, at 224 pixels: mobilenetv4_conv_small 0.186 and mobilenetv4_conv_medium 0.828 giga-multiply-adds."""
    low, high = cost_range(get_space("mobilenetv4"), input_size=224, num_classes=1000)["flops"]
    assert low < 0.186e9 < 0.828e9 < high


def test_a_layer_without_any_kernel_is_not_offered_where_the_shape_changes() -> None:
    space = get_space("mobilenetv4")
    assert [op.name for op in space.layer_ops(1)][:-1] == [op.name for op in space.layer_ops(0)]
    assert space.layer_ops(1)[-1].name == "ffn4"


def test_the_papers_ops_come_in_the_order_of_path_numbers() -> None:
    assert [op.name for op in MBCONV_OPS] == ["mb6_3x3", "mb6_5x5", "mb6_7x7", "mb3_3x3", "mb3_5x5", "mb3_7x7"]


def test_paths_come_in_product_order_and_can_be_reached_by_index() -> None:
    space = parse_space(EXPLICIT)
    cell = space.blocks[0].cells[1]
    paths = list(space.paths(cell))
    assert len(paths) == space.path_count(cell) == 2 * 3 * 3
    assert paths == list(itertools.product(*(space.layer_ops(layer) for layer in range(3))))
    assert [space.path(cell, index) for index in range(len(paths))] == paths
    assert [space.path_index(cell, [op.name for op in path]) for path in paths] == list(range(len(paths)))


def test_no_skip_is_offered_where_the_shape_changes() -> None:
    space = parse_space(EXPLICIT)
    assert all(not op.skip for op in space.layer_ops(0))
    assert OPS["skip"] in space.layer_ops(1)


def test_widths_and_reductions_between_blocks() -> None:
    space = get_space("dna-mbconv")
    assert space.reductions == [4, 8, 16, 16, 32, 32]
    assert [space.in_width(block) for block in range(1, 7)] == [16, 24, 40, 80, 112, 192]


def test_the_nominal_width_is_the_commonest_and_the_first_of_ties() -> None:
    def block(*widths: int) -> Block:
        return Block(stride=1, cells=tuple(Cell(depth=1, width=width) for width in widths))

    assert block(16, 24, 24).nominal_width == 24
    assert block(32, 16).nominal_width == 32


def test_cells_are_named_from_one() -> None:
    assert CellRef.parse("b2c1") == CellRef(2, 1)
    assert str(CellRef(2, 1)) == "b2c1"
    space = get_space("mbconv-small")
    assert [str(ref) for ref in space.cells] == ["b1c1", "b1c2", "b2c1", "b2c2", "b3c1", "b3c2"]
    assert space.cell(CellRef(2, 2)) == Cell(depth=3, width=48)
    with pytest.raises(InvalidSpace, match="b2c1"):
        CellRef.parse("2.1")
