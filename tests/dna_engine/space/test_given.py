"""Networks from elsewhere: what is taken, and what is refused before anybody builds it."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest

from dna_engine.errors import InvalidSpec, UnknownName
from dna_engine.space import SPACES, Space
from dna_engine.space.architecture import PUBLISHED, Architecture, published
from dna_engine.space.given import given

DESCRIBED = published("dna-a", input_size=32).to_json()


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_ones_by_name_or_as_they_are_described(name: str) -> None:
    assert given(name) == given(given(name).to_json()) == published(name)


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
def test_whatever_a_search_may_find_is_taken(space: Space) -> None:
    for seed in range(20):
        draw = random.Random(seed)
        cells = [(draw.randrange(len(block.cells)), block) for block in space.blocks]
        choices = [
            (place + 1, [draw.choice(space.layer_ops(layer)) for layer in range(block.cells[place].depth)])
            for place, block in cells
        ]
        network = Architecture.from_choices(space, choices, input_size=48, num_classes=7)
        assert given({**network.to_json(), "preprocessing": {"size": 48}}) == network


def changed(where: str, value: Any) -> dict[str, Any]:
    described = copy.deepcopy(DESCRIBED)
    *way, last = where.split(".")
    part: Any = described
    for step in way:
        part = part[int(step)] if isinstance(part, list) else part[step]
    part[last] = value
    return described


@pytest.mark.parametrize(
    ("where", "value", "says"),
    [
        ("format", "dna-architecture/0", "'format' must be"),
        ("blocks", [], "between 1 and 16 blocks"),
        ("blocks.0.width", 1_000_000_000, "multiple of 8 from 8 to 4096"),
        ("blocks.0.stride", 4, "stride must be 1 or 2"),
        ("blocks.5.stride", 2, "reduce the image 64 times"),
        ("blocks.0.ops", ["mb3_3x3"] * 200, "depth must be between 1 and 8"),
        ("blocks.0.ops", ["skip", "skip", "skip"], "op"),
        ("blocks.0.nominal", 10**9, "nominal width"),
        ("timm.stem_size", 10**9, "stem_width must be"),
        ("timm.num_features", 10**9, "head_width must be"),
        ("timm.in_chans", 1, "3 channels"),
        ("timm.num_classes", 1, "num_classes must be between 2"),
        ("timm.num_classes", 10**9, "num_classes must be between 2"),
        ("input_size", 1_000_000, "input_size must be between 16"),
        ("timm.arch_def", [["ds_r1_k3_s1_e1_c16"]], "'timm' does not say what 'blocks' do"),
    ],
)
def test_what_no_space_could_have_is_refused(where: str, value: Any, says: str) -> None:
    with pytest.raises(InvalidSpec, match=says):
        given(changed(where, value))


def test_a_name_that_nobody_published() -> None:
    with pytest.raises(UnknownName, match="dna-d"):
        given("dna-e")
