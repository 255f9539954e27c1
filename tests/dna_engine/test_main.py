"""The command line, as processes that people and supervisors start."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dna_engine.__main__ import main
from dna_engine.events import Checkpoint, Failure, Progress, Result, parse_event
from dna_engine.plans import Kind, Step
from dna_engine.select import Problem, best, load_ratings
from dna_engine.space import SPACES
from tests.dna_engine.runs import tiny_spec

COMMAND = [sys.executable, "-m", "dna_engine"]
#: Runs long enough to be stopped.
LONG = Step(key="teacher", kind=Kind.TEACHER)


def say(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


# --- what answers at once


def test_space_counts_the_papers_space(capsys: pytest.CaptureFixture[str]) -> None:
    figures = say(capsys, "space", "dna-mbconv")
    assert figures["networks"] == "195898498887057408"
    assert figures["paths_per_block"] == [288, 1548, 1548, 2808, 16848, 6]
    assert figures["paths"] == 23046
    assert figures["flops"] == [193_090_192, 620_836_000]
    assert figures["params"] == [3_234_436, 6_599_452]


def test_space_reads_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "space.json"
    path.write_text(json.dumps(SPACES["mbconv-small"].to_json()))
    ours = say(capsys, "space", str(path), "--input", "32", "--classes", "10")
    assert ours == say(capsys, "space", "mbconv-small", "--input", "32", "--classes", "10")


@pytest.mark.parametrize(
    ("name", "params", "flops"),
    [
        ("dna-a", 4_243_318, 335_141_728),
        ("dna-b", 4_918_180, 392_492_032),
        ("dna-c", 5_273_896, 450_138_976),
        ("dna-d", 6_409_486, 592_837_792),
    ],
)
def test_describe_gives_the_published_networks_to_the_unit(
    capsys: pytest.CaptureFixture[str], name: str, params: int, flops: int
) -> None:
    figures = say(capsys, "describe", name)
    assert (figures["params"], figures["flops"]) == (params, flops)
    assert sum(layer["flops"] for layer in figures["layers"]) == flops
    assert sum(layer["params"] for layer in figures["layers"]) == params


def test_describe_reads_an_architecture_at_its_own_input(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from dna_engine.space.architecture import published

    path = tmp_path / "architecture.json"
    path.write_text(json.dumps(published("dna-a", input_size=240).to_json()))
    assert say(capsys, "describe", str(path))["flops"] == 398_531_696
    assert say(capsys, "describe", str(path), "--input", "224")["flops"] == 335_141_728


def lay_ratings(path: Path) -> Path:
    rng = np.random.default_rng(0)
    space = SPACES["dna-mbconv-single"]
    rows = [
        {"block": r.block, "cell": r.cell, "losses": rng.random(space.path_count(space.cell(r))).tolist()}
        for r in space.cells
    ]
    path.write_text(json.dumps({"space": space.name, "input_size": 224, "ratings": rows}))
    return path


def test_select_answers_best_first(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = lay_ratings(tmp_path / "ratings.json")
    answer = say(
        capsys, "select", str(path), "--flops", "350e6", "--params", "5e6", "--top-k", "3", "--min-distance", "4"
    )
    expected = best(Problem(load_ratings(path)), {"flops": 350_000_000, "params": 5_000_000}, 3, 4)
    assert answer == expected.to_json()
    assert answer["exact"] is True
    losses = [network["loss"] for network in answer["architectures"]]
    assert len(losses) == 3
    assert losses == sorted(losses)


def test_an_infeasible_budget_has_its_exit_code_and_says_what_would_do(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = str(lay_ratings(tmp_path / "ratings.json"))
    assert main(["select", path, "--flops", "1e6", "--json"]) == 3
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "infeasible_budget"
    assert error["binding"] == ["flops"]
    assert error["nearest"][0]["flops"] == error["feasible"]["flops"][0]
    assert main(["select", path, "--flops", "1e6"]) == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "No network of the space fits the budget: " in captured.err
    assert "Budgets nearby" in captured.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["describe", "dna-e"], "dna-d"),
        (["space", "tiny"], "mbconv-small"),
        (["select", "nowhere.json"], "nowhere.json cannot be read"),
        (["run", "nowhere.json", "--out", "x"], "nowhere.json cannot be read"),
        (["run", "spec.json", "--out", "x"], "colour"),
        (["run", "birds.json", "--out", "x"], "no dataset named 'birds'"),
        (["run", "cuda.json", "--out", "x", "--device", "cuda:99"], "no cuda:99"),
        (["run", "cuda.json", "--out", "x", "--device", "abacus"], "not a device"),
    ],
)
def test_what_a_user_gets_wrong_is_said(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("spec.json").write_text('{"dataset": "digits", "colour": "red"}')
    Path("birds.json").write_text('{"dataset": "birds"}')
    Path("cuda.json").write_text('{"dataset": "digits"}')
    assert main(arguments) == 2
    assert says in capsys.readouterr().err


def test_tables_for_people(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for arguments, says in (
        (["space", "dna-mbconv"], "195,898,498,887,057,408"),
        (["describe", "dna-a"], "335,141,728"),
        (["teachers"], "tf_efficientnet_b7"),
        (["select", str(lay_ratings(tmp_path / "ratings.json"))], "mb6_7x7"),
    ):
        assert main(arguments) == 0
        assert says in capsys.readouterr().out


def test_what_answers_at_once_loads_no_torch() -> None:
    asked = [["space", "dna-mbconv"], ["describe", "dna-a"], ["teachers"]]
    code = f"import sys; from dna_engine.__main__ import main; [main(each) for each in {asked}]; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL, timeout=60)


# --- steps under a supervisor


def start(run: Path, *options: str, epochs: int = 100) -> subprocess.Popen[str]:
    run.mkdir(exist_ok=True)
    (run / "spec.json").write_text(tiny_spec(teacher={"epochs": epochs}).model_dump_json())
    (run / "step.json").write_text(LONG.model_dump_json())
    command = [*COMMAND, "step", str(run / "step.json"), "--run", str(run), "--device", "cpu", *options]
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def wait_for_progress(process: subprocess.Popen[str], done: int = 1) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        event = parse_event(line)
        if isinstance(event, Progress) and event.done >= done:
            return
    raise AssertionError("the step ended before it made progress")


def test_sigterm_leaves_a_checkpoint_and_the_next_process_goes_on(tmp_path: Path) -> None:
    with start(tmp_path) as process:
        wait_for_progress(process)
        process.send_signal(signal.SIGTERM)
        assert process.stdout is not None
        events = [parse_event(line) for line in process.stdout]
        assert process.wait(60) == 130
    assert any(isinstance(event, Checkpoint) for event in events)
    assert isinstance(events[-1], Failure)
    assert events[-1].error["code"] == "interrupted"
    assert (tmp_path / LONG.checkpoint).exists()

    with start(tmp_path, "--watch-stdin") as process:
        assert process.stdout is not None
        first = next(event for event in map(parse_event, process.stdout) if isinstance(event, Progress))
        assert first.done > 1
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(60) == 130, "it leaves at once when its supervisor dies"


def test_a_step_ends_with_its_result(tmp_path: Path) -> None:
    with start(tmp_path, epochs=1) as process:
        assert process.stdout is not None
        events = [parse_event(line) for line in process.stdout]
        assert process.wait(60) == 0
    assert isinstance(events[-1], Result)
    assert all((tmp_path / name).exists() for name in events[-1].artifacts)


def test_a_step_that_fails_says_why_in_an_event(tmp_path: Path) -> None:
    (tmp_path / "step.json").write_text(json.dumps({"key": "x", "kind": "dream"}))
    (tmp_path / "spec.json").write_text(tiny_spec().model_dump_json())
    command = [*COMMAND, "step", str(tmp_path / "step.json"), "--run", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    event = parse_event(done.stdout.splitlines()[-1])
    assert isinstance(event, Failure)
    assert "kind" in event.error["message"]
