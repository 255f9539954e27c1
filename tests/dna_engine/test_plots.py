"""Pictures of one real, tiny search."""

from __future__ import annotations

import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

from dna_engine import pipeline, plots
from dna_engine.__main__ import main
from dna_engine.errors import DiskFull, InvalidSpec
from dna_engine.events import Log, Metric, Reporter
from dna_engine.images.info import DIGITS
from dna_engine.plans import Kind, Step, plan_of
from dna_engine.plans.files import METRICS
from dna_engine.plans.results import PicturesDrawn
from dna_engine.runtime.context import Context
from dna_engine.space import CellRef
from dna_engine.spec import SearchSpec, resolve
from tests.dna_engine.runs import context

SPACE = {
    "ops": ["mb3_3x3", "mb6_3x3"],
    "blocks": [
        {"stride": 2, "cells": [{"depth": 1, "width": 16}, {"depth": 2, "width": 16}]},
        {"stride": 2, "cells": [{"depth": 2, "width": 24}]},
        {"stride": 2, "cells": [{"depth": 1, "width": 32}]},  # Its maps are one pixel: nothing varies over them.
    ],
    "stem_width": 8,
    "first_width": 8,
    "head_width": 32,
}


class Unheard(Reporter):
    def emit(self, event: object) -> None:
        pass


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("search")
    spec = resolve(
        SearchSpec.model_validate(
            {
                "dataset": "digits",
                "space": SPACE,
                "input_size": 16,
                "teacher": {"epochs": 1},
                "training": {"epochs": 1, "batch_size": 512},
                "rating": {"images": 64},
                "select": {"finalists": 0},
                "retrain": {"epochs": 2, "batch_size": 512},
            }
        ),
        DIGITS,
    )
    (folder / "spec.json").write_text(spec.model_dump_json())
    where = Context(folder, torch.device("cpu"), pipeline.Recorder(folder / METRICS, Unheard()))
    for step in plan_of(spec).all_steps():
        if step.kind not in (Kind.EXPORT, Kind.PICTURES):
            pipeline.run_step(spec, step, where)
    return folder


@pytest.mark.parametrize("picture", ["loss", "features", "frontier"])
def test_each_picture_is_one_command(run: Path, picture: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plot", picture, str(run)]) == 0
    target = run / f"pictures/{picture}.svg"
    assert capsys.readouterr().out.strip() == str(target)
    root = ElementTree.parse(target).getroot()
    assert root.tag.endswith("svg")
    assert sum(len(element.get("d", "")) for element in root.iter() if element.tag.endswith("path")) > 1000


@pytest.mark.parametrize(
    ("picture", "roles"),
    [
        ("loss", ["teacher", "winner", "control"]),
        ("features", ["teacher", "winner"]),
        ("frontier", ["winner", "control", "frontier", "budget"]),
    ],
)
def test_a_role_has_one_colour(run: Path, tmp_path: Path, picture: str, roles: list[str]) -> None:
    plots.draw(picture, run, tmp_path / "picture.svg")
    drawn = (tmp_path / "picture.svg").read_text()
    assert [role for role, colour in plots.ROLES.items() if colour in drawn] == roles


def test_epochs_are_whole_and_the_value_named_is_the_one_that_is_reported(tmp_path: Path) -> None:
    panel = Figure().subplots()
    plots._draw_accuracies(panel, {"winner": [(1, 0.6), (2, 0.5)], "control": [(1, 0.25), (2, 0.55)]})
    assert all(tick == int(tick) for tick in panel.get_xticks())
    assert [line.get_label() for line in panel.lines] == ["winner: 50.0%", "control: 55.0%"]
    best_and_last = {"train/winner/best": [(1, 0.6), (2, 0.6)], "train/winner/accuracy": [(1, 0.6), (2, 0.5)]}
    plots.draw_progress(best_and_last, tmp_path / "loss.svg")
    assert "winner: 50.0%" in (tmp_path / "loss.svg").read_text()


def test_a_long_name_of_a_dataset_fits_the_title() -> None:
    figure = Figure(figsize=(6.5, 4.4), layout="constrained")
    panel = figure.subplots()
    plots._name(panel, "photos-of-all-the-birds-in-our-garden-" * 4)
    figure.draw_without_rendering()
    title = panel.title.get_window_extent()
    assert 0 < title.x0 < title.x1 < figure.bbox.x1
    assert title.y1 <= figure.bbox.y1


@pytest.mark.parametrize(
    ("value", "written"),
    [(0, "0"), (12, "12"), (999.4, "999"), (999.6, "1k"), (350_000, "350k"), (1_234_567, "1.23M"), (999_600, "1M"), (2.5e9, "2.5G")],
)  # fmt: skip
def test_numbers_are_short(value: float, written: str) -> None:
    assert plots.short(value) == written


def test_a_png_is_written_and_the_same_run_gives_the_same_picture(run: Path, tmp_path: Path) -> None:
    for name in ("first.png", "second.png", "first.svg", "second.svg"):
        plots.plot_frontier(run, tmp_path / name)
    with Image.open(tmp_path / "first.png") as image:
        assert image.format == "PNG"
    assert (tmp_path / "first.svg").read_bytes() == (tmp_path / "second.svg").read_bytes()


def test_the_losses_shown_are_those_of_every_cell_and_network(run: Path) -> None:
    series = plots.read_series(run / METRICS)
    assert {"distill/b1c1/loss", "distill/b1c2/loss", "distill/b2c1/loss"} <= set(series)
    assert [x for x, _ in series["train/winner/accuracy"]] == [1, 2]
    assert set(series) >= {"train/control/accuracy", "train/teacher/accuracy"}


def test_a_repeated_step_shows_its_last_values(tmp_path: Path) -> None:
    lines = [Metric(series="s", x=x, y=y).model_dump_json() for x, y in [(1, 5.0), (2, 6.0), (1, 4.0)]]
    (tmp_path / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    assert plots.read_series(tmp_path / "metrics.jsonl") == {"s": [(1.0, 4.0), (2.0, 6.0)]}


def test_feature_maps_are_the_teachers_and_what_the_winners_path_makes_of_them(run: Path) -> None:
    spec = plots.read_spec(run)
    paths = plots._winner_paths(run)
    assert [ref.block for ref in paths] == [1, 2, 3]
    maps = plots.block_maps(spec, run, paths, torch.device("cpu"))
    assert [teacher.shape for teacher, _ in maps] == [student.shape for _, student in maps]
    assert maps[0][0].shape[1:] == (4, 4)
    other = {CellRef(ref.block, ref.cell): path[::-1] for ref, path in paths.items()}
    again = plots.block_maps(spec, run, other, torch.device("cpu"))
    for (teacher, _), (same, _) in zip(maps, again, strict=True):
        assert torch.equal(teacher, same)


@pytest.mark.parametrize("picture", ["loss", "features", "frontier"])
def test_a_folder_that_is_no_finished_run_is_refused(
    picture: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plot", picture, str(tmp_path)]) == 2
    assert "does not exist" in capsys.readouterr().err


def test_other_formats_are_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidSpec, match=r"\.svg or \.png"):
        plots.plot_frontier(run, tmp_path / "frontier.pdf")


def test_a_picture_that_cannot_be_drawn_is_left_out_and_told(run: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(run, tmp_path / "run", ignore=shutil.ignore_patterns("pictures"))
    (folder / METRICS).write_text("not an event\n")
    where, recorder = context(folder)
    step = Step(key="pictures", kind=Kind.PICTURES)
    result = pipeline.run_step(plots.read_spec(folder), step, where)
    assert result.artifacts == ["pictures/features.svg", "pictures/frontier.svg"]
    assert PicturesDrawn.model_validate(result.values).drawn == ["features", "frontier"]
    assert all((folder / name).stat().st_size > 0 for name in result.artifacts)
    (told,) = recorder.of(Log)
    assert (told.level, told.message[:38]) == ("warning", "The picture loss could not be drawn: V")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full, as Linux has one")
def test_a_full_disk_is_no_reason_to_do_without_a_picture(run: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(run, tmp_path / "run", ignore=shutil.ignore_patterns("pictures"))
    (folder / "pictures").mkdir()
    (folder / "pictures/frontier.svg").symlink_to("/dev/full")
    where, recorder = context(folder)
    with pytest.raises(DiskFull):
        pipeline.run_step(plots.read_spec(folder), Step(key="pictures", kind=Kind.PICTURES), where)
    assert not recorder.of(Log)
