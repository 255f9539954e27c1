"""Cells end up the same whether they train together, apart, or after an interruption."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from dna_engine.blockwise import distill, rate, teacher
from dna_engine.blockwise.distill import Distillation
from dna_engine.blockwise.teacher import Teacher
from dna_engine.blockwise.trainee import Trainee, draw_path
from dna_engine.errors import Interrupted, NonFiniteLoss, OutOfMemory
from dna_engine.events import Log, Metric, Progress
from dna_engine.plans import Kind, Step
from dna_engine.runtime.context import never
from dna_engine.space import CellRef
from dna_engine.spec import ResolvedSpec
from dna_engine.training.splits import load_splits
from tests.dna_engine.runs import Recorder, context, tiny_spec

CELLS = ["b1c1", "b1c2", "b2c1", "b3c1"]


@pytest.fixture(scope="module")
def spec() -> ResolvedSpec:
    return tiny_spec(training={"epochs": 1})


@pytest.fixture(scope="module")
def taught(spec: ResolvedSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder with a teacher."""
    run = tmp_path_factory.mktemp("taught")
    teacher.run_step(spec, Step(key="teacher", kind=Kind.TEACHER), context(run)[0])
    return run


def rated(spec: ResolvedSpec, taught: Path, run: Path, groups: list[list[str]]) -> dict[str, list[float]]:
    """The ratings when each group of cells is a step of its own."""
    shutil.copytree(taught, run, dirs_exist_ok=True)
    for number, cells in enumerate(groups, start=1):
        distill.run_step(spec, Step(key=f"distill-{number}", kind=Kind.DISTILL, cells=cells), context(run)[0])
        rate.run_step(spec, Step(key=f"rate-{number}", kind=Kind.RATE, cells=cells), context(run)[0])
    return {cell: json.loads((run / f"ratings/{cell}.json").read_text())["losses"] for cell in CELLS}


@pytest.fixture(scope="module")
def together(spec: ResolvedSpec, taught: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[float]]:
    return rated(spec, taught, tmp_path_factory.mktemp("together"), [CELLS])


def test_grouping_changes_no_bit(
    spec: ResolvedSpec, taught: Path, together: dict[str, list[float]], tmp_path: Path
) -> None:
    assert rated(spec, taught, tmp_path, [["b3c1", "b1c2"], ["b2c1"], ["b1c1"]]) == together


def test_an_interruption_changes_no_bit(
    spec: ResolvedSpec, taught: Path, together: dict[str, list[float]], tmp_path: Path
) -> None:
    shutil.copytree(taught, tmp_path, dirs_exist_ok=True)
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked == 13

    step = Step(key="distill-1", kind=Kind.DISTILL, cells=CELLS)
    with pytest.raises(Interrupted):
        distill.run_step(spec, step, context(tmp_path, stop=stop)[0])
    assert (tmp_path / step.checkpoint).exists()
    assert not (tmp_path / "cells").exists()
    distill.run_step(spec, step, context(tmp_path)[0])
    rate.run_step(spec, Step(key="rate-1", kind=Kind.RATE, cells=CELLS), context(tmp_path)[0])
    for cell in CELLS:
        assert json.loads((tmp_path / f"ratings/{cell}.json").read_text())["losses"] == together[cell]


@pytest.mark.parametrize(("damaged", "left"), [(["last"], 5), (["last", "before"], 0)])
def test_a_damaged_checkpoint_costs_time_and_no_bit(
    spec: ResolvedSpec,
    taught: Path,
    together: dict[str, list[float]],
    tmp_path: Path,
    damaged: list[str],
    left: int,
) -> None:
    shutil.copytree(taught, tmp_path, dirs_exist_ok=True)
    step = Step(key="distill-1", kind=Kind.DISTILL, cells=CELLS)
    for steps in (5, 8):
        asked = iter([False] * (steps - 1) + [True])
        with pytest.raises(Interrupted):
            distill.run_step(spec, step, context(tmp_path, stop=asked.__next__)[0])
    places = {"last": tmp_path / step.checkpoint, "before": tmp_path / step.checkpoint_before}
    for name in damaged:
        content = bytearray(places[name].read_bytes())
        content[-50] ^= 1
        places[name].write_bytes(content)
    where, recorder = context(tmp_path)
    distill.run_step(spec, step, where)
    told = [event.message for event in recorder.of(Log) if event.level == "warning"]
    assert told[0] == "The checkpoint distill-1.safetensors is damaged: its content is not what was written."
    assert recorder.of(Progress)[0].done == left + 1
    assert not any(place.exists() for place in places.values())
    rate.run_step(spec, Step(key="rate-1", kind=Kind.RATE, cells=CELLS), context(tmp_path)[0])
    for cell in CELLS:
        assert json.loads((tmp_path / f"ratings/{cell}.json").read_text())["losses"] == together[cell]


@pytest.mark.gpu
def test_a_gpu_rates_as_the_cpu_does(
    spec: ResolvedSpec, taught: Path, together: dict[str, list[float]], tmp_path: Path
) -> None:
    """Up to precision: distillation there runs in bfloat16."""
    shutil.copytree(taught, tmp_path, dirs_exist_ok=True)
    for kind, work in ((Kind.DISTILL, distill.run_step), (Kind.RATE, rate.run_step)):
        work(spec, Step(key=f"{kind}-1", kind=kind, cells=CELLS), context(tmp_path, device="cuda:0")[0])
    for cell in CELLS:
        found = torch.tensor(json.loads((tmp_path / f"ratings/{cell}.json").read_text())["losses"])
        torch.testing.assert_close(found, torch.tensor(together[cell]), rtol=0.1, atol=0.02)


@pytest.mark.gpu
def test_a_gpu_that_is_full_is_used_with_smaller_parts(taught: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, recorder = distillation(taught, tiny_spec(training={"epochs": 1, "batch_size": 128}), ["b1c1"], "cuda:0")
    fits_up_to(40, monkeypatch)
    next(run._steps_on_gpu(0))
    assert run.micro_batch == 32
    assert len(recorder.of(Log)) == 2


def test_ratings_are_in_the_order_of_the_paths(spec: ResolvedSpec, together: dict[str, list[float]]) -> None:
    space = spec.parsed_space
    for cell, losses in together.items():
        assert len(losses) == space.path_count(space.cell(CellRef.parse(cell)))
        assert all(0 < loss < 10 for loss in losses)
        assert len(set(losses)) == len(losses)


def test_distillation_brings_the_cells_closer_to_the_teacher(
    spec: ResolvedSpec, taught: Path, together: dict[str, list[float]], tmp_path: Path
) -> None:
    """Three times the steps give better ratings on images that were not trained on."""
    longer = tiny_spec(training={"epochs": 3})
    ratings = rated(longer, taught, tmp_path, [CELLS])
    assert all(min(ratings[cell]) < min(together[cell]) for cell in CELLS)


def distillation(
    run: Path, spec: ResolvedSpec, cells: list[str], device: str = "cpu", *, stop: Callable[[], bool] = never
) -> tuple[Distillation, Recorder]:
    ctx, recorder = context(run, stop=stop, device=device)
    images = load_splits(spec, ctx.device).train
    refs = [CellRef.parse(cell) for cell in cells]
    supervisor = teacher.load_teacher(spec, run, ctx.device)
    return Distillation(spec, refs, supervisor, images, ctx, "checkpoints/x.safetensors"), recorder


def test_an_interruption_repeats_no_step_and_tells_every_loss_again(taught: Path, tmp_path: Path) -> None:
    spec = tiny_spec(training={"epochs": 1, "batch_size": 128})  # 10 steps
    shutil.copytree(taught, tmp_path, dirs_exist_ok=True)
    whole, recorder = distillation(taught, spec, ["b1c1", "b3c1"])
    whole.run()
    expected = [(metric.series, metric.x, metric.y) for metric in recorder.of(Metric)]
    assert [x for series, x, _ in expected if series == "distill/b3c1/loss"] == list(range(1, 11))
    last = recorder.of(Progress)[-1]
    assert (last.done, last.total, last.eta_seconds, last.parts) == (10, 10, 0, ["b1c1", "b3c1"])
    done = []
    for steps in (3, 1, 5):
        asked = iter([False] * (steps - 1) + [True])
        part, recorder = distillation(tmp_path, spec, ["b1c1", "b3c1"], stop=asked.__next__)
        with pytest.raises(Interrupted):
            part.run()
        done += [progress.done for progress in recorder.of(Progress)]
    rest, recorder = distillation(tmp_path, spec, ["b1c1", "b3c1"])
    rest.run()
    assert [log.message for log in recorder.of(Log)] == ["x goes on from its checkpoint at step 9 of 10."]
    done += [progress.done for progress in recorder.of(Progress)]
    assert done == list(range(1, 11))
    # Whoever heard the interrupted ones may have been killed before it wrote that down.
    assert [(metric.series, metric.x, metric.y) for metric in recorder.of(Metric)] == expected


def test_parts_of_a_batch_give_the_teacher_s_maps_of_the_whole(
    taught: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = tiny_spec(training={"epochs": 1, "batch_size": 128})
    curves = []
    for pixels in (distill.PIXELS, 50 * spec.input_size**2):
        monkeypatch.setattr(distill, "PIXELS", pixels)
        run, recorder = distillation(shutil.copytree(taught, tmp_path / str(pixels)), spec, ["b2c1"])
        run.run()
        curves.append([metric.y for metric in recorder.of(Metric)])
    assert len(curves[0]) == 10
    assert curves[1] == pytest.approx(curves[0], rel=1e-5)


def test_stopped_after_the_last_step(taught: Path, tmp_path: Path) -> None:
    spec = tiny_spec(training={"epochs": 1, "batch_size": 512})
    shutil.copytree(taught, tmp_path, dirs_exist_ok=True)
    run, _ = distillation(tmp_path, spec, ["b1c1"])
    asked = iter([False] * (run.steps - 1) + [True])
    run, _ = distillation(tmp_path, spec, ["b1c1"], stop=asked.__next__)
    with pytest.raises(Interrupted):
        run.run()
    rest, recorder = distillation(tmp_path, spec, ["b1c1"])
    assert list(rest.run()) == [CellRef(1, 1)]
    assert recorder.of(Progress) == []


@pytest.mark.parametrize("loss", ["plain", "normalized"])
def test_the_loss_is_as_defined(taught: Path, loss: str) -> None:
    spec = tiny_spec(training={"epochs": 1, "loss": loss})
    run, _ = distillation(taught, spec, ["b2c1"])
    (trainee,) = run.trainees
    maps = run.teacher.features(next(run.images.ordered(8))[0], [1, 2])
    trainee.accumulate(3, maps, 1.0)
    path = draw_path(spec.parsed_space, CellRef(2), 3, sampling="fair", seed=0)
    distance = ((trainee.net(maps[1], path) - maps[2]) ** 2).sum() / maps[2].numel()
    expected = distance / maps[2].var() if loss == "normalized" else distance
    assert trainee.loss_sum.item() == pytest.approx(expected.item(), rel=1e-5)


def test_the_teacher_s_width_leaves_no_adaptors(taught: Path, tmp_path: Path) -> None:
    widened = {"epochs": 1, "batch_size": 512, "width": "teacher", "sampling": "uniform"}
    spec = tiny_spec(training=widened, select={"finalists": 0})
    shutil.copytree(taught, tmp_path, dirs_exist_ok=True)
    distill.run_step(spec, Step(key="d", kind=Kind.DISTILL, cells=["b2c1"]), context(tmp_path)[0])
    rate.run_step(spec, Step(key="r", kind=Kind.RATE, cells=["b2c1"]), context(tmp_path)[0])
    weights = load_file(tmp_path / "cells/b2c1.safetensors")
    assert not [name for name in weights if name.startswith(("enter", "leave"))]


def test_a_cell_that_diverges_is_named_and_never_kept(taught: Path, tmp_path: Path) -> None:
    """Noticed at the first report, and at a checkpoint that comes before one."""
    shutil.copytree(taught, tmp_path, dirs_exist_ok=True)
    named = r"cell b2c1 became nan by step {}\. Lower training\.learning_rate"
    for epochs, noticed, stop in ((1, 1, never), (10, 2, never), (10, 1, lambda: True)):
        run, _ = distillation(tmp_path, tiny_spec(training={"epochs": epochs}), ["b1c1", "b2c1"], stop=stop)
        assert run.steps // distill.POINTS == (epochs > 1) * 2
        with torch.no_grad():
            next(run.trainees[1].net.enter.parameters()).fill_(float("nan"))
        with pytest.raises(NonFiniteLoss, match=named.format(noticed)):
            run.run()
    assert not list((tmp_path / "checkpoints").glob("*"))


@pytest.mark.parametrize("loss", ["plain", "normalized"])
def test_out_of_memory_goes_on_with_parts_of_the_batch(
    taught: Path, monkeypatch: pytest.MonkeyPatch, loss: str
) -> None:
    """The output starts at the teacher's mean, where batch norm has no say: parts give the whole's gradient."""
    spec = tiny_spec(training={"epochs": 1, "batch_size": 128, "loss": loss})
    whole, _ = distillation(taught, spec, ["b1c1", "b2c1"])
    parts, recorder = distillation(taught, spec, ["b1c1", "b2c1"])
    images = next(whole._batches(0))
    expected = first_step(whole, images)
    fits_up_to(40, monkeypatch)
    found = first_step(parts, images)
    assert [log.message for log in recorder.of(Log)] == [
        "Out of device memory: going on with 64 images at a time.",
        "Out of device memory: going on with 32 images at a time.",
    ]
    for (gradient, lost), (of_whole, lost_by_whole) in zip(found, expected, strict=True):
        torch.testing.assert_close(gradient, of_whole, rtol=1e-3, atol=1e-6)
        assert lost == pytest.approx(lost_by_whole, rel=1e-4)


def first_step(run: Distillation, images: Tensor) -> list[tuple[Tensor, float]]:
    """The gradient by which the output of each cell is moved, and its loss."""
    while not run._gathered(0, images):
        run._halve()
    return [(moved_by(trainee), trainee.loss_sum.item()) for trainee in run.trainees]


def moved_by(trainee: Trainee) -> Tensor:
    seen: list[Tensor | None] = []
    bias = trainee.net.leave.get_parameter("bias")
    trainee.optimizer.register_step_pre_hook(lambda *_: seen.append(None if bias.grad is None else bias.grad.clone()))
    trainee.update(0)
    assert seen[0] is not None
    return seen[0]


def test_a_device_that_is_too_small(taught: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, _ = distillation(taught, tiny_spec(), ["b1c1"])
    fits_up_to(1, monkeypatch)
    with pytest.raises(OutOfMemory, match="Not even two images fit"):
        next(run._steps_on_gpu(0))


def fits_up_to(images: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the teacher runs out of memory on larger batches."""
    features = Teacher.features

    def limited(self: Teacher, batch: Tensor, boundaries: list[int]) -> dict[int, Tensor]:
        if len(batch) > images:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
        return features(self, batch, boundaries)

    monkeypatch.setattr(Teacher, "features", limited)
