"""A model repository says what Triton asks for, by Triton's own protocol."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from dna_engine.export.triton import configuration, labels, model_name
from dna_engine.images.pictures.pixels import preprocessing
from tests.dna_engine.runs import TINY_NETWORK

DESCRIPTION: dict[str, Any] = TINY_NETWORK.to_json() | {"preprocessing": preprocessing(16, ["owl", "house\nsparrow"])}


def test_a_class_is_a_line_and_a_number_where_it_has_no_name() -> None:
    assert labels(DESCRIPTION) == "owl\nhouse sparrow\n"
    unnamed = DESCRIPTION | {"preprocessing": preprocessing(16, [])}
    assert labels(unnamed).splitlines() == [str(number) for number in range(1000)]
    config = text_format.Parse(configuration(unnamed), model_config_pb2.ModelConfig())
    assert list(config.output[0].dims) == [1000]


@pytest.mark.parametrize(
    ("title", "name"), [("winner for digits", "winner-for-digits"), ("../Vögel", "V-gel"), ("鳥", "network")]
)
def test_the_folder_is_named_after_the_network(title: str, name: str) -> None:
    assert model_name(title) == name
