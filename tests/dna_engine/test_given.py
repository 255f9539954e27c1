"""Teachers of other searches: taken as they are or trained further, where they fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from dna_engine.__main__ import main
from dna_engine.blockwise.teacher import load_teacher, run_step
from dna_engine.errors import InvalidSpec
from dna_engine.given import of_run, of_search
from dna_engine.images.info import DIGITS
from dna_engine.plans import Kind, Step, files
from dna_engine.spec import GivenTeacher, SearchSpec, parse_job
from tests.dna_engine.runs import context, tiny_spec

STEP = Step(key="teacher", kind=Kind.TEACHER)
OTHERS = DIGITS.model_copy(update={"name": "others", "class_names": [f"other {number}" for number in range(10)]})


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder whose teacher is done."""
    run = tmp_path_factory.mktemp("source")
    spec = tiny_spec(teacher={"epochs": 2})
    run_step(spec, STEP, context(run)[0])
    (run / files.SPEC).write_text(spec.model_dump_json())
    return run


def weights_in(run: Path) -> dict[str, torch.Tensor]:
    return load_file(run / files.TEACHER_WEIGHTS)


def test_it_supervises_as_it_is(source: Path, tmp_path: Path) -> None:
    spec = tiny_spec(given=of_run(source), seed=7)
    assert (spec.teacher.model, spec.teacher.weights) == ("resnet10t", "given")
    assert parse_job(json.loads(spec.model_dump_json())) == spec
    where, _ = context(tmp_path)
    result = run_step(spec, STEP, where)
    theirs = json.loads((source / files.TEACHER).read_text())
    assert result.values["accuracy"] == theirs["accuracy"] > 0.3
    assert result.values["test"] == theirs["test"]
    assert result.values["source"] == f"the teacher of {source}"
    assert all(torch.equal(tensor, weights_in(source)[name]) for name, tensor in weights_in(tmp_path).items())
    assert load_teacher(spec, tmp_path, where.device).trunk.depth == 3


def test_what_it_reached_on_other_images_is_not_claimed(source: Path, tmp_path: Path) -> None:
    given = of_run(source).model_copy(update={"taught": OTHERS})
    result = run_step(tiny_spec(given=given), STEP, context(tmp_path)[0])
    assert (result.values["accuracy"], result.values["test"]) == (None, None)


def test_it_is_trained_further_with_a_new_classifier(source: Path, tmp_path: Path) -> None:
    spec = tiny_spec(given=of_run(source), teacher={"weights": "finetune", "epochs": 1, "learning_rate": 1e-9})
    where, _ = context(tmp_path)
    run_step(spec, STEP, where)
    before, after = weights_in(source), weights_in(tmp_path)
    torch.testing.assert_close(after["layer2.0.conv1.weight"], before["layer2.0.conv1.weight"])
    assert not torch.allclose(after["fc.weight"], before["fc.weight"], atol=1e-3)


def test_files_laid_down_are_what_a_service_gives(source: Path, tmp_path: Path) -> None:
    given = of_run(source).model_copy(update={"kind": "search", "source": "0199"})
    spec = tiny_spec(given=given)
    assert STEP.inputs(spec) == [files.GIVEN_WEIGHTS, files.GIVEN]
    assert STEP.inputs(tiny_spec(given=of_run(source))) == STEP.inputs(tiny_spec()) == []
    for name, laid_down in ((files.TEACHER_WEIGHTS, files.GIVEN_WEIGHTS), (files.TEACHER, files.GIVEN)):
        (tmp_path / laid_down).write_bytes((source / name).read_bytes())
    result = run_step(spec, STEP, context(tmp_path)[0])
    assert result.values["source"] == "the teacher of the search 0199"


def test_weights_that_were_sent_come_with_their_normalisation_alone(source: Path, tmp_path: Path) -> None:
    given = of_run(source).model_copy(update={"kind": "upload", "source": "0199", "taught": None})
    (tmp_path / files.GIVEN_WEIGHTS).write_bytes((source / files.TEACHER_WEIGHTS).read_bytes())
    about = {"model": "resnet10t", "weights": "upload", "mean": [0.1, 0.2, 0.3], "std": [0.4, 0.5, 0.6]}
    (tmp_path / files.GIVEN).write_text(json.dumps(about))
    result = run_step(tiny_spec(given=given), STEP, context(tmp_path)[0])
    kept = json.loads((tmp_path / files.TEACHER).read_text())
    assert (kept["mean"], kept["std"]) == (about["mean"], about["std"])
    assert (result.values["source"], result.values["accuracy"]) == ("the teacher 0199", None)


@pytest.mark.parametrize(
    ("fields", "says", "param"),
    [
        (
            {"teacher": {"model": "resnet18"}},
            "is a resnet10t, not a resnet18: leave teacher.model out",
            "teacher.model",
        ),
        ({"teacher": {"weights": "train"}}, "has its weights: leave teacher.weights out", "teacher.weights"),
        ({"teacher": {"boundaries": ["layer1"]}}, "has 3 blocks, 1 teacher boundaries", "teacher.boundaries"),
    ],
)
def test_what_does_not_fit_it_is_refused(source: Path, fields: dict[str, Any], says: str, param: str) -> None:
    with pytest.raises(InvalidSpec, match=says) as caught:
        tiny_spec(given=of_run(source), **fields)
    assert caught.value.param == param


def test_its_answers_are_of_the_classes_that_it_was_taught(source: Path) -> None:
    answers: dict[str, Any] = {"retrain": {"distill": {}}}
    assert tiny_spec(given=of_run(source), **answers).retrain.distill is not None
    with pytest.raises(InvalidSpec, match="answers with the classes of others"):
        tiny_spec(given=of_run(source).model_copy(update={"taught": OTHERS}), **answers)
    further = answers | {"teacher": {"weights": "finetune"}}
    assert tiny_spec(given=of_run(source).model_copy(update={"taught": OTHERS}), **further).retrain.distill is not None


def test_one_that_was_given_itself_is_what_it_was(source: Path) -> None:
    given = of_run(source).model_copy(update={"taught": OTHERS})
    again = of_search("search", "0199", tiny_spec(given=given), sha256="f")
    assert again == GivenTeacher(
        kind="search", source="0199", model="resnet10t", weights="train", taught=OTHERS, sha256="f"
    )


def test_a_folder_without_a_teacher(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = tmp_path / "search.json"
    written.write_text(json.dumps({"dataset": "digits", "teacher": {"from": str(tmp_path)}}))
    assert main(["run", str(written), "--out", str(tmp_path / "run"), "--device", "cpu"]) == 2
    assert "is not the run folder of a search whose teacher is done" in capsys.readouterr().err


def test_fields_are_meant_as_people_write_them() -> None:
    with pytest.raises(ValueError, match="Did you mean from"):
        SearchSpec.model_validate({"dataset": "digits", "teacher": {"fron": "x"}})
    spec = SearchSpec.model_validate({"dataset": "digits", "teacher": {"from": "x"}})
    assert spec.model_dump(mode="json", exclude_unset=True) == {"dataset": "digits", "teacher": {"from": "x"}}
