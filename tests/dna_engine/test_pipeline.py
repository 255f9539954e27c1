"""A whole search in one folder: every phase real, resumable, repeatable."""

from __future__ import annotations

import json
import shutil
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from dna_engine import confusion_plot, pipeline, plots
from dna_engine.console import summary_lines
from dna_engine.errors import Interrupted, InvalidSpec, StepFailed
from dna_engine.events import Log, Metric
from dna_engine.export import onnx_file
from dna_engine.images.survey import survey
from dna_engine.plans import Kind, Phase, files, plan_of
from dna_engine.plans.results import FOUND, CellsRated, PicturesDrawn, Selected
from dna_engine.spec import ResolvedSpec
from tests.dna_engine.runs import context, tiny_spec

#: In batches so large that an epoch is a few steps.
SPEC = tiny_spec(
    teacher={"epochs": 1, "batch_size": 256},
    training={"epochs": 1, "batch_size": 256},
    retrain={"epochs": 2, "batch_size": 256},
)
#: Left by a search and the same for the same spec: the rest holds times or is made of what these hold.
SAME = ("ratings.json", "selection.json", "winner/architecture.json", "winner/weights.safetensors")


def of_the_winner(write: Callable[..., None]) -> Callable[..., None]:
    """To write such a file takes as long as all the rest, so one network has none."""

    def write_one(model: object, images: object, path: Path) -> None:
        if path.parent.name != "winner":
            raise NotImplementedError("no such operator")
        write(model, images, path)

    return write_one


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("finished")
    where, recorder = context(run)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(onnx_file, "write_onnx", of_the_winner(onnx_file.write_onnx))
        summary = pipeline.run(SPEC, where)
    assert json.loads((run / "summary.json").read_text()) == summary
    assert {m.series for m in recorder.of(Metric)} >= {"distill/b1c1/loss", "train/winner/accuracy"}
    return run


def test_every_promised_file_is_there(finished: Path) -> None:
    for step in plan_of(SPEC).all_steps():
        for name in step.outputs(SPEC):
            assert (finished / name).stat().st_size > 0, name
    assert ResolvedSpec.model_validate_json((finished / "spec.json").read_text()) == SPEC
    assert not list((finished / "checkpoints").iterdir())


def test_the_journal_keeps_what_each_step_has_found(finished: Path) -> None:
    journal = pipeline.Journal(finished / "journal.json")
    found = {step.key: FOUND[step.kind].model_validate(journal.values(step)) for step in plan_of(SPEC).all_steps()}
    for step in plan_of(SPEC).all_steps():
        assert found[step.key].model_dump(mode="json") == journal.values(step), step.key
    rated, selected, drawn = found["rate-1"], found["select"], found["pictures"]
    assert isinstance(rated, CellsRated)
    assert isinstance(selected, Selected)
    assert isinstance(drawn, PicturesDrawn)
    for cell, best in rated.best.items():
        assert best == min(json.loads((finished / files.cell_ratings(cell)).read_text())["losses"])
    assert set(rated.best) == {str(cell) for cell in SPEC.parsed_space.cells}
    for name, network in selected.chosen.items():
        assert network.architecture == json.loads((finished / name / files.ARCHITECTURE).read_text())
    assert drawn.drawn == list(files.PICTURES)


def test_the_summary_tells_what_was_counted_found_and_measured(finished: Path) -> None:
    summary = json.loads((finished / "summary.json").read_text())
    assert summary["networks"] == "48"
    assert summary["paths"] == 6 + 4 + 2
    assert summary["frontier"] == len(json.loads((finished / "selection.json").read_text())["frontier"])
    assert set(summary["seconds"]) == set(Phase) - {Phase.CHECK, Phase.TRIALS, Phase.LATENCY, Phase.TIME}
    for name in ("winner", "control"):
        training = json.loads((finished / name / "training.json").read_text())
        exported = json.loads((finished / name / "export.json").read_text())
        assert summary[name]["test_accuracy"] == training["test_accuracy"]
        assert summary[name]["test"] == training["test"]
        assert exported["counted"] == {key: summary[name][key] for key in ("flops", "params")}
        assert summary[name]["flops"] <= summary["budget"]["flops"]
    assert summary["teacher"]["test"]["images"] == 360
    assert summary["comparison"]["says"] in "\n".join(summary_lines(summary))
    with zipfile.ZipFile(finished / "control/bundle.zip") as bundle:
        assert summary["comparison"]["says"] in bundle.read("README.md").decode()


def fail(*_: object) -> None:
    raise NotImplementedError("no such operator")


def without_onnx(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_file, "write_onnx", fail)


def without_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    for draw in (plots, "draw"), (confusion_plot, "plot_confusion"):
        monkeypatch.setattr(*draw, fail)


def test_interrupted_in_every_phase_it_ends_the_same(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped again and again after a few checks, each time in a new process's place; nothing finished is done twice."""
    without_onnx(monkeypatch)  # That is the same for the same weights, as the training of one network shows.
    without_pictures(monkeypatch)
    done_before: list[str] = []
    stopped_in: list[str] = []
    for patience in (2, 5, 7, 9, 14, 10**6):
        asked = iter(range(10**6))
        where, recorder = context(tmp_path, stop=lambda asked=asked, patience=patience: next(asked) >= patience)  # type: ignore[misc]
        try:
            pipeline.run(SPEC, where)
        except Interrupted:
            begun = [event.message for event in recorder.of(Log) if event.message.endswith(": started")]
            stopped_in.append(begun[-1].removesuffix(": started"))
            continue
        finally:
            done_before = [e.message for e in recorder.of(Log) if e.message.endswith("done before")]
        break
    assert done_before
    assert {*stopped_in} >= {"teacher", "distill-1", "train-winner"}, stopped_in
    for name in SAME:
        assert (tmp_path / name).read_bytes() == (finished / name).read_bytes(), name


def test_a_finished_search_is_not_done_again(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        onnx_file, "write_onnx", lambda *given: shutil.copy(finished / given[-1].relative_to(run), given[-1])
    )
    run = tmp_path / "copy"
    shutil.copytree(finished, run)
    (run / "control/export.json").unlink()
    (run / "winner/model.onnx").unlink()  # Not promised, but it was there.
    where, recorder = context(run)
    pipeline.run(SPEC, where)
    started = [event.message for event in recorder.of(Log) if event.message.endswith("started")]
    assert started == ["export-winner: started", "export-control: started"]
    assert (run / "control/export.json").exists()
    assert (run / "winner/model.onnx").exists()


def test_a_search_without_onnx_files_succeeds_and_is_not_done_again(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "copy"
    shutil.copytree(finished, run)
    (run / "winner/export.json").unlink()
    without_onnx(monkeypatch)
    where, recorder = context(run)
    pipeline.run(SPEC, where)
    warnings = [event.message for event in recorder.of(Log) if event.level == "warning"]
    assert warnings == ["There is no ONNX file of winner: NotImplementedError: no such operator"]
    assert not (run / "winner/model.onnx").exists()
    where, recorder = context(run)
    pipeline.run(SPEC, where)
    assert all(event.message.endswith("done before") for event in recorder.of(Log))


def test_a_folder_of_another_search_is_refused(finished: Path) -> None:
    where, _ = context(finished)
    with pytest.raises(InvalidSpec, match="another spec"):
        pipeline.run(tiny_spec(seed=1), where)


def lay_noise(folder: Path, **classes: int) -> None:
    """Images of 16 pixels that have nothing to tell, a fifth of each class to test with, at least one."""
    random = np.random.default_rng(0)
    for name, images in classes.items():
        for number in range(images):
            target = folder / ("test" if number < max(1, images // 5) else "train") / name
            target.mkdir(parents=True, exist_ok=True)
            Image.fromarray(random.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(target / f"{number}.png")


def test_a_search_on_100_to_1_is_told_as_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Teacher, winner and control have 99% right, and nothing was learned."""
    without_onnx(monkeypatch)
    without_pictures(monkeypatch)
    lay_noise(tmp_path / "uneven", many=500, few=5)
    short = {"select": {"finalists": 0}, "training": {"epochs": 1, "batch_size": 256}}
    spec = tiny_spec(survey(str(tmp_path / "uneven")), retrain={"epochs": 2, "batch_size": 128}, **short)
    where, recorder = context(tmp_path / "run")
    summary = pipeline.run(spec, where)
    for name in ("teacher", "winner", "control"):
        test = summary[name]["test"]
        assert (test["images"], test["chance"], test["majority"]) == (101, 0.5, pytest.approx(100 / 101))
        assert test["verdict"] in ("answers one class only", "at chance"), name
    told = [log.message for log in recorder.of(Log) if log.level == "warning" and "always answering" in log.message]
    assert [message.partition(":")[0] for message in told] == ["teacher", "winner", "control"]
    nothing = "Neither the winner nor its control can be told from guessing."
    assert nothing in list(summary_lines(summary))
    with zipfile.ZipFile(tmp_path / "run/winner/bundle.zip") as bundle:
        card = bundle.read("README.md").decode()
    assert f"**{told[1].removesuffix(' More epochs may help, or more images, above all of rare classes.')}**" in card
    assert nothing in card
    assert "in the order of the logits: 0 few, 1 many." in card


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("CUDA error: an illegal memory access was encountered"),
        RuntimeError("NCCL error in: ProcessGroupNCCL.cpp"),
        RuntimeError("DataLoader worker (pid 4711) is killed by signal: Killed."),
        OSError(5, "Input/output error"),
        MemoryError(),
    ],
    ids=["the device", "its links", "a reader", "a disk", "memory"],
)
def test_what_the_machine_does_is_left_to_another_attempt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    with pytest.raises(type(error)) as raised:
        fail_with(error, tmp_path, monkeypatch)
    assert raised.value is error


@pytest.mark.parametrize(
    "error",
    [
        AssertionError("Input height (32) doesn't match model (224)."),
        RuntimeError("The size of tensor a (7) must match the size of tensor b (8) at non-singleton dimension 3"),
        KeyError("logits"),
    ],
    ids=["a model", "shapes", "ours"],
)
def test_what_would_come_again_is_told_as_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    with pytest.raises(StepFailed, match="not tried again") as raised:
        fail_with(error, tmp_path, monkeypatch)
    assert str(error) in raised.value.message
    assert "Traceback" in capsys.readouterr().err


def fail_with(error: Exception, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs a step whose module raises that."""

    def run_step(*_: object) -> None:
        raise error

    module = ModuleType("odd")
    module.run_step = run_step  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "odd", module)
    monkeypatch.setattr(pipeline, "_RUNNERS", {Kind.SELECT: "odd"})
    spec = tiny_spec()
    [step] = plan_of(spec).steps(Phase.SELECT)
    pipeline.run_step(spec, step, context(run)[0])
