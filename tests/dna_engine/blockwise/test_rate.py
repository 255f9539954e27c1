"""Shared prefixes rate every path as it would be rated alone, with the fewest op evaluations."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from dna_engine.blockwise import rate
from dna_engine.blockwise.cell import CellSupernet, make_cells
from dna_engine.blockwise.models import build
from dna_engine.blockwise.rate import Rater, even_batch
from dna_engine.blockwise.spread import Spread
from dna_engine.blockwise.teacher import Teacher, load_teacher
from dna_engine.errors import Interrupted
from dna_engine.events import Checkpoint, Log, Progress
from dna_engine.images.pictures import pixels
from dna_engine.plans import Kind, Step
from dna_engine.runtime.context import Context
from dna_engine.space import CellRef, Space, parse_space
from dna_engine.spec import ResolvedSpec
from dna_engine.training.splits import load_splits
from tests.dna_engine.runs import context, tiny_spec


def space_of(depth: int) -> Space:
    cells = {"cells": [{"depth": depth, "width": 8}]}
    return parse_space({"blocks": [{"stride": 2, **cells}, {"stride": 2, **cells}], "stem_width": 8, "first_width": 8})


def cell_of(space: Space, block: int) -> tuple[CellRef, CellSupernet]:
    torch.manual_seed(3)
    ref = CellRef(block, 1)
    return ref, CellSupernet(space, ref, 12 if block > 1 else 3, 20, width="adaptors").train()


@pytest.mark.parametrize("block", [1, 2])
@pytest.mark.parametrize("memory", [1, 1 << 30])
def test_equals_path_by_path(block: int, memory: int) -> None:
    """Every path of a three-layer cell, to 1e-5, in stacks of one and in stacks as large as they come."""
    space = space_of(3)
    ref, net = cell_of(space, block)
    x = torch.randn(6, 3 if block == 1 else 12, 16, 16)
    with torch.no_grad():
        side = net(x, space.path(space.cell(ref), 0)).shape[-1]
        target = torch.randn(6, 20, side, side)
        alone = [(net(x, path) - target).abs().sum().double() for path in space.paths(space.cell(ref))]
    shared = Rater(space, ref, net, memory=memory).distances(x, target)
    assert len(shared) == 216
    torch.testing.assert_close(shared, torch.stack(alone), rtol=1e-5, atol=0)


@pytest.mark.parametrize(("depth", "evaluations"), [(3, 258), (4, 1554)])
def test_evaluates_the_fewest_ops(depth: int, evaluations: int) -> None:
    """6 + 36 + 216 + 1,296 for four layers."""
    space = space_of(depth)
    ref, net = cell_of(space, 2)
    rater = Rater(space, ref, net, memory=1 << 24)
    rater.distances(torch.randn(2, 12, 4, 4), torch.randn(2, 20, 2, 2))
    assert rater.evaluations == evaluations
    assert evaluations == sum(6**layer for layer in range(1, depth + 1))


def test_leaves_the_running_statistics_alone() -> None:
    """Rating normalises by each path's own batch and keeps nothing of it."""
    space = space_of(2)
    ref, net = cell_of(space, 2)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    Rater(space, ref, net, memory=1 << 24).distances(torch.randn(4, 12, 4, 4), torch.randn(4, 20, 2, 2))
    after = net.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("depth", [2, 3])
def test_an_op_sees_the_batch_once_for_each_prefix(depth: int) -> None:
    """Counted where the ops run, not where the rater keeps its books."""
    space = space_of(depth)
    ref, net = cell_of(space, 2)
    images = 0

    def count(_module: object, inputs: tuple[Tensor, ...]) -> None:
        nonlocal images
        images += len(inputs[0])

    for candidates in net.layers:
        for candidate in candidates.children():
            candidate.register_forward_pre_hook(count)
    Rater(space, ref, net, memory=1 << 20).distances(torch.randn(4, 12, 4, 4), torch.randn(4, 20, 2, 2))
    assert images == 4 * sum(6**layer for layer in range(1, depth + 1))


def test_skips_are_rated_too() -> None:
    space = parse_space(space_of(3).to_json() | {"ops": ["mb6_3x3", "mb3_5x5", "skip"]})
    ref, net = cell_of(space, 2)
    x, target = torch.randn(6, 12, 8, 8), torch.randn(6, 20, 4, 4)
    with torch.no_grad():
        alone = [(net(x, path) - target).abs().sum().double() for path in space.paths(space.cell(ref))]
    shared = Rater(space, ref, net, memory=1 << 24).distances(x, target)
    assert len(shared) == 2 * 3 * 3
    torch.testing.assert_close(shared, torch.stack(alone), rtol=1e-5, atol=0)


class TestStep:
    """Ratings as the step leaves them: by the definition, and the same after an interruption."""

    spec = tiny_spec(rating={"images": 100, "batch_size": 40})
    step = Step(key="rate-1", kind=Kind.RATE, cells=["b2c1", "b3c1"])

    @pytest.fixture(scope="class")
    @classmethod
    def run(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """A folder with a teacher and cells that have learned nothing, rated."""
        run = tmp_path_factory.mktemp("run")
        torch.manual_seed(0)
        save_file(build("resnet10t").state_dict(), run / "teacher.safetensors")
        (run / "teacher.json").write_text(json.dumps({"mean": pixels.MEAN, "std": pixels.STD}))
        (run / "cells").mkdir()
        for ref, net in untrained(cls.spec, run)[1].items():
            save_file(net.state_dict(), run / f"cells/{ref}.safetensors")
        rate.run_step(cls.spec, cls.step, context(run)[0])
        return run

    def losses(self, run: Path) -> dict[str, list[float]]:
        return {cell: json.loads((run / f"ratings/{cell}.json").read_text())["losses"] for cell in self.step.cells}

    def test_by_the_definition(self, run: Path) -> None:
        """mean|S - Y| / std(Y) over all held-out images, each path computed alone."""
        teacher, cells = untrained(self.spec, run)
        ref = CellRef(2)
        cells[ref].load_state_dict(load_file(run / "cells/b2c1.safetensors"))
        held_out = [batch for batch, _ in load_splits(self.spec, torch.device("cpu")).rate.ordered(34)]
        assert [len(batch) for batch in held_out] == [34, 34, 32]
        features = [teacher.features(batch, [1, 2]) for batch in held_out]
        spread = torch.cat([maps[2].flatten() for maps in features]).std()
        space = self.spec.parsed_space
        expected = []
        for path in itertools.product(*(space.layer_ops(layer) for layer in range(2))):
            with torch.no_grad():
                apart = [(cells[ref](maps[1], path) - maps[2]).abs().flatten() for maps in features]
            expected.append((torch.cat(apart).mean() / spread).item())
        assert self.losses(run)["b2c1"] == pytest.approx(expected, rel=1e-5)

    def test_goes_on_after_an_interruption(self, run: Path) -> None:
        before = self.losses(run)
        ctx, recorder = context(run, stop=lambda: True)
        with pytest.raises(Interrupted):
            rate.run_step(self.spec, self.step, ctx)
        assert [event.name for event in recorder.of(Checkpoint)] == [self.step.checkpoint]
        ctx, recorder = context(run)
        rate.run_step(self.spec, self.step, ctx)
        assert [(event.done, event.total) for event in recorder.of(Progress)] == [(16, 24), (24, 24)]
        [said] = recorder.of(Log)
        assert said.message == f"{self.step.key} goes on from its checkpoint at batch 1 of 3."
        assert self.losses(run) == before
        assert not (run / self.step.checkpoint).exists()

    def test_tells_how_far_it_is_inside_a_batch(self, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """In op evaluations, each cell's counted from its own thread, over as many as there are."""
        monkeypatch.setattr(rate, "REPORT_EVERY", 0.0)
        before = self.losses(run)
        here, recorder = context(run)
        rate.run_step(self.spec, self.step, here)
        told = recorder.of(Progress)
        per_batch = (2 + 4) + 2
        assert {(event.total, event.unit) for event in told} == {(3 * per_batch, "op evaluations")}
        assert [event.done for event in told] == sorted(event.done for event in told)
        assert len({event.done for event in told} - {per_batch, 2 * per_batch, 3 * per_batch}) > 1
        assert told[-1].done == 3 * per_batch
        assert told[-1].eta_seconds == 0.0
        assert self.losses(run) == before


def untrained(spec: ResolvedSpec, run: Path) -> tuple[Teacher, dict[CellRef, CellSupernet]]:
    ctx: Context = context(run)[0]
    teacher = load_teacher(spec, run, ctx.device)
    return teacher, make_cells(spec, [CellRef(2), CellRef(3)], teacher.shapes(spec.input_size))


def test_spread_is_the_standard_deviation() -> None:
    values = torch.randn(1000) * 3 + 5
    spread = Spread()
    for part in torch.split(values, 300):
        spread.add(part)
    assert spread.count == 1000
    assert spread.deviation == pytest.approx(values.double().std(correction=0).item(), rel=1e-12)
    assert spread.variance == pytest.approx(values.double().var().item(), rel=1e-12)


@pytest.mark.parametrize(
    ("images", "batch", "expected"),
    [(143, 64, 48), (128, 64, 64), (30, 64, 30), (129, 64, 43), (3, 2, 3), (4033, 64, 65)],
)
def test_batches_are_even(images: int, batch: int, expected: int) -> None:
    assert even_batch(images, batch) == expected
    assert images % expected != 1
