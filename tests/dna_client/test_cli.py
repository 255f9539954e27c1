"""The ``dna`` command against a real API process: JSON for programs, words for people, exit codes for both."""

from __future__ import annotations

import io
import json
import re
import sys
from importlib.metadata import version
from pathlib import Path
from uuid import UUID

import pytest
import typer
from PIL import Image
from safetensors.torch import save_file
from sqlalchemy import delete, func, update

from dna_client.cli.options import whole
from dna_engine.plans.files import PICTURES
from store import workers
from store.session import transaction
from store.tables import Artifact, Worker
from store.workers import Condition
from tests.api.builders import ENDS, NO_ONNX, WEIGHTS, finish
from tests.dna_client.conftest import Api, Dna
from tests.dna_engine.blockwise.models import random_model


def test_every_reading_command_prints_the_apis_json(dna: Dna, finished: str) -> None:
    assert dna("search", "show", finished, "--json").json["id"] == finished
    assert {found["id"] for found in dna("search", "list", "--json", "--label", "made=before").json["items"]} == {
        finished
    }
    assert dna("frontier", finished, "--json").json["points"]
    assert len(dna("select", finished, "--flops", "5M", "--top-k", "2", "--json").json["architectures"]) == 2
    assert "digits" in [found["name"] for found in dna("dataset", "list", "--json").json]
    assert dna("dataset", "show", "digits", "--json").json["num_train"] == 1437
    assert [found["name"] for found in dna("teacher", "list", "resnet10t", "--json").json] == ["resnet10t"]
    assert "mobilenetv4" in [found["name"] for found in dna("space", "list", "--json").json]
    assert isinstance(dna("workers", "list", "--json").json, list)
    assert int(dna("search", "estimate", "--dataset", "digits", "--json").json["candidates"]) > 100_000


def test_weights_of_a_teacher_are_sent_and_named(dna: Dna, tmp_path: Path) -> None:
    save_file(random_model("resnet10t", num_classes=10).state_dict(), tmp_path / "mine.safetensors")
    said = dna(
        "teacher", "create", str(tmp_path / "mine.safetensors"), "--model", "resnet10t", "--std", "0.3", "0.3", "0.3"
    ).out
    assert said.startswith("mine: resnet10t for 10 classes, ")
    assert "std          0.3, 0.3, 0.3" in dna("teacher", "show", "mine").out
    assert "layer1 64@4" in dna("teacher", "show", "resnet10t").out
    spec = dna("search", "estimate", "--dataset", "digits", "--teacher-from", "mine", "--json").json["spec"]
    assert spec["teacher"]["given"]["source"] == dna("teacher", "show", "mine", "--json").json["id"]
    assert dna("teacher", "delete", "mine", "--json").json == {"teacher": "mine", "deleted": True}
    assert dna("teacher", "show", "mine").code == 4
    refused = dna("teacher", "create", str(tmp_path / "none.safetensors"), "--model", "resnet10t")
    assert (refused.code, "cannot be read" in refused.err) == (2, True)


def test_the_nodes_of_a_worker_are_told_apart_by_what_they_take(dna: Dna, api: Api) -> None:
    with transaction(api.sessions) as session:
        made = [
            workers.register(
                session, hostname="twins", pid=1, device="cpu", device_name="a CPU", queues=[queue], versions={}
            ).id
            for queue in ("gpu", "cpu")
        ]
        cut_off = session.get_one(Worker, made[1])
        workers.beat(session, cut_off, current_step_id=None, condition=Condition(redis_answers=False))
    shown = [line.split() for line in dna("workers", "list").out.splitlines() if line.startswith("twins")]
    rows = [line[:3] for line in shown]
    assert [" ".join(line).endswith("takes nothing: Redis does not answer it") for line in shown] == [False, True]
    with transaction(api.sessions) as session:
        for worker_id in made:
            workers.leave(session, worker_id)
    assert rows == [["twins", "1", "gpu"], ["twins", "1", "cpu"]]


def test_and_tables_for_people_that_no_pipe_cuts(dna: Dna, finished: str) -> None:
    shown = dna("search", "show", finished).out
    for word in ("winner", "control", "teacher resnet10t", "predicted loss", "engines at once", finished):
        assert word in shown
    reached = shown[shown.index("network  test accuracy") :].splitlines()[:7]
    assert max(map(len, reached)) <= 80
    assert [" ".join(line.split()) for line in reached] == [
        "network test accuracy 95% interval balanced",
        "winner 99.00% 94.55 to 99.82% 99.00%",
        "control 99.00% 94.55 to 99.82% 99.00%",
        "100 test images: guessing reaches 50.00%, always the commonest class 50.00%.",
        "winner recognises least: 1, 49 of 50 test images.",
        "control recognises least: 1, 49 of 50 test images.",
        "100 test images do not tell winner from control (-4.5 to +4.5 points).",
    ]
    assert finished in dna("search", "list").out
    assert "predicted loss" in dna("frontier", finished, "--points", "5").out
    assert "mb" in dna("select", finished, "--params", "400k").out
    assert "64@4 128@8 256@16 512@32" in dna("teacher", "list", "resnet10t").out
    assert "170,747,744 to 2,000,774,656" in dna("space", "list").out
    assert "networks" in dna("search", "estimate", "--dataset", "digits").out
    assert "1,437" in dna("dataset", "list").out
    assert re.search(r"^num_classes +10$", dna("dataset", "show", "digits").out, re.M)


def test_creates_from_options(dna: Dna) -> None:
    search = (
        "--dataset digits --name mine --input-size 48 --flops 4e6 --params 500k --latency-ms 2.5 --seed 5 --label a=b"
    )
    teacher = "--teacher resnet18 --weights train --teacher-epochs 2 --space mbconv-small"
    training = "--epochs 3 --distill-learning-rate 1e-3 --retrain-epochs 4 --learning-rate 0.004 --teacher-weight 0.3"
    recipe = "--recipe small --set cutmix=1 --set optimizer=lamb --set drop-path=0.2 --patience 3"
    training += " --reference efficientnet_b0 --reference resnet18"
    made = dna("search", "create", *f"{search} {teacher} {training} {recipe} --json".split()).json
    spec = made["spec"]
    assert spec["budget"] == {"flops": 4_000_000, "params": 500_000, "latency_ms": 2.5}
    assert (spec["training"]["epochs"], spec["training"]["learning_rate"]) == (3, 0.001)
    assert (spec["retrain"]["epochs"], spec["retrain"]["learning_rate"]) == (4, 0.004)
    assert spec["retrain"]["references"] == ["efficientnet_b0", "resnet18"]
    assert (spec["teacher"]["model"], spec["teacher"]["weights"], spec["teacher"]["epochs"]) == ("resnet18", "train", 2)
    chosen = {name: spec["retrain"][name] for name in ("recipe", "cutmix", "mixup", "optimizer", "drop_path")}
    assert chosen == {"recipe": "small", "cutmix": 1, "mixup": 0.1, "optimizer": "lamb", "drop_path": 0.2}
    assert spec["retrain"]["early_stopping"] == {"patience": 3, "images": spec["rating"]["images"]}
    assert spec["retrain"]["distill"] == {"weight": 0.3, "temperature": 4}
    assert (spec["space"]["name"], spec["input_size"], spec["seed"]) == ("mbconv-small", 48, 5)
    assert (made["name"], made["labels"]) == ("mine", {"a": "b"})


def test_recipes_number_by_number(dna: Dna) -> None:
    said = dna("recipes").out
    assert re.search(r"^quick +Crops and flips.* The default for any number of images\.$", said, re.M)
    assert re.search(r"^optimizer +adamw +adamw +adamw +rmsproptf$", said, re.M)
    assert re.search(r"^autoaugment +- +- +- +yes$", said, re.M)
    assert [found["name"] for found in dna("recipes", "--json").json] == ["quick", "small", "modern", "paper"]
    planned = dna("search", "estimate", "--dataset", "digits", "--recipe", "modern")
    assert "Recipe of winner and control: modern. modern was asked for." in planned.out
    wrong = dna("search", "estimate", "--dataset", "digits", "--set", "mixup")
    assert (wrong.code, "NUMBER=VALUE" in wrong.err) == (2, True)


def test_says_what_was_chosen_and_what_weakens_the_search(dna: Dna) -> None:
    weak = ("--dataset", "digits", "--space", "mbconv-small", "--teacher", "vit_base_patch16_224", "--epochs", "3")
    made, planned = dna("search", "create", *weak), dna("search", "estimate", *weak)
    for said in (made.err, planned.out):
        assert said.count("Warning: Block ") == 1
        assert "  input size    224 pixels\n  teacher       trained on the dataset, 12 epochs\n" in said
        assert "vit_base_patch16_224, " not in said
        assert "distillation" not in said
    assert made.out == f"{made.out.strip()}\n"
    everything = dna("search", "create", *weak, "--json").json["spec"]
    assert (
        dna("search", "create", "--dataset", "digits", "--input-size", str(everything["input_size"])).err.count(
            "input size"
        )
        == 0
    )


def test_what_was_made_is_named_as_people_name_it(dna: Dna) -> None:
    birds, other = (
        dna("search", "create", "--dataset", "digits", "--name", name).out.strip() for name in ("bird", "x")
    )
    assert dna("search", "show", "bird", "--json").json["id"] == birds
    assert dna("search", "show", birds[-8:], "--json").json["id"] == birds
    several = dna("search", "show", birds[:6])
    assert several.code == 2
    for said in (birds[-8:], other[-8:], "queued", ", bird", "write one of these ids"):
        assert said in several.err
    missing = dna("search", "cancel", "birdz")
    assert (missing.code, "dna search list" in missing.err) == (4, True)
    assert dna("search", "cancel", "bird").code == dna("search", "cancel", other[-12:]).code == 0
    assert dna("search", "delete", "bird", "--json").json["id"] == birds


def test_networks_and_datasets_are_named_like_that_too(dna: Dna, finished: str, tmp_path: Path) -> None:
    networks = dna("search", "show", finished, "--json").json["architectures"]
    control = next(network["id"] for network in networks if network["role"] == "control")
    for name in (control, control[-8:], f"{finished[-8:]}/control"):
        dna("download", name, "-f", "json", "-o", str(tmp_path / name) + "/")
        (file,) = (tmp_path / name).iterdir()
        assert re.fullmatch(rf"control-of-.+-{control[-8:]}\.json", file.name)
    assert dna("download", f"{finished}/loser").code == 4
    begun = dna("search", "create", "--dataset", "digits", "--json").json["id"]
    early = dna("download", f"{begun}/winner")
    assert (early.code, early.out) == (4, "")
    assert early.err == "error: The search has found no network yet: it is queued, in phase teacher.\n"


def test_what_is_not_there_yet_has_no_table(dna: Dna) -> None:
    begun = dna("search", "create", "--dataset", "digits", "--name", "just begun", "--json").json["id"]
    shown = dna("search", "show", begun).out.splitlines()
    assert shown[:2] == [f"queued {begun}  just begun", "phase teacher, 0%"]
    assert not [line for line in shown if line.startswith(("network", "teacher", "in all"))]
    none = dna("search", "list", "--label", "nobody=has-it")
    assert (none.code, none.out, none.err) == (0, "", "There are no such searches.\n")
    digits = dna("dataset", "show", "digits", "--json").json
    assert dna("dataset", "show", digits["id"][-6:], "--json").json == digits
    assert dna("dataset", "show", "digitz").code == 4


def test_options_lie_over_a_file_field_by_field(dna: Dna, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = {"dataset": "digits", "budget": {"flops": 3_000_000, "params": 400_000}, "seed": 1}
    (tmp_path / "spec.json").write_text(json.dumps(written))
    spec = dna("search", "create", str(tmp_path / "spec.json"), "--flops", "5_000_000", "--json").json["spec"]
    assert (spec["budget"]["flops"], spec["budget"]["params"], spec["seed"]) == (5_000_000, 400_000, 1)
    same = dna("search", "create", "--spec", str(tmp_path / "spec.json"), "--label", "a=b", "--json").json["spec"]
    assert (same["budget"]["flops"], same["labels"]) == (3_000_000, {"a": "b"})
    both = dna("search", "create", "one.json", "--spec", "two.json")
    assert (both.code, "one.json, or --spec two.json" in both.err) == (2, True)
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps({**written, "seed": 9})))
    assert dna("search", "create", "-", "--json").json["spec"]["seed"] == 9


def test_that_no_worker_is_live_is_said_at_once(dna: Dna, api: Api) -> None:
    with transaction(api.sessions) as session:
        session.execute(update(Worker).values(stopped_at=func.now()))
    made = dna("search", "create", "--dataset", "digits")
    assert "waits for a worker; none is live (start one: dna worker, or dna up)" in made.err
    search = made.out.strip()
    assert "none is live" in dna("search", "show", search).err
    assert f"{search}  waits for a worker" in dna("search", "list").out
    assert "Warning: No worker is live" in dna("search", "estimate", "--dataset", "digits").out
    dna("search", "cancel", search)
    assert f"{search}  waits" not in dna("search", "list").out


def test_cancel_resume_delete(dna: Dna) -> None:
    search = dna("search", "create", "--dataset", "digits").out.strip()
    assert dna("search", "cancel", search, "--json").json["state"] == "cancelled"
    assert f"Search {search} goes on from where it was." in dna("search", "resume", search).err
    refused = dna("search", "delete", search)
    assert (refused.code, refused.out) == (5, "")
    assert "Cancel it" in refused.err
    assert f"Search {search} is cancelled. To go on with it: dna search resume" in dna("search", "cancel", search).err
    assert dna("search", "delete", search, "--json").json == {"id": search, "deleted": True}


def test_watching_prints_each_event_then_the_search(dna: Dna, finished: str) -> None:
    lines = [json.loads(line) for line in dna("search", "watch", finished, "--json").out.splitlines()]
    assert [line["seq"] for line in lines[:-1]] == list(range(1, len(lines)))
    assert lines[-1]["id"] == finished
    watched = dna("search", "watch", finished)
    assert "running: distill" in watched.err
    assert "winner" in watched.out


def test_watching_a_cancelled_search_fails(dna: Dna) -> None:
    search = dna("search", "create", "--dataset", "digits").out.strip()
    dna("search", "cancel", search)
    watched = dna("search", "watch", search)
    assert watched.code == 7
    assert f"The search {search} was cancelled.\n" in watched.err
    assert f"dna search resume {search}" in watched.err


def test_downloads(dna: Dna, finished: str, tmp_path: Path) -> None:
    network = dna("search", "show", finished, "--json").json["best"]["architecture_id"]
    files = dna("download", network, "-f", "safetensors", "-f", "json", "-o", str(tmp_path), "--json").json
    assert Path(files[0]["path"]).read_bytes() == WEIGHTS
    assert dna("download", network, "-o", str(tmp_path)).out.count(str(tmp_path)) == len(ENDS)
    assert dna("download", network, "-f", "onnx", "-o", str(tmp_path / "net.onnx")).code == 0
    assert (tmp_path / "net.onnx").exists()
    assert dna("download", network, "-f", "onnx", "-o", str(tmp_path / "new/deep/net.onnx")).code == 0
    assert (tmp_path / "new/deep/net.onnx").read_bytes() == (tmp_path / "net.onnx").read_bytes()
    assert dna("download", network, "-o", str(tmp_path / "new/folder")).code == 0
    assert len(list((tmp_path / "new/folder").iterdir())) == len(ENDS)
    assert dna("architecture", "download", network, "-f", "triton", "-o", str(tmp_path / "models.zip")).code == 0
    assert (tmp_path / "models.zip").exists()
    for refused in (("-o", str(tmp_path / "net.onnx")), ("-f", "json", "-o", str(tmp_path / "net.onnx/x"))):
        answer = dna("download", network, *refused)
        assert (answer.code, answer.err.count("\n")) == (2, 1)


def test_a_download_of_all_takes_what_there_is(api: Api, dna: Dna, tmp_path: Path) -> None:
    search = dna("search", "create", "--dataset", "digits", "--json").json["id"]
    finish(api.sessions, api.blobs, UUID(search), onnx=False)
    network = dna("search", "show", search, "--json").json["best"]["architecture_id"]
    some = dna("download", network, "-o", str(tmp_path))
    assert (some.code, len(list(tmp_path.iterdir()))) == (0, 3)
    assert f"onnx: There is no onnx of this network: {NO_ONNX}\n" in some.err
    assert [line.split(":")[0] for line in some.err.splitlines()] == ["onnx", "onnx-int8", "triton"]
    asked = dna("download", network, "-f", "onnx", "-f", "json", "-o", str(tmp_path))
    assert (asked.code, asked.err) == (4, f"error: There is no onnx of this network: {NO_ONNX}\n")
    assert dna("download", "00000000-0000-7000-8000-000000000000", "-o", str(tmp_path)).code == 4


def test_pictures_are_shown_to_a_network(dna: Dna, finished: str, tmp_path: Path) -> None:
    photos = [tmp_path / "light.png", tmp_path / "dark.png"]
    for photo, grey in zip(photos, (250, 5), strict=True):
        Image.new("L", (20, 20), grey).save(photo)
    shown = dna("architecture", "predict", f"{finished}/winner", *map(str, photos), "--top-k", "3")
    assert [line.split()[0] for line in shown.out.splitlines()] == [
        "file",
        *[str(photos[0])] * 3,
        *[str(photos[1])] * 3,
    ]
    (found,) = dna("architecture", "predict", f"{finished}/winner", str(photos[0]), "--json").json
    assert (found["file"], len(found["classes"])) == (str(photos[0]), 5)
    training = dna("architecture", "list", "--role", "winner", "--search", finished, "--json").json["items"][0][
        "test_training_id"
    ]
    (by_training,) = dna("training", "predict", training, str(photos[0]), "--json").json
    assert by_training == found | {"training_id": training}
    (tmp_path / "notes.txt").write_text("No pixels.")
    for file, said in (("notes.txt", "notes.txt cannot be read as a picture"), ("none.png", "none.png cannot be read")):
        refused = dna("architecture", "predict", f"{finished}/winner", str(tmp_path / file))
        assert (refused.code, said in refused.err) == (2, True)


def test_pictures(dna: Dna, finished: str, tmp_path: Path) -> None:
    files = dna("pictures", finished, "-o", str(tmp_path), "--json").json
    assert [Path(file["path"]).name for file in files] == [
        f"{name}-{finished}.svg" for name in ("loss", "features", "frontier")
    ]
    assert all(Path(file["path"]).stat().st_size == file["size"] for file in files)
    assert dna("pictures", finished, "-o", str(tmp_path / "made/for/it")).code == 0
    assert len(list((tmp_path / "made/for/it").iterdir())) == 3


def test_pictures_that_could_not_be_drawn(api: Api, dna: Dna, tmp_path: Path) -> None:
    search = dna("search", "create", "--dataset", "digits", "--json").json["id"]
    finish(api.sessions, api.blobs, UUID(search))
    pictures = delete(Artifact).where(Artifact.job_id == UUID(search))
    with transaction(api.sessions) as session:
        session.execute(pictures.where(Artifact.name == PICTURES["loss"]))
    some = dna("pictures", search, "-o", str(tmp_path))
    assert (some.code, len(list(tmp_path.iterdir()))) == (0, 2)
    assert some.err.startswith("loss: The search has succeeded without this picture")
    with transaction(api.sessions) as session:
        session.execute(pictures)
    assert dna("pictures", search, "-o", str(tmp_path)).code == 4


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ("search create", 2, "--dataset digits"),
        ("search create --dataset digitz", 2, "Did you mean 'digits'"),
        ("search create --dataset digits --flops 10", 3, "the smallest network has"),
        ("search create --dataset digits --flops ten", 2, "write it as 4000000, 4e6 or 4M"),
        ("search create --dataset digits --flops -5", 2, "'--flops': -5 is below 1"),
        ("search create --dataset digits --params 0", 2, "'--params': 0 is below 1"),
        ("search create --dataset digits --latency-ms nan", 2, "'--latency-ms': 'nan' is not a number above 0"),
        ("search create --dataset digits --epochs 0", 2, "'--epochs': 0 is not in the range x>=1"),
        ("search create --dataset digits --input-size 3", 2, "error: input_size: must be at least 16.\n"),
        ("search create --dataset digits --flop 4M", 2, "There is no option --flop. Did you mean --flops"),
        ("search create --dataset digits --buget 4M", 2, "mean --flops, --params or --latency-ms?"),
        ("search create --dataset digits --xyzzy red", 2, "There is no option --xyzzy.\n"),
        ("serch list", 2, "Did you mean 'search'"),
        ("search lst", 2, "Did you mean 'list'?"),
        ("search create --dataset digits --label nonsense", 2, "key=value"),
        ("search create nowhere.json", 2, "cannot be read"),
        ("search create --dataset digits --space nowhere.json", 2, "cannot be read"),
        ("search show 00000000-0000-7000-8000-000000000000", 4, "There is no search"),
        ("search list --state sleeping", 2, "state"),
        ("search list --url http://127.0.0.1:1", 6, "No answer from http://127.0.0.1:1"),
        ("search list --url 127.0.0.1", 2, "http://"),
        ("search list --key dna_wrong", 8, "key"),
        (
            "download 00000000-0000-7000-8000-000000000000 -f gif",
            2,
            "json, safetensors, onnx, onnx-int8, triton, bundle",
        ),
        ("download 00000000-0000-7000-8000-000000000000 -o nowhere", 4, "There is no architecture"),
        ("dataset create s3://bucket/birds/", 2, "DNA_DATASET_URLS"),
        ("dataset create torch/cifar10 --on-server", 2, "DNA_DATASET_URLS"),
        ("key list", 2, "There is no service in dna-data"),
        ("key revoke me --data-dir nowhere", 2, "There is no service in nowhere"),
        ("migrate", 2, "There is no service in dna-data"),
        ("api --data-dir nowhere", 2, "DNA_DATABASE_URL"),
    ],
)
def test_errors_are_one_clear_line(
    dna: Dna, arguments: str, code: int, words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("DNA_DATABASE_URL", "DNA_REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    answer = dna(*arguments.split())
    assert list(tmp_path.iterdir()) == []
    assert (answer.code, answer.out) == (code, "")
    assert words in answer.err
    assert "Traceback" not in answer.err


def test_every_wrong_field_gets_its_line(dna: Dna, tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_text('{"dataset": "digits", "buget": {}, "budget": {"flops": -1}}')
    answer = dna("search", "create", str(tmp_path / "spec.json"))
    assert answer.code == 2
    assert answer.err.splitlines() == [
        "error: Several fields are wrong:",
        "  budget.flops: must be above 0",
        "  buget: There is no such field. Did you mean budget?",
    ]


def test_the_version(dna: Dna) -> None:
    assert dna("--version").out == f"dna {version('dna-automl')}\n"


def test_a_group_without_a_command_shows_its_help(dna: Dna) -> None:
    shown = dna("search")
    assert "estimate" in shown.out + shown.err
    assert "error" not in shown.err


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4000000", 4_000_000),
        ("4_000_000", 4_000_000),
        ("350e6", 350_000_000),
        ("5.3M", 5_300_000),
        ("1.2g", 1_200_000_000),
        ("4611686018427387903", 2**62 - 1),
    ],
)
def test_reads_numbers_as_people_write_them(text: str, value: int) -> None:
    assert whole(text) == value


@pytest.mark.parametrize("text", ["1.5", "0.0000015M", "\u0661M", "nan", "0"])
def test_what_is_no_whole_number_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        whole(text)
