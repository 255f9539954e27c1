"""An engine that takes step after step, driven as the worker drives it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dna_engine.events import Event, Failure, Result, parse_event
from dna_engine.plans import Order, Phase, plan_of
from tests.dna_engine.runs import tiny_spec, tiny_training

SPEC = tiny_spec()


@contextmanager
def engine(*options: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "dna_engine", "serve", "--device", "cpu", *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def until_the_end(process: subprocess.Popen[str], order: str) -> list[Event]:
    """What the engine says about an order, to its result or the end of the process."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"\n{order}\n")  # An empty line is no order: it says that the supervisor lives.
    process.stdin.flush()
    events = []
    for line in process.stdout:
        events.append(parse_event(line))
        if isinstance(events[-1], Result):
            break
    return events


def lay_training(run: Path) -> Order:
    """Another job in another folder, of another kind."""
    spec = tiny_training()
    run.mkdir()
    (run / "spec.json").write_text(spec.model_dump_json())
    [step] = plan_of(spec).steps(Phase.TRAIN)
    return Order(run=str(run), step=step)


def test_one_process_takes_step_after_step_and_leaves_with_its_supervisor(tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_text(SPEC.model_dump_json())
    with engine() as process:
        for phase in (Phase.TEACHER, Phase.DISTILL, Phase.RATE):
            [step] = plan_of(SPEC).steps(phase)
            events = until_the_end(process, Order(run=str(tmp_path), step=step).model_dump_json())
            assert isinstance(events[-1], Result)
            assert all((tmp_path / name).exists() for name in step.outputs(SPEC))
        another = lay_training(tmp_path / "training")
        assert isinstance(until_the_end(process, another.model_dump_json())[-1], Result)
        assert (tmp_path / "training/network/weights.safetensors").exists()
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(60) == 130


def test_it_leaves_when_its_supervisor_says_nothing_any_more() -> None:
    with engine("--patience", "0.5") as process:
        assert process.wait() == 130


def test_a_step_that_fails_ends_the_process(tmp_path: Path) -> None:
    spec = tiny_spec(teacher={"weights": str(tmp_path / "nowhere.safetensors")})
    (tmp_path / "spec.json").write_text(spec.model_dump_json())
    [step] = plan_of(spec).steps(Phase.TEACHER)
    with engine() as process:
        [*_, failure] = until_the_end(process, Order(run=str(tmp_path), step=step).model_dump_json())
        assert isinstance(failure, Failure)
        assert "nowhere.safetensors" in failure.error["message"]
        assert process.wait(60) == 2


def test_an_order_that_cannot_be_read_is_named() -> None:
    with engine() as process:
        [failure] = until_the_end(process, "once more")
        assert isinstance(failure, Failure)
        assert failure.error["code"] == "invalid_spec"
        assert process.wait(60) == 2
