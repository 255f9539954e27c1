"""Every benchmark runs, with settings so small that only its workings count."""

from __future__ import annotations

import gzip
import json
import re
import shlex
import struct
import zipfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks import (
    distillation,
    eta,
    export,
    first_layers,
    inheritance,
    learning_rates,
    loading,
    quantized,
    rating,
    recipes,
    report,
    scheduling,
    serving,
    switches,
    teacher_head,
    teachers,
    training,
    transfer,
    widths,
    winners,
    workers,
)
from benchmarks.kept import keep_settings
from benchmarks.pictures import lay_down
from benchmarks.ranking import __main__ as ranking
from benchmarks.ranking.networks import SPACE, choose
from dna_engine.errors import DataError, InvalidSpec
from dna_engine.space import Cell, CellRef, get_space
from dna_engine.training.network import build
from tests.dna_engine.runs import TINY_NETWORK
from worker.scheduling import Costs

Output = pytest.CaptureFixture[str]


def cells(text: str, first: str) -> list[str]:
    """The row of a printed table that begins so, without its first cell."""
    row = next(line for line in text.splitlines() if line.startswith(f"| {first}"))
    return [cell.strip() for cell in row.strip("|").split("|")][1:]


@pytest.fixture(scope="session")
def clothes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise in the format of Fashion-MNIST, brighter from class to class."""
    folder = tmp_path_factory.mktemp("raw")
    rng = np.random.default_rng(0)
    for split, count in (("train", 200), ("t10k", 60)):
        labels = (np.arange(count) % 10).astype(np.uint8)
        pixels = (rng.integers(0, 40, (count, 28, 28)) + 20 * labels[:, None, None]).astype(np.uint8)
        images, names = folder / f"{split}-images-idx3-ubyte.gz", folder / f"{split}-labels-idx1-ubyte.gz"
        images.write_bytes(gzip.compress(struct.pack(">4i", 2051, count, 28, 28) + pixels.tobytes()))
        names.write_bytes(gzip.compress(struct.pack(">2i", 2049, count) + labels.tobytes()))
    return folder


@pytest.fixture(scope="session")
def few(clothes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Class folders of so few of them that an epoch is a step or two."""
    folder = tmp_path_factory.mktemp("laid") / "few"
    lay_down(clothes, folder, train_images=80, test_images=40)
    return folder


# --- images


def test_images_are_laid_down_once_with_every_class_alike(clothes: Path, tmp_path: Path) -> None:
    dataset = lay_down(clothes, tmp_path / "images", train_images=100, test_images=30)
    assert (dataset.num_train, dataset.num_test, dataset.num_classes, dataset.image_size) == (100, 30, 10, 28)
    assert [len(list(folder.iterdir())) for folder in (tmp_path / "images/train").iterdir()] == [10] * 10
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.png")}
    assert lay_down(clothes, tmp_path / "images", train_images=100, test_images=30) == dataset
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.png")} == before


def test_a_zip_of_class_folders_is_read_too(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        for split in ("train", "val"):
            for label in ("cat", "dog"):
                Image.new("RGB", (20, 20), label_colour(label)).save(tmp_path / "one.png")
                for number in range(3):
                    archive.write(tmp_path / "one.png", f"{split}/{label}/{number}.png")
    dataset = lay_down(tmp_path / "two.zip", tmp_path / "images", train_images=4, test_images=4)
    assert (dataset.num_train, dataset.num_test, dataset.num_classes) == (4, 4, 2)


def label_colour(label: str) -> str:
    return {"cat": "red", "dog": "blue"}[label]


def test_what_holds_no_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="neither a folder nor a zip"):
        lay_down(tmp_path / "nothing", tmp_path / "images", train_images=4, test_images=4)


# --- ranking


TINY = shlex.split(
    "--device cpu --networks 3 --seeds 2 --train-images 40 --test-images 20 --rating-images 20 --epochs 1 "
    "--teacher resnet10t --teacher-epochs 1 --distill-steps 3 6 --short-epochs 1 --batch-size 40"
)


@pytest.fixture
def few_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer random networks to choose from; what is asked of the chosen is the harder to find among them."""
    monkeypatch.setattr("benchmarks.ranking.networks.POOL", 3_000)


@pytest.fixture
def ranked_space(tmp_path: Path) -> Path:
    """That of the study with one narrow cell in each block."""
    blocks = [{"stride": 2, "cells": [{"depth": 2, "width": width}]} for width in (16, 24, 32)]
    path = tmp_path / "space.json"
    path.write_text(json.dumps(SPACE | {"blocks": blocks}))
    return path


@pytest.mark.usefixtures("few_drawn")
def test_a_ranking_study_goes_on_where_it_was_and_reports(
    clothes: Path, ranked_space: Path, tmp_path: Path, capsys: Output
) -> None:
    command = [str(clothes), "--out", str(tmp_path), "--space", str(ranked_space), "--inherited", *TINY]
    ranking.main(command)
    text = capsys.readouterr().out
    assert "14/14" in text
    assert "19/19  inherited/" in text
    assert (tmp_path / "result.md").read_text().strip() in text
    supernets = [
        f"{name}, {steps} steps" for name in ("DNA", "SPOS", "DNA minus SPOS", "DNA minus flops") for steps in (3, 6)
    ]
    for name in (*supernets, "chained, 3 steps", "short training", "flops", "params", "seed to seed (ceiling)"):
        assert all(re.fullmatch(r"[+-]\d\.\d\d \[.*\]", cell) for cell in cells(text, name))
    assert [line for line in text.splitlines() if line.startswith("| Kendall tau, inherited")]
    assert all(-1 <= float(cell) <= 1 for cell in cells(text, "3 steps"))
    assert {path.name for path in tmp_path.glob("ranking.*")} == {"ranking.svg", "ranking.png"}
    assert not list((tmp_path / "work").rglob("*checkpoint.safetensors"))

    (tmp_path / "truth/003-2.json").unlink()
    ranking.main([*command, "--report"])
    assert "5 of 6 networks are trained" in capsys.readouterr().out
    ranking.main(command)
    assert re.findall(r"(\S+/\d+)  (\S+)", capsys.readouterr().out) == [("14/14", "truth/003-2.json")]


def test_a_folder_keeps_one_study(clothes: Path, tmp_path: Path) -> None:
    arguments = ranking.parse([str(clothes), "--out", str(tmp_path), *TINY])
    keep_settings(tmp_path, asdict(ranking.settings_of(arguments)))
    arguments.epochs = 2
    with pytest.raises(InvalidSpec, match="other epochs"):
        keep_settings(tmp_path, asdict(ranking.settings_of(arguments)))


@pytest.mark.usefixtures("few_drawn")
def test_networks_are_spread_over_costs_and_inside_the_band(clothes: Path, tmp_path: Path) -> None:
    from dna_engine.space.cost import architecture_cost

    arguments = ranking.parse([str(clothes), "--out", str(tmp_path), *TINY])
    study = ranking.Study(tmp_path, ranking.settings_of(arguments))
    chosen = choose(study.spec, 8)
    flops = [architecture_cost(architecture).flops for architecture in chosen]
    spread, band = flops[:8], flops[8:]
    steps = np.diff(np.log(spread))
    assert (steps > 0).all()
    assert steps.max() < 2 * steps.min()
    assert max(band) / min(band) <= 1.0305
    assert len(set(chosen)) == 16


def test_learning_rates_that_are_stable_and_one_that_is_not(clothes: Path, tmp_path: Path, capsys: Output) -> None:
    learning_rates.main(
        shlex.split(f"{clothes} --out {tmp_path} --device cpu --epochs 2 --multiples 1 3000 --input-size 16")
    )
    text = capsys.readouterr().out
    assert "loss of a network that knows nothing 2.30" in text
    assert cells(text, "0.0015 (default)")[-1] == "no"
    assert cells(text, "4.5")[-1] == "yes"


def test_first_layers_built_both_ways(few: Path, tmp_path: Path, capsys: Output) -> None:
    """A network that is trained is not trained again."""
    for _ in range(2):
        first_layers.main(
            shlex.split(f"{few} --out {tmp_path} --device cpu --networks 2 --epochs 1 --size 16 --seeds 0")
        )
        text = capsys.readouterr().out
        flops = [int(cells(text, way)[-1].replace(",", "")) for way in ("previous", "nominal")]
        assert flops[0] > flops[1]
        assert "2 pairs" in text
    assert len(list(tmp_path.glob("*.json"))) == 4


# --- speed


def test_rating_both_ways_gives_the_same_and_counts_the_ops(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    monkeypatch.setitem(rating.CASES, "cpu", (rating.Case(4, 8, 8, 4),))
    rating.main(shlex.split("--device cpu --batch-size 2"))
    _, _, ratio, counted, difference, _ = cells(capsys.readouterr().out, "4 layers")
    assert float(ratio) > 0
    assert counted == f"{5184 / 1554:.2f}"
    assert float(difference) < 1e-5


def narrow(space: str) -> dict[str, Any]:
    """The preset with one layer of eight channels in each cell."""
    preset: dict[str, Any] = get_space(space).to_json()
    blocks = [block | {"cells": [{"depth": 1, "width": 8} for _ in block["cells"]]} for block in preset["blocks"]]
    return preset | {"blocks": blocks, "head_width": 16}


def test_distillation_in_one_pass_against_a_run_for_every_cell(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    monkeypatch.setattr(distillation, "JPEGS", 4)
    prepare = distillation.prepare_bench
    monkeypatch.setattr(distillation, "prepare_bench", lambda space, **asked: prepare(narrow(space), **asked))
    distillation.main(shlex.split("--device cpu --teacher tf_efficientnet_b0 --input-size 64 --batch-size 2 --steps 1"))
    text = capsys.readouterr().out
    assert len(re.findall(r"of it b\dc\d, teacher included", text)) == 6 + 16
    for cell_count in (6, 16):
        assert float(cells(text, f"reference: {cell_count} runs")[0]) > 0
        assert float(cells(text, f"engine: {cell_count} cells in one pass")[2]) > 0
    assert len(re.findall(r"share of that ideal +\| \d+%", text)) == 2
    assert re.search(r"decodes, crops and resizes [\d.,]+ JPEG", text)


@pytest.fixture
def small_space(tmp_path: Path) -> Path:
    """Of two small cells."""
    path = tmp_path / "space.json"
    blocks = [{"stride": 2, "cells": [{"depth": 1, "width": 8}]}, {"stride": 2, "cells": [{"depth": 1, "width": 16}]}]
    path.write_text(json.dumps({"blocks": blocks, "stem_width": 8, "first_width": 8, "head_width": 16}))
    return path


def searched(loss: float, *times: tuple[str, int, int]) -> Any:
    """A search as the API tells of it: steps of these kinds, from one second of a minute to another, and its network."""
    steps = [
        {"kind": kind, "started_at": f"2026-01-01T00:00:{begin:02}Z", "finished_at": f"2026-01-01T00:00:{end:02}Z"}
        for kind, begin, end in times
    ]
    return {"steps": steps, "best": {"loss": loss, "flops": 10, "params": 5}}


def test_what_two_workers_save_is_shown_beside_half_of_what_one_takes(capsys: Output) -> None:
    """A phase lasts from the first start of its steps to the last end. That both find one network is shown by tests/chaos."""
    alone = searched(0.5, ("teacher", 0, 9), ("distill", 10, 30), ("rate", 30, 34))
    new = searched(0.5, ("distill", 10, 20), ("distill", 11, 23), ("rate", 25, 27), ("rate", 24, 26))
    measured = searched(0.5, ("distill", 10, 21), ("distill", 10, 20), ("rate", 20, 22))
    workers.show(alone, new, measured)
    text = capsys.readouterr().out
    rows = [[cell.strip() for cell in line.split("|")[2:-1]] for line in text.splitlines() if "20.00" in line]
    assert rows == [
        ["taken for equal", "20.00", "13.00", "10.00, 12.00", "1.54", "1.300"],
        ["measured", "20.00", "11.00", "11.00, 10.00", "1.82", "1.100"],
    ]
    assert cells(text, "rate") == ["taken for equal", "4.00", "3.00", "2.00, 2.00", "1.33", "1.500"]
    assert text.endswith("The network found is the same.\n")
    with pytest.raises(SystemExit, match="a fault"):
        workers.show(alone, new, searched(0.25, ("distill", 10, 20), ("rate", 20, 21)))


def test_scheduling_never_ends_before_work_that_is_done_once(capsys: Output) -> None:
    scheduling.main(shlex.split("--device cpu --teacher tf_efficientnet_b0 --input-size 64 --workers 2 16"))
    rows = re.findall(r"^\| (2|16) .*$", capsys.readouterr().out, re.MULTILINE)
    assert rows == ["2", "16"] * 4


def test_a_simulation_by_hand() -> None:
    """Teacher 1 to block 1, 4 to block 2; cells of 2, 2 and 6."""
    costs = Costs([1, 4], {CellRef(1, 1): 2, CellRef(1, 2): 2, CellRef(2, 1): 6})
    end, bound, once, _ = scheduling.simulate(costs, 2)
    assert (end, bound, once) == (10, 10, 10)
    end, bound, once, _ = scheduling.simulate(costs, 1)
    assert (end, bound, once) == (14, 16, 14)


def test_groups_by_another_cost_by_hand() -> None:
    """Teacher 1, cells of 4, 3 and 1: the first alone ends at 5 with it. The third said to be as much as both others is alone, and they end at 8."""
    cells = [CellRef(1, number) for number in range(1, 4)]
    costs = Costs([1], dict(zip(cells, [4, 3, 1], strict=True)))
    said = Costs([1], dict(zip(cells, [2, 2, 4], strict=True)))
    assert scheduling.modelled_rows(costs, said, [2], scale=1.0) == [["2", "5.000", "8.000", "1.60"]]


def test_unequal_workers_by_hand() -> None:
    """Teacher 1, four cells of 2. Two and two end at 5 / 0.5; three and one at 7, and 3 / 0.5."""
    costs = Costs([1], {CellRef(1, number): 2 for number in range(1, 5)})
    assert scheduling.unequal_rows(costs, [2], scale=1.0) == [["2", "7.000", "10.000", "1.43"]]


def test_training_by_both_loops(capsys: Output) -> None:
    training.main(shlex.split("--device cpu --input-size 16 --batch-size 512 --turns 1"))
    text = capsys.readouterr().out
    rates, ratios = zip(*(cells(text, loop)[:2] for loop in ("plain loop", "dna_engine.training.train")), strict=True)
    plain, engine = (float(rate.replace(",", "")) for rate in rates)
    assert ratios[0] == "1.000"
    assert float(ratios[1]) == pytest.approx(engine / plain, abs=0.01)


def test_an_export_is_timed_by_part(small_space: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "write_onnx", lambda model, images, path: path.write_bytes(b""))  # Others write one.
    export.main(shlex.split(f"--images 25 --input-size 16 --space {small_space}"))
    text = capsys.readouterr().out
    assert all(float(figure) > 0 for figure in cells(text, "read the test images"))
    assert re.search(r"Writing ONNX takes \d+\.\d\d s", text)


def test_serving_beside_onnxruntime_alone(tmp_path: Path, capsys: Output) -> None:
    network = tmp_path / "architecture.json"
    network.write_text(json.dumps(TINY_NETWORK.to_json()))
    serving.main(shlex.split(f"--network {network} --input-size 32 --batch-size 2 --turns 1 --seconds 0.1"))
    text = capsys.readouterr().out
    for name, rows in (("onnxruntime alone ", 2), ("onnxruntime alone, its", 2), ("gRPC", 4), ("REST", 4)):
        found = re.findall(rf"^\| {name}[^|]*\|(.*)\|$", text, re.MULTILINE)
        assert len(found) == rows
        assert all(float(cell) > 0 for row in found for cell in row.split("|"))
    assert 'dna_serve_batch_images_bucket{le="2.0"' in text


def test_8_bits_beside_full_precision() -> None:
    noise = torch.randn(32, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    ways = {"percentiles": quantized.WAYS["percentiles"]}
    whole, small = quantized.compare(build(TINY_NETWORK).eval(), noise, noise, torch.zeros(32), ways)
    assert (whole[0], whole[2:4], small[0]) == ("full precision", ["100.00%", "0.000"], "percentiles")
    assert float(small[3]) > 0
    assert len(whole) == len(small) == len(quantized.COLUMNS)


@pytest.mark.parametrize("name", ["digits-one-worker", "digits-two-workers"])
def test_the_recorded_searches_are_told_again(name: str, capsys: Output) -> None:
    """What is said of digits with one worker and with two is within 30% of the truth at eight of nine tenths."""
    file = Path(eta.__file__).parent / f"recordings/{name}.jsonl"
    eta.main([str(file)])
    assert capsys.readouterr().out.count("| 90% |") == 1
    ratios = [said / true for _, _, said, true in eta.tenths(file) if said is not None]
    assert sum(0.7 <= ratio <= 1.3 for ratio in ratios) >= 8


def test_switches_are_timed_for_each_part(capsys: Output) -> None:
    switches.main(shlex.split("--device cpu --parts cell network --precisions fp32 --batch-size 1 --repeats 1"))
    text = capsys.readouterr().out
    assert len(re.findall(r"^\| (?:cell|network) ", text, re.MULTILINE)) == 4


@pytest.fixture
def bare_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody opens the ONNX files of networks or looks at any picture, so there are none: a search does without."""

    def none(*_: object) -> None:
        raise NotImplementedError("Not in this test.")

    monkeypatch.setattr("dna_engine.export.onnx_file.write_onnx", none)
    monkeypatch.setattr("dna_engine.confusion_plot.plot_confusion", none)
    monkeypatch.setattr("dna_engine.plots.draw", none)


@pytest.fixture
def short_search(small_space: Path, tmp_path: Path, bare_networks: None) -> list[str]:
    """Options of a search that is through in seconds."""
    return [
        *("--out", str(tmp_path), "--device", "cpu", "--space", str(small_space), "--input-size", "16"),
        *(
            "--teacher-epochs",
            "1",
            "--distill-epochs",
            "1",
            "--rating-images",
            "16",
            "--finalists",
            "0",
            "--epochs",
            "1",
        ),
    ]


def test_two_teachers_on_one_space(clothes: Path, short_search: list[str], capsys: Output) -> None:
    images = ["--train-images", "80", "--test-images", "40"]
    teachers.main([str(clothes), *images, *short_search, "--teachers", "resnet10t"])
    row = cells(capsys.readouterr().out, "resnet10t")
    assert len(row) == 8
    assert all(0 <= float(row[place]) <= 1 for place in (0, 4, 6))


def test_winners_beside_controls_of_two_seeds(
    clothes: Path, short_search: list[str], tmp_path: Path, capsys: Output
) -> None:
    images = ["--train-images", "80", "--test-images", "40"]
    options = [str(clothes), *images, *short_search, "--teacher", "resnet10t", "--seeds"]
    winners.main([*options, "0", "1"])
    text = capsys.readouterr().out
    journals = {seed: tmp_path / f"seed{seed}/resnet10t/journal.json" for seed in (0, 1)}
    for seed, journal in journals.items():
        steps = json.loads(journal.read_text())
        winner, control = (steps[f"train-{name}"]["values"]["test_accuracy"] for name in ("winner", "control"))
        row = cells(text, f"{seed} ")
        assert row[1].startswith(f"{winner:.1%} [")
        assert row[3].startswith(f"{100 * (winner - control):+.1f} [")
    assert "40 test images, chance 10.0%" in text
    assert re.search(r"Mean difference [+-]\d+\.\d\d points over 2 seeds", text)
    low, high = winners.over_seeds([1.0, 2.0, 3.0])
    assert (low, high) == pytest.approx((2 - 4.303 / 3**0.5, 2 + 4.303 / 3**0.5), abs=1e-3)
    steps = json.loads(journals[1].read_text())
    journals[1].write_text(json.dumps({key: step | {"seconds": 0.0} for key, step in steps.items()}))
    winners.main([*options, "1", "--scratch", "--as-long"])  # A search that took no time leaves the control one epoch.
    text, again = capsys.readouterr().out, json.loads(journals[1].read_text())
    found = again["train-as-long"]["values"]["test_accuracy"]
    assert f"as long as the search, 1 epochs: {found:.1%}" in text
    for name in ("winner", "control"):
        assert again[f"train-{name}-scratch"]["values"]["start"] == "scratch"
    assert "seed, both from scratch" in text


@pytest.mark.usefixtures("bare_networks")
def test_found_and_control_are_trained_on_other_images_from_scratch_and_from_their_weights(
    few: Path, small_space: Path, tmp_path: Path, capsys: Output
) -> None:
    options = f"{few} {few} --out {tmp_path} --space {small_space} --finalists 0 --device cpu --size 16 --teacher-epochs 1 --distillation-epochs 1 --epochs 1 --then-epochs 2"
    transfer.main([*shlex.split(options), "--factors", "1", "0.5"])
    text = capsys.readouterr().out
    for network, called in transfer.NETWORKS.items():
        row = next(line.split(" | ") for line in text.splitlines() if line.startswith("| 0 ") and called in line)
        for way, cell in zip(
            transfer.ways(transfer.parse([*shlex.split(options), "--factors", "1", "0.5"])), row[4:], strict=True
        ):
            journal = tmp_path / "seed0/few" / f"{network}-{way}".replace(" ", "-") / "journal.json"
            values = json.loads(journal.read_text())["train"]["values"]
            assert cell.startswith(f"{values['test_accuracy']:.1%} ({values['test_loss']:.3f})")
            assert values["start"] == ("scratch" if way == "scratch" else "transferred")
    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("weights.safetensors")}
    transfer.main([*shlex.split(options), "--factors", "1", "0.5"])
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("weights.safetensors")} == stamps, (
        "nothing is trained twice"
    )


def test_widths_are_compared_behind_one_teacher(clothes: Path, tmp_path: Path, capsys: Output) -> None:
    widths.main(
        shlex.split(
            f"{clothes} --train-images 80 --out {tmp_path} --device cpu --teacher resnet10t --shares 0.125 0.25 --input-size 16 "
            "--teacher-epochs 1 --distill-epochs 1"
        )
    )
    text = capsys.readouterr().out
    rows = re.findall(
        r"^\| ([23]) +\| (\d+) of (\d+) \(([\d.]+)\) +\| ([\d.]+) +\| ([\d.]+)% +\| (-?[\d.]+)", text, re.M
    )
    assert [row[:3] for row in rows] == [("2", "16", "128"), ("2", "32", "128"), ("3", "32", "256"), ("3", "64", "256")]
    assert all(-1 <= float(row[6]) <= 1 for row in rows)
    both = [json.loads((tmp_path / f"seed{seed}/ratings/b2c1.json").read_text())["losses"] for seed in (0, 1)]
    assert both[0] != both[1]


@pytest.mark.usefixtures("bare_networks")
def test_inherited_beside_scratch_by_length_of_training(
    few: Path, small_space: Path, tmp_path: Path, capsys: Output
) -> None:
    short = ["--size", "16", "--teacher-epochs", "1", "--distillation-epochs", "1", "--epochs", "1", "--seeds", "0"]
    arguments = [str(few), "--out", str(tmp_path), *short, "--space", str(small_space), "--shares", "0.5", "2"]
    inheritance.main(arguments)
    said = capsys.readouterr().out
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in said.splitlines() if line.startswith("| ")]
    assert [row[:2] for row in rows] == [["seed", "epochs"], ["0", "1"], ["0", "2"]]
    ways = ("scratch", "inherited", "scratch+answers", "inherited+answers")
    assert rows[0][2:] == [f"{way}: accuracy, log-loss" for way in ways]
    assert len({*rows[1][2:]}) == len(ways)  # Each trains otherwise.
    inheritance.main(arguments)
    again = capsys.readouterr().out
    assert "train-" not in again  # Everything was kept.
    assert said.split("\n\n")[-2] == again.split("\n\n")[-2]


def test_a_teachers_head_beside_a_new_one(
    few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    deeper = teacher_head.deeper()
    thin = tuple(replace(block, cells=(Cell(depth=1, width=16),)) for block in deeper.blocks)
    monkeypatch.setattr(teacher_head, "deeper", lambda: replace(deeper, blocks=thin, head_width=64))
    short = "--size 16 --teacher-epochs 1 --distillation-epochs 1 --epochs 0 1 --seeds 0"
    teacher_head.main([str(few), "--out", str(tmp_path), *short.split()])
    said = capsys.readouterr().out
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in said.splitlines() if line.startswith("| ")]
    assert [row[:2] for row in rows] == [["seed", "epochs"], ["0", "0"], ["0", "1"]]
    assert all(new != teachers for *_, new, teachers in rows)


def test_a_table_is_markdown_with_aligned_columns(capsys: Output) -> None:
    report.print_table(["a", "long name"], [["1", "2"], ["three", "4"]])
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["| a     | long name |", "|-------|-----------|"]
    assert len({len(line) for line in lines if line}) == 1


# --- loading


def test_the_loader_gives_the_same_pictures_from_everywhere(tmp_path: Path, capsys: Output) -> None:
    for name, shade in (("owl", 0), ("wren", 99)):
        (tmp_path / name).mkdir()
        for number in range(20):
            Image.new("RGB", (40, 40), (shade, shade, shade)).save(tmp_path / name / f"{number}.jpg")
    settings = ["--device", "cpu", "--input-size", "32", "--batch-size", "4", "--seconds", "0.01", "--delay", "0.02"]
    loading.main([str(tmp_path), *settings])
    printed = capsys.readouterr().out
    assert "32 pictures, 32 x 32" in printed
    names = (
        "class folders",
        "tar ",
        "Parquet, first",
        "Parquet, kept",
        "tar in S3",
        "Parquet in S3",
        "tar, 20 ms away, one",
    )
    assert all(float(cells(printed, name)[0].replace(",", "")) > 0 for name in names)


def test_recipes_are_compared_with_the_first_and_not_run_again(tmp_path: Path, capsys: Output) -> None:
    asked = ["digits", "--out", str(tmp_path), "--size", "16", "--epochs", "1", "--batch-size", "256", "--seeds", "0"]
    recipes.main([*asked, "--recipes", "quick", "small,mixup=0.5"])
    first = capsys.readouterr().out
    assert cells(first, "quick")[2] == "+0.00"
    assert len(cells(first, "small,mixup=0.5")) == 5
    kept = json.loads((tmp_path / "small,mixup=0.5-0.json").read_text())
    assert (kept["recipe"]["mixup"], kept["recipe"]["randaugment"]) == (0.5, 5.0)
    recipes.main([*asked, "--recipes", "quick", "small,mixup=0.5"])
    again = capsys.readouterr().out
    assert "seed 0:" not in again
    assert cells(again, "small,mixup=0.5") == cells(first, "small,mixup=0.5")
