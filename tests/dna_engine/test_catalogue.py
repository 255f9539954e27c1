"""The catalogue: what it says is what the models are, and every row can lead a search."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from dna_engine.__main__ import main
from dna_engine.blockwise import write_catalogue as writer
from dna_engine.blockwise.cut import cut
from dna_engine.blockwise.models import build
from dna_engine.catalogue import align, catalogue, default_space, get_teacher
from dna_engine.errors import TeacherError, UnknownName
from dna_engine.space import SPACES
from dna_engine.weights import expected

#: The first model of each family is described anew.
FIRST = {names.split()[0]: family for family, names in writer.FAMILIES.items()}


@pytest.mark.parametrize("name", FIRST)
def test_a_row_is_what_the_model_is(name: str) -> None:
    assert writer.describe_model(name, FIRST[name]) == get_teacher(name)


@pytest.mark.parametrize("name", FIRST)
def test_its_weights_are_what_the_model_holds(name: str) -> None:
    described = writer.describe_weights(name)
    known = expected(name)
    assert {tensor: list(shape) for tensor, shape in known.shapes.items()} == described["shapes"]
    assert (list(known.classifiers), dict(known.normalised)) == (described["classifiers"], described["normalised"])


def test_every_stage_can_be_cut_after() -> None:
    for teacher in catalogue().values():
        places = [list(teacher.cuts).index(block.module) for block in teacher.blocks]
        assert places == sorted(places), teacher.name
        assert all(teacher.cuts[block.module] in (0, block.reduction) for block in teacher.blocks), teacher.name


@pytest.mark.parametrize("name", ["resnet10t", "rexnet_100", "tf_efficientnet_b0", "hgnetv2_b0"])
def test_models_are_cut_after_whatever_the_catalogue_names(name: str) -> None:
    with torch.device("meta"):
        model = build(name)
        for boundary in get_teacher(name).cuts:
            cut(model, [boundary])


def test_the_file_has_every_family_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = [(name, family) for family, names in writer.FAMILIES.items() for name in names.split()]
    assert [(teacher.name, teacher.family) for teacher in catalogue().values()] == listed
    monkeypatch.setattr(writer, "FAMILIES", {"ResNet": "resnet10t resnet18"})
    assert writer.write_catalogue(tmp_path / "catalogue.json") == 2
    assert [row["name"] for row in json.loads((tmp_path / "catalogue.json").read_text())] == ["resnet10t", "resnet18"]


def test_the_documents_show_the_catalogue(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["teachers", "--markdown"]) == 0
    assert capsys.readouterr().out in (Path(__file__).parents[2] / "docs/teachers.md").read_text()


def test_the_paper_s_teacher_supervises_the_paper_s_space() -> None:
    teacher = get_teacher("tf_efficientnet_b7")
    assert default_space(teacher) is SPACES["dna-mbconv"]
    assert align(teacher, SPACES["dna-mbconv"]) == [f"blocks.{i}" for i in range(1, 7)]


def test_a_space_is_derived_from_every_teacher() -> None:
    for teacher in catalogue().values():
        space = default_space(teacher)
        reductions = {block.module: block.reduction for block in teacher.blocks}
        assert [reductions[boundary] for boundary in align(teacher, space)] == space.reductions, teacher.name


def test_the_deepest_of_each_reduction_are_taken() -> None:
    assert align(get_teacher("tf_efficientnet_b0"), SPACES["mbconv-small"]) == ["blocks.1", "blocks.2", "blocks.4"]


def test_reductions_that_do_not_agree() -> None:
    with pytest.raises(TeacherError, match=r"resnet18 cannot supervise dna-mbconv: .*\[4, 8, 16, 16, 32, 32\]"):
        align(get_teacher("resnet18"), SPACES["dna-mbconv"])


def test_every_model_is_known_by_the_tags_of_its_weights() -> None:
    assert get_teacher("resnet50.a1_in1k") == replace(get_teacher("resnet50"), name="resnet50.a1_in1k")
    assert get_teacher("resnet50").tags[0] == "a1_in1k"
    for teacher in catalogue().values():
        for tag in teacher.tags:
            assert get_teacher(f"{teacher.name}.{tag}").blocks == teacher.blocks


def test_an_unknown_teacher_is_refused_by_name() -> None:
    with pytest.raises(UnknownName, match=r"no teacher named 'resnet80'\. Did you mean 'resnet"):
        get_teacher("resnet80")
