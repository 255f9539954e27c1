"""Spaces from JSON: what is read, and where what is refused is wrong."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from dna_engine.errors import InvalidSpace, InvalidSpec, UnknownName
from dna_engine.space import MBCONV_OPS, OPS, SPACES, Op, Space, parse_op, parse_space
from tests.dna_engine.space.explicit import EXPLICIT


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
        ({"ops": [{"name": "x", "kind": "attention"}]}, "no kind of op named 'attention'.*universal"),
        ({"ops": [{"name": "x", "kind": ["conv"]}]}, "kind of an op is one of"),
        (
            {"ops": [{"name": "x", "kind": "conv", "expansion": 2}]},
            "Unknown field 'expansion' in space.ops.0; it takes name, kind",
        ),
        ({"ops": [{"name": "x", "kind": "universal", "skip": True}]}, "Unknown field 'skip'"),
        ({"ops": [{"name": "x", "start": 3}]}, "Unknown field 'start'"),
        ({"ops": [{"name": "x", "kind": "universal", "start": 4}]}, "the start must be 0 or odd"),
        ({"ops": [{"name": "x", "kind": "fused", "kernel": 0}]}, "the kernel must be odd"),
        ({"ops": ["ffn4"]}, "has a kernel"),
        ({"activation": "sine"}, "no activation named 'sine'.*hard_swish"),
        ({"activation": ["relu"]}, "no activation named"),
        ({"first_stage": "skip"}, "first stage"),
        ({"first_stage": "conv_9x9"}, "no op named"),
        ({"first_stage": None, "first_width": 16}, "leave first_width out"),
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
        ({"ops": ["mb3_3x3", {"name": "x", "kind": "x" * 60_000}]}, "space.ops.1.kind"),
        ({"ops": ["mb3_3x3", {"name": "x", "kind": "conv", "start": 3}]}, "space.ops.1"),
        ({"activation": "x" * 60_000}, "space.activation"),
        ({"first_stage": {"name": "x", "kernel": 2}}, "space.first_stage"),
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


def test_a_new_op_is_a_row() -> None:
    op = Op(name="mb4_3x3", kernel=3, expansion=4)
    space = Space(name="new", blocks=SPACES["mbconv-small"].blocks, ops=(*MBCONV_OPS, op))
    assert space.paths_per_block[0] == 2 * 7**2


def test_ops_of_other_kinds_activation_and_first_stage_survive_json() -> None:
    own = {"name": "own", "kind": "universal", "start": 5, "kernel": 0, "end": 0, "expansion": 2, "se_ratio": 0.5}
    wide = parse_space(EXPLICIT | {"ops": ["fused4_3x3", own, "skip"], "activation": "relu6", "first_stage": "ffn2"})
    assert wide.to_json()["ops"] == ["fused4_3x3", own, "skip"]
    assert parse_space(wide.to_json()) == wide
    assert not {"activation", "first_stage"} & set(parse_space(EXPLICIT).to_json())


def test_sizes_that_are_not_given_are_those_of_the_kind() -> None:
    assert parse_op({"name": "x"}, "ops.0") == Op(name="x", kernel=3, expansion=6, se_ratio=0.25)
    assert parse_op({"name": "x", "kind": "fused"}, "ops.0") == replace(OPS["fused4_3x3"], name="x")
    assert parse_op({"name": "x", "kind": "universal"}, "ops.0") == replace(OPS["ib4_3x3"], name="x")
    assert parse_op({"name": "x", "kind": "separable"}, "ops.0") == replace(OPS["separable_3x3"], name="x")


def test_without_a_first_stage_the_stem_s_channels_arrive() -> None:
    given = {name: value for name, value in EXPLICIT.items() if name != "first_width"}
    bare = parse_space(given | {"first_stage": None, "stem_width": 24})
    assert (bare.first_stage, bare.first_width) == (None, 24)
    assert parse_space(bare.to_json()) == bare


def test_what_the_first_layer_counts_from_survives_json_and_is_checked() -> None:
    nominal = parse_space(EXPLICIT | {"first_layer": "nominal"})
    assert nominal.first_layer == "nominal"
    assert parse_space(nominal.to_json()) == nominal
    assert "first_layer" not in parse_space(EXPLICIT).to_json()
    with pytest.raises(InvalidSpace, match="first_layer is previous or nominal, not 'both'") as caught:
        parse_space(EXPLICIT | {"first_layer": "both"})
    assert caught.value.param == "space.first_layer"
