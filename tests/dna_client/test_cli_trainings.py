"""``dna training`` against a real API process."""

from __future__ import annotations

import json
import re
from pathlib import Path
from uuid import UUID

import pytest

from dna_engine.events import Progress
from dna_engine.plans import Phase
from store import flow, jobs
from store.session import transaction
from tests.api.builders import ENDS, WEIGHTS, finish
from tests.dna_client.conftest import Api, Dna
from tests.store.builders import new_worker, queued, take


def test_every_reading_command_prints_the_apis_json(dna: Dna, finished: str, network: str, trained: str) -> None:
    assert dna("training", "show", trained, "--json").json["id"] == trained
    listed = dna("training", "list", "--json", "--label", "made=alone", "--state", "succeeded").json["items"]
    assert [found["id"] for found in listed] == [trained]
    of_search = dna("training", "list", "--search", "finished", "--json").json["items"]
    assert {"winner", "control"} <= {found["network"] for found in of_search}
    of_network = dna("training", "list", "--architecture", f"{finished}/winner", "--dataset", "digits", "--json").json
    assert {found["architecture_id"] for found in of_network["items"]} == {network}


def test_and_tables_for_people(dna: Dna, network: str, trained: str) -> None:
    lines = [" ".join(line.split()) for line in dna("training", "show", trained).out.splitlines()]
    for line in (
        f"succeeded {trained} trained",
        "network 99.00% 94.55 to 99.82% 99.00%",
        "100 test images: guessing reaches 50.00%, always the commonest class 50.00%.",
        "Log-loss 0.1000; calibration error 2.50% (ECE).",
        "1 49 of 50 98.00% 89.5 to 99.6% 49",
        "Most often taken: 1 for 0 (1).",
        "phase engine wall engines at once",
    ):
        assert line in lines
    assert any(re.fullmatch(rf"network digits [\d,]+ [\d,]+ {network}", line) for line in lines)
    assert any(
        re.fullmatch(r"\d+ epochs by quick, batches of 64, learning rate 0.003, 16 pixels, seed 0", line)
        for line in lines
    )
    assert [line.split()[0] for line in lines if re.search(r"\d+ B |kB |MB ", line)] == [
        "json",
        "safetensors",
        "onnx",
        "onnx-int8",
        "triton",
        "bundle",
    ]
    assert [line.split()[0] for line in lines[-3:]] == ["train", "export", "in"]
    assert trained in dna("training", "list").out
    none = dna("training", "list", "--label", "nobody=has-it")
    assert (none.code, none.out, none.err) == (0, "", "There are no such trainings.\n")


def test_creates_from_options(dna: Dna, network: str, finished: str) -> None:
    about = "--dataset digits --name mine --input-size 48 --seed 5 --label a=b --start scratch"
    recipe = "--recipe adamw --epochs 3 --batch-size 32 --learning-rate 0.004 --weight-decay 0 --label-smoothing 0.2"
    pictures = "--resize pad --background #102030 --no-augment --flip"
    made = dna(
        "training",
        "create",
        f"{finished[-8:]}/winner",
        *f"{about} {recipe} --sampling by_class --devices 2 {pictures} --json".split(),
    ).json
    spec = made["spec"]
    assert made["architecture_id"] == network
    assert (made["name"], made["labels"], spec["seed"], spec["input_size"]) == ("mine", {"a": "b"}, 5, 48)
    assert (spec["epochs"], spec["batch_size"], spec["learning_rate"]) == (3, 32, 0.004)
    assert (spec["weight_decay"], spec["label_smoothing"]) == (0, 0.2)
    assert (spec["augment"], spec["flip"], spec["recipe"], spec["start"]) == (False, True, "quick", "scratch")
    assert (spec["resize"], spec["background"], spec["sampling"]) == ("pad", "#102030", "by_class")
    assert spec["devices"] == 2


def test_begins_with_its_blocks_and_learns_from_the_teacher_where_that_is_asked_for(dna: Dna, finished: str) -> None:
    about = "--dataset digits --start inherited --teacher-weight 0.3 --temperature 2"
    made = dna("training", "create", f"{finished}/winner", *about.split(), "--json").json
    assert (made["spec"]["start"], made["spec"]["distill"]) == ("inherited", {"weight": 0.3, "temperature": 2})
    shown = " ".join(dna("training", "show", made["id"]).out.split())
    assert "seed 0, from its distilled blocks, teacher's answers 0.3 at temperature 2" in shown


def test_options_lie_over_a_file(dna: Dna, network: str, finished: str, tmp_path: Path) -> None:
    written = {"architecture": f"{finished}/winner", "dataset": "digits", "epochs": 7, "seed": 1}
    (tmp_path / "training.json").write_text(json.dumps(written))
    made = dna("training", "create", "--spec", str(tmp_path / "training.json"), "--seed", "2", "--json").json
    assert made["architecture_id"] == network
    assert (made["spec"]["epochs"], made["spec"]["seed"]) == (7, 2)


def test_says_what_was_chosen(dna: Dna, finished: str) -> None:
    made = dna("training", "create", f"{finished}/winner", "--dataset", "digits", "--epochs", "9")
    assert re.search(r"^Training \S+ \(Winner of finished: digits, 9 epochs\)$", made.err, re.MULTILINE)
    assert re.search(r"^  training      by quick, batches of \d+, learning rate \S+$", made.err, re.MULTILINE)
    assert "augmentation  left and right are never exchanged" in made.err
    assert made.out == f"{made.out.strip()}\n"


def test_cancel_resume_delete(dna: Dna, network: str) -> None:
    training = dna("training", "create", network, "--dataset", "digits", "--name", "steered").out.strip()
    assert dna("training", "cancel", "steered", "--json").json["state"] == "cancelled"
    watched = dna("training", "watch", training[-8:])
    assert watched.code == 7
    assert f"The training {training} was cancelled.\n" in watched.err
    assert f"dna training resume {training}" in watched.err
    assert f"To follow it: dna training watch {training}" in dna("training", "resume", training).err
    refused = dna("training", "delete", training)
    assert (refused.code, refused.out) == (5, "")
    assert f"To go on with it: dna training resume {training}" in dna("training", "cancel", training).err
    assert dna("training", "delete", training, "--json").json == {"id": training, "deleted": True}


def test_watching_shows_its_two_phases_and_then_the_training(dna: Dna, trained: str) -> None:
    lines = [json.loads(line) for line in dna("training", "watch", trained, "--json").out.splitlines()]
    assert [line["seq"] for line in lines[:-1]] == list(range(1, len(lines)))
    assert lines[-1]["id"] == trained
    watched = dna("training", "watch", trained)
    states = [line for line in watched.err.splitlines() if line.startswith(("queued", "running", "succeeded"))]
    assert states == ["queued", "running: train", "running: export", "succeeded"]
    assert f"dna training download {trained}" in watched.err
    assert "99.00%" in watched.out


def test_watching_one_of_a_search_shows_its_search(api: Api, dna: Dna) -> None:
    search = dna("search", "create", "--dataset", "digits", "--json").json["id"]
    finish(api.sessions, api.blobs, UUID(search), until=Phase.SELECT)
    with transaction(api.sessions) as session:
        claim = take(session, queued(session, jobs.lock(session, UUID(search)))[0], new_worker(session))
        flow.report(session, claim, [Progress(done=1, total=2, eta_seconds=1.0)], engine_seconds=1.0)
        flow.cancel(session, UUID(search))
        flow.stop(session, claim, engine_seconds=0.0)
    [winner] = [
        found
        for found in dna("training", "list", "--search", search, "--json").json["items"]
        if found["network"] == "winner"
    ]
    assert (winner["state"], winner["search_id"]) == ("cancelled", search)
    several = dna("training", "show", winner["name"])
    assert several.code == 2
    watched = dna("training", "watch", winner["id"])
    assert watched.code == 7
    assert "running: distill" in watched.err
    assert f"dna search resume {search}" in watched.err
    shown = dna("training", "show", winner["id"])
    assert shown.out.startswith(f"cancelled {winner['id']}")


def test_downloads(dna: Dna, trained: str, tmp_path: Path) -> None:
    files = dna("training", "download", "trained", "-f", "safetensors", "-o", str(tmp_path), "--json").json
    assert Path(files[0]["path"]).read_bytes() == WEIGHTS
    assert dna("training", "download", trained, "-o", str(tmp_path / "all")).out.count(str(tmp_path)) == len(ENDS)
    matrix, picture = dna("training", "confusion", "trained", "-o", str(tmp_path / "confusion"), "--json").json
    assert json.loads(Path(matrix["path"]).read_text())["matrix"] == [[3, 1], [0, 4]]
    assert Path(picture["path"]).name == f"confusion-{trained}.svg"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ("create --dataset digits", 2, "Name the network: SEARCH/winner"),
        ("create {network}", 2, "--dataset digits"),
        ("create nobody/winner --dataset digits", 4, "dna search list shows them"),
        ("create {network} --dataset digitz", 2, "Did you mean 'digits'"),
        ("create {network} --dataset digits --recipe cake", 2, "recipe"),
        ("create {network} --dataset digits --smoothing 1", 2, "Did you mean --label-smoothing"),
        ("create {network} --dataset digits --epochs 0", 2, "'--epochs': "),
        ("show nobody", 4, "There is no training 'nobody'; dna training list shows them."),
        ("cancel 00000000-0000-7000-8000-000000000000", 4, "There is no training"),
        ("list --state sleeping", 2, "state"),
        ("download {trained} -f gif", 2, "json, safetensors, onnx, onnx-int8, triton, bundle"),
    ],
)
def test_errors_are_one_clear_line(dna: Dna, network: str, trained: str, arguments: str, code: int, words: str) -> None:
    answer = dna("training", *arguments.format(network=network, trained=trained).split())
    assert (answer.code, answer.out) == (code, "")
    assert words in answer.err
    assert "Traceback" not in answer.err


def test_networks_from_elsewhere(dna: Dna, tmp_path: Path) -> None:
    added = dna("architecture", "add", "dna-b", "--json").json
    assert (added["name"], added["role"]) == ("dna-b", "given")
    described = tmp_path / "network.json"
    described.write_text(json.dumps(added["architecture"] | {"input_size": 32}))
    other = dna("architecture", "add", str(described), "--name", "smaller", "--json").json
    assert other["id"] != added["id"]
    listed = dna("architecture", "list", "--role", "given", "--sort", "-params", "--params-max", "1G", "--json").json
    assert {added["id"], other["id"]} <= {network["id"] for network in listed["items"]}
    assert "smaller" in dna("architecture", "list", "--role", "given").out
    for network in ("dna-b", str(described), "smaller"):
        made = dna("training", "create", network, "--dataset", "digits", "--input-size", "32", "--json").json
        assert made["architecture_id"] == (added if network == "dna-b" else other)["id"]


def test_begins_with_the_weights_of_another_training(dna: Dna, trained: str, network: str, finished: str) -> None:
    slow = "--dataset digits --epochs 9 --backbone-learning-rate 0.0002 --head-epochs 3"
    made = dna("training", "create", "--start-from", trained[-10:], *slow.split(), "--json").json
    spec = made["spec"]
    assert (made["architecture_id"], spec["transferred"]["training"]) == (network, trained)
    assert (spec["backbone_learning_rate"], spec["head_epochs"]) == (0.0002, 3)
    shown = " ".join(dna("training", "show", made["id"]).out.split())
    assert f"from training {trained} on digits, its classifier too, 0.0002 in the layers before it, 3 epochs" in shown
    short = "--dataset digits --epochs 2 --head-epochs 1"
    made = dna("training", "create", "--start-from", trained, *short.split(), "--json").json
    shown = " ".join(dna("training", "show", made["id"]).out.split())
    assert "1 epoch of the classifier alone" in shown
    anew = "--dataset digits --head new --json"
    of_search = dna("training", "create", "--start-from", f"{finished}/control", *anew.split()).json
    assert of_search["architecture_id"] != network
    assert not of_search["spec"]["transferred"]["keeps_head"]
    assert "--start-from" in dna("training", "create", "--dataset", "digits").err
