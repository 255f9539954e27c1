"""Spaces: what they count, how they are written, what is refused."""

from __future__ import annotations

import itertools
import json

import pytest

from dna_engine.errors import InvalidSpace, InvalidSpec, UnknownName
from dna_engine.space import MBCONV_OPS, OPS, SPACES, Block, Cell, CellRef, Op, Space, get_space, parse_space

EXPLICIT = {
    "name": "mine",
    "ops": ["mb3_3x3", "skip", {"name": "wide", "kernel": 9, "expansion": 4, "se_ratio": 0.0}],
    "blocks": [
        {"stride": 2, "cells": [{"depth": 1, "width": 16}, {"depth": 3, "width": 24}]},
        {"stride": 1, "cells": [{"depth": 2, "width": 32}]},
    ],
    "head_width": 64,
}


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


def test_the_papers_ops_come_in_the_order_of_path_numbers() -> None:
    assert [op.name for op in MBCONV_OPS] == ["mb6_3x3", "mb6_5x5", "mb6_7x7", "mb3_3x3", "mb3_5x5", "mb3_7x7"]


def test_paths_come_in_product_order_and_can_be_reached_by_index() -> None:
    space = parse_space(EXPLICIT)
    cell = space.blocks[0].cells[1]
    paths = list(space.paths(cell))
    assert len(paths) == space.path_count(cell) == 2 * 3 * 3
    assert paths == list(itertools.product(*(space.layer_ops(layer) for layer in range(3))))
    assert [space.path(cell, index) for index in range(len(paths))] == paths


def test_no_skip_is_offered_where_the_shape_changes() -> None:
    space = parse_space(EXPLICIT)
    assert all(not op.skip for op in space.layer_ops(0))
    assert OPS["skip"] in space.layer_ops(1)


def test_widths_and_reductions_between_blocks() -> None:
    space = get_space("dna-mbconv")
    assert space.reductions == [4, 8, 16, 16, 32, 32]
    assert [space.in_width(block) for block in range(1, 7)] == [16, 24, 40, 80, 112, 192]


@pytest.mark.parametrize("name", SPACES)
def test_a_space_survives_json(name: str) -> None:
    assert parse_space(json.loads(json.dumps(SPACES[name].to_json()))) == SPACES[name]


def test_an_explicit_space_survives_json_with_ops_of_its_own() -> None:
    space = parse_space(EXPLICIT)
    written = json.loads(json.dumps(space.to_json()))
    assert written["ops"][:2] == ["mb3_3x3", "skip"]
    assert parse_space(written) == space


def test_an_unknown_preset_names_what_exists() -> None:
    with pytest.raises(UnknownName, match="dna-mbconv") as caught:
        parse_space("dna-mbcon")
    assert caught.value.param == "space"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"blocks": []}, "blocks"),
        ({"blocks": [{"stride": 3, "cells": [{"depth": 1, "width": 16}]}]}, "stride must be 1 or 2"),
        ({"blocks": [{"stride": 1, "cells": []}]}, "cells, not 0"),
        ({"blocks": [{"stride": 1, "cells": [{"depth": 0, "width": 16}]}]}, "depth"),
        ({"blocks": [{"stride": 1, "cells": [{"depth": 1, "width": 20}]}]}, "multiple of 8"),
        ({"blocks": [{"stride": 2, "cells": [{"depth": 1, "width": 16}]}] * 5}, "at most 32"),
        ({"blocks": "many"}, "blocks"),
        ({"ops": ["skip"]}, "not a skip"),
        ({"ops": ["mb3_3x3", "mb3_3x3"]}, "share a name"),
        ({"ops": ["mb9_9x9"]}, "no op named"),
        ({"ops": [{"name": "even", "kernel": 4}]}, "odd"),
        ({"ops": [{"name": "flat", "expansion": 0}]}, "expansion"),
        ({"ops": [{"name": "thin", "se_ratio": 0.01}]}, "se_ratio"),
        ({"head_width": 12}, "head_width"),
        ({"width": 3}, "Unknown field 'width'"),
    ],
)
def test_a_space_that_cannot_be_built_is_refused(change: dict[str, object], says: str) -> None:
    with pytest.raises((InvalidSpace, UnknownName), match=says):
        parse_space(EXPLICIT | change)


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"blocks": "abc"}, "space.blocks"),
        ({"blocks": [1]}, "space.blocks.0"),
        ({"blocks": [{"stride": 1.9, "cells": [{"depth": 1, "width": 16}]}]}, "space.blocks.0.stride"),
        ({"blocks": [{"stride": 3, "cells": [{"depth": 1, "width": 16}]}]}, "space.blocks.0"),
        ({"blocks": [{"stride": 1, "cells": [{"depth": 1, "width": "24"}]}]}, "space.blocks.0.cells.0.width"),
        ({"blocks": [{"stride": 1, "cells": [{"depth": True, "width": 24}]}]}, "space.blocks.0.cells.0.depth"),
        ({"blocks": [{"stride": 1, "cells": [{"depth": 1, "width": 20}]}]}, "space.blocks.0.cells.0"),
        ({"blocks": [{"stride": 1, "cells": [{"depth": 1}]}]}, "space.blocks.0.cells.0"),
        ({"blocks": [{"stride": 1, "cells": [{"depth": 1, "width": 16, "more": 1}]}]}, "space.blocks.0.cells.0"),
        ({"ops": ["mb3_3x3", "mb9"]}, "space.ops.1"),
        ({"ops": ["mb3_3x3", 1]}, "space.ops.1"),
        ({"ops": ["mb3_3x3", {"name": "x", "evil": 1}]}, "space.ops.1"),
        ({"ops": ["mb3_3x3", {"name": "x" * 60_000}]}, "space.ops.1"),
        ({"ops": ["mb3_3x3", {"name": ""}]}, "space.ops.1"),
        ({"ops": None}, "space.ops"),
        ({"head_width": 64.5}, "space.head_width"),
        ({"name": {"a": 1}}, "space.name"),
        ({"name": "x" * 60_000}, "space.name"),
    ],
)
def test_the_field_that_is_wrong_is_named(change: dict[str, object], param: str) -> None:
    with pytest.raises(InvalidSpec) as caught:
        parse_space(EXPLICIT | change)
    assert caught.value.param == param
    assert len(caught.value.message) < 1000


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


def test_a_new_op_is_a_row() -> None:
    op = Op(name="mb4_3x3", kernel=3, expansion=4)
    space = Space(name="new", blocks=SPACES["mbconv-small"].blocks, ops=(*MBCONV_OPS, op))
    assert space.paths_per_block[0] == 2 * 7**2
