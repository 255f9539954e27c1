"""What the documents of the service say of spaces and networks is what their parsers take: one held against the other."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any, get_args

import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter

from dna_engine.errors import EngineError
from dna_engine.space import SPACES, parse_space
from dna_engine.space.architecture import PUBLISHED, Architecture, published
from dna_engine.space.document import (
    GivenJson,
    NamedOp,
    NetworkJson,
    OpDocument,
    SpaceDocument,
    SpaceJson,
)
from dna_engine.space.given import given
from dna_engine.space.kinds import KINDS
from dna_engine.space.ops import MBCONV_OPS
from dna_engine.space.space import Space
from tests.dna_engine.space.explicit import EXPLICIT

SPACE = Draft202012Validator(TypeAdapter(SpaceJson).json_schema())
NETWORK = Draft202012Validator(TypeAdapter(GivenJson).json_schema())

#: What no schema can say: parts that must fit together.
TOGETHER = (
    "The blocks reduce the image",
    "Two ops of the space share a name",
    "A space needs at least one op that a block can begin with",
    "Without a first stage the stem's",
)
#: Of a network too: what is built of its blocks must be what timm is told, and its ops must be able to stand where they do.
BUILT = (*TOGETHER, "'timm' does not say what 'blocks' do", "There is no op for layer")


def taken(parse: Callable[[Any], object], value: Any, together: tuple[str, ...]) -> bool | None:
    """Whether it is; None where its parts are right by themselves, and do not fit together."""
    try:
        parse(value)
    except EngineError as error:
        return None if any(reason in str(error) for reason in together) else False
    return True


def agree(
    validator: Draft202012Validator, parse: Callable[[Any], object], value: Any, together: tuple[str, ...]
) -> None:
    expected = taken(parse, value, together)
    assert validator.is_valid(value) is (expected is not False), (value, expected)


def test_a_kind_of_op_has_the_fields_of_its_row() -> None:
    models = {
        model.model_fields["kind"].annotation.__args__[0]: model
        for model in get_args(OpDocument)
        if isinstance(model, type) and issubclass(model, NamedOp) and model.__name__ != "SkipOp"
    }
    assert set(models) == set(KINDS)
    for kind, model in models.items():
        own = {
            name: field.default for name, field in model.model_fields.items() if name not in ("name", "kind", "skip")
        }
        assert own == dict(KINDS[kind].takes)


def test_what_is_left_out_of_a_space_is_what_the_parser_takes() -> None:
    bare = parse_space({"blocks": EXPLICIT["blocks"]})
    said = SpaceDocument.model_validate({"blocks": EXPLICIT["blocks"]}).model_dump(exclude={"blocks"})
    assert said["ops"] == [op.name for op in MBCONV_OPS]
    assert parse_space({**said, "blocks": EXPLICIT["blocks"]}) == bare


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
def test_spaces_that_have_names_are_as_they_are_described(space: Space) -> None:
    SPACE.validate(space.to_json())


def test_networks_are_as_they_are_described() -> None:
    kept = Draft202012Validator(TypeAdapter(NetworkJson).json_schema())
    for name in PUBLISHED:
        kept.validate(published(name).to_json())
    for space in SPACES.values():
        draw = random.Random(space.name)
        places = [draw.randrange(len(block.cells)) for block in space.blocks]
        ops = [
            [draw.choice(space.layer_ops(layer)) for layer in range(block.cells[place].depth)]
            for place, block in zip(places, space.blocks, strict=True)
        ]
        network = Architecture.from_choices(space, [(place + 1, path) for place, path in zip(places, ops, strict=True)])
        NETWORK.validate(network.to_json())


ODD: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, 1, 2, 3, 4, 8, 9, 12, 15, 16, 17, 24, 32, 4096, 4104, -8, 3.0, 0.05, 0.1, 0.25, 1.0, 1.5, 2.5]),
    st.sampled_from(["", "skip", "mb3_3x3", "nothing", "conv", "universal", "relu", "nominal", "3", "x" * 201]),
    st.just([]),
    st.just({}),
    st.builds(
        lambda kind, kernel, rest: {"name": "own", "kind": kind, "kernel": kernel, **rest},
        st.sampled_from([*KINDS, "other"]),
        st.sampled_from([0, 1, 3, 4, 15, 17, 5.0]),
        st.dictionaries(
            st.sampled_from(["skip", "se_ratio", "start", "end", "expansion", "odd"]),
            st.sampled_from([0, 1, 3, 0.05, 0.5, True]),
            max_size=2,
        ),
    ),
)
FULL = {
    **EXPLICIT,
    "stem_width": 16,
    "first_width": 16,
    "first_layer": "nominal",
    "first_stage": "conv_3x3",
    "activation": "relu",
    "ops": [
        *EXPLICIT["ops"],
        {"name": "u", "kind": "universal", "start": 3, "kernel": 0, "end": 0, "expansion": 2, "se_ratio": 0.0},
    ],
}


@st.composite
def altered(draw: st.DrawFn, whole: dict[str, Any]) -> dict[str, Any]:
    """With something in some place: another value, nothing, or a field that there is not."""
    value = copy.deepcopy(whole)
    part: Any = value
    while True:
        keys = list(part) if isinstance(part, dict) else list(range(len(part)))
        key = draw(st.sampled_from([*keys, "odd"] if isinstance(part, dict) else keys))
        inner = part.get(key) if isinstance(part, dict) else part[key]
        if isinstance(inner, dict | list) and inner and draw(st.booleans()):
            part = inner
            continue
        if isinstance(part, dict) and draw(st.integers(0, 4)) == 0:
            part.pop(key, None)
        else:
            part[key] = draw(ODD)
        return value


@settings(max_examples=300, deadline=None, derandomize=True)
@drawn(altered(FULL))
def test_a_space_is_taken_where_it_is_as_described_and_its_parts_fit(value: dict[str, Any]) -> None:
    agree(SPACE, parse_space, value, TOGETHER)


@settings(max_examples=300, deadline=None, derandomize=True)
@drawn(altered(published("dna-b", input_size=32).to_json()))
def test_a_network_is_taken_where_it_is_as_described_and_its_parts_fit(value: dict[str, Any]) -> None:
    agree(NETWORK, given, value, BUILT)


def test_a_text_is_no_number() -> None:
    value = published("dna-a", input_size=32).to_json()
    value["blocks"][0]["cell"] = "2"
    with pytest.raises(EngineError, match=r"blocks\.0\.cell"):
        given(value)
    assert not NETWORK.is_valid(value)
