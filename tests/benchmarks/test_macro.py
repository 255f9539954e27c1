"""The yardstick of known accuracies: its space is NAS-Bench-Macro's, and the study runs from teacher to tables."""

from __future__ import annotations

import copy
import csv
import json
import pickle
import shlex
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from benchmarks.macro import __main__ as macro
from benchmarks.macro import learning, scores, space, supernets, truth, units
from benchmarks.macro.inherit import inherit
from benchmarks.macro.learning import Classifier, fair_network, lengths
from benchmarks.macro.space import LAYERS, Network, cost, networks, split
from benchmarks.macro.study import Study
from benchmarks.macro.supernets import DistilledBlocks, SharedNetwork, chain
from benchmarks.macro.truth import Truth, regret
from dna_engine.blockwise.inherit import recalibrate
from dna_engine.errors import InvalidSpec
from dna_engine.training.batches import StoredImages
from dna_engine.training.network import count_model

Output = pytest.CaptureFixture[str]

#: As published: parameters and flops.
PUBLISHED = {
    "00000000": (387882, 7713280),
    "00000001": (791594, 14115328),
    "00000021": (1623082, 27312640),
    "00000100": (507562, 11962880),
    "22222222": (2932586, 105660928),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_network_costs_what_is_published_and_what_is_counted(name: str) -> None:
    assert cost(name) == count_model(Network(name, 10), 32)
    assert (cost(name).params, cost(name).flops) == PUBLISHED[name]


def test_three_blocks_hold_the_space() -> None:
    assert len(networks()) == 6561
    assert split("00011222") == ["00", "011", "222"]
    assert [layer.side for layer in LAYERS] == [32, 16, 16, 8, 8, 8, 4, 4]


def test_every_op_of_every_layer_comes_once_in_three_steps() -> None:
    for window in range(4):
        drawn = [fair_network(0, 3 * window + place) for place in range(3)]
        assert all(set(ops) == set("012") for ops in zip(*drawn, strict=True))


# --- supernets


@pytest.fixture(scope="module")
def blocks() -> DistilledBlocks:
    """With norms that do something."""
    torch.manual_seed(0)
    made = DistilledBlocks([8, 12, 16])
    for module in made.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.uniform_(module.bias, -0.5, 0.5)
    return made


@torch.no_grad()
def test_a_chain_runs_all_paths_in_order_as_each_runs_alone(blocks: DistilledBlocks) -> None:
    images, (first, second, _) = torch.rand(2, 3, 32, 32), blocks
    ends = dict(chain([first, second], images))
    assert list(ends) == sorted({name[:5] for name in networks()})
    for path in ("00000", "01201", "22222"):
        torch.testing.assert_close(ends[path], second(first(images, path[:2]), path[2:]))


@torch.no_grad()
@pytest.mark.parametrize("name", ["00000000", "22222222", "12012021", "21100212"])
def test_a_network_inherits_its_blocks_exactly(blocks: DistilledBlocks, name: str) -> None:
    """In double precision, in which rounding is not taken for a fault."""
    blocks = copy.deepcopy(blocks).double()
    x = images = torch.rand(8, 3, 32, 32, dtype=torch.float64)
    for cell, path in zip(list(blocks)[:2], split(name), strict=False):
        x = cell(x, path)
    stitched = list(blocks)[-1].inside(x, split(name)[-1])
    network = inherit(blocks, name, images, 10)
    error = (network.train().features(images) - stitched).abs().max() / stitched.abs().max()
    assert error < 1e-10
    recalibrate(network, [images])
    unbiased = network.eval().features(images)  # Running variances are those of a sample.
    assert (unbiased - stitched).abs().max() / stitched.abs().max() < 0.05


def test_one_pass_trains_every_block_and_shared_weights_train_the_rest(blocks: DistilledBlocks) -> None:
    maps = [torch.rand(2, *shape) for shape in ((3, 32, 32), (8, 16, 16), (12, 8, 8), (16, 4, 4))]
    blocks.loss(maps, "01201201").backward()  # type: ignore[no-untyped-call]
    assert all(cell.ops(path)[0].state_dict() for cell, path in zip(blocks, ["12", "201", "201"], strict=True))
    trained = [name for name, parameter in blocks.named_parameters() if parameter.grad is not None]
    assert {name.split(".")[1] for name in trained} == {"0", "1", "2"}
    assert not any(name.startswith("cells.0.layers.0.2") for name in trained)
    shared = SharedNetwork(10)
    assert shared.loss(maps[0], torch.tensor([0, 1]), "01201201").item() == pytest.approx(2.3, abs=1.5)


def test_the_additive_rating_is_the_sum_of_the_blocks() -> None:
    rated = [{path: float(path) for path in {split(name)[block] for name in networks()}} for block in range(3)]
    found = dict(zip(networks(), scores.additive(rated), strict=True))
    assert found["12210021"] == 12 + 210 + 21
    weighted = dict(zip(networks(), scores.additive(rated, (3, 2, 1)), strict=True))
    assert weighted["12210021"] == 3 * 12 + 2 * 210 + 21


# --- truth


def truth_file(folder: Path, *, every: int = 11) -> Path:
    """Accuracies that grow with the digits of a network's end."""
    names = networks()[::every]
    known = {
        name: {"acc": [60 + int(name[-3:], 3) + seed / 10 for seed in range(3)], **vars(cost(name))} for name in names
    }
    known[names[0]]["flops"] += 1
    (folder / "truth.json").write_text(json.dumps({"networks": known}))
    return folder / "truth.json"


def test_truth_is_read_beside_our_own_costs(tmp_path: Path) -> None:
    known = Truth.read(truth_file(tmp_path))
    assert known.disagreeing == ["00000000"]
    assert known.flops[0] == cost("00000000").flops
    assert known.large_kernels.tolist() == [name.count("2") for name in known.names]
    for budget in known.budgets:
        assert np.ptp(known.flops[known.band(budget)]) <= 0.03 * budget
        assert known.flops[known.of_that_cost(budget)].max() <= budget
    assert known.budgets == sorted(known.budgets)


def test_regret_is_what_the_pick_lacks() -> None:
    accuracy = np.array([70.0, 90.0, 80.0])
    assert regret(np.array([0.2, 0.1, 0.3]), accuracy).value == 0
    found = regret(np.array([0.2, 0.3, 0.1]), accuracy)
    assert found.value == 10
    assert (found.low, found.high) == (
        0,
        20,
    )  # Without the best of all, the pick is; without the pick, the worst of all is.


# --- the whole study


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise of two brightnesses."""
    folder, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    for split_, count in (("train", 12), ("test", 2)):
        for label in range(2):
            (folder / split_ / str(label)).mkdir(parents=True)
            for number in range(count):
                pixels = rng.integers(0, 100, (32, 32, 3), dtype=np.uint8) + 100 * label
                Image.fromarray(pixels.astype(np.uint8)).save(folder / split_ / str(label) / f"{number}.png")
    return folder


TINY = shlex.split(
    "--device cpu --train-images 24 --test-images 4 --rating-images 8 --chain-images 1 --batch-size 4 --teacher-epochs 1 "
    "--sample 3 --finalists 1 --short-epochs 0.5"
)


@pytest.fixture
def two_ops(monkeypatch: pytest.MonkeyPatch) -> None:
    """The space without its last op: scores of all 256 networks show what those of 6,561 do. There are fewer of like cost."""
    monkeypatch.setattr(truth, "BAND", 0.3)
    for module in (space, learning, supernets, truth):
        monkeypatch.setattr(module, "OPS", "01")


@pytest.mark.usefixtures("two_ops")
def test_a_study_from_teacher_to_tables(pictures: Path, tmp_path: Path, capsys: Output) -> None:
    command = [str(pictures), "--out", str(tmp_path / "study"), "--truth", str(truth_file(tmp_path, every=3)), *TINY]
    macro.main([*command, "--steps", "2"])
    stamps = {file: file.stat().st_mtime_ns for file in (tmp_path / "study").rglob("*[0-9].json")}
    capsys.readouterr()

    macro.main([*command, "--steps", "2", "--weights", "3", "2", "1"])
    text = capsys.readouterr().out
    assert len(stamps) > 3
    assert {file: file.stat().st_mtime_ns for file in stamps} == stamps, "what is done is not done again"
    for row in (
        "additive, 2 steps",
        "additive 3:2:1, 2 steps",
        "additive 3:2:1 minus additive, 2 steps",
        "chained minus additive, 2 steps",
        "finalists, chained, 2 steps",
        "short training, 2",
    ):
        assert f"| {row}" in text
    assert "differ from the truth's in 1 of 86 networks" in text

    rows = list(csv.DictReader((tmp_path / "study/scores.csv").read_text().splitlines()))
    assert [row["network"] for row in rows] == networks()
    assert rows[0].keys() == {"network", "additive", "chained", "spos"}
    kept = json.loads((tmp_path / "study/teacher-0/2.json").read_text())
    assert [float(row["chained"]) for row in rows] == pytest.approx(kept["chained"], abs=1e-6)
    assert [float(row["additive"]) for row in rows] == pytest.approx(scores.additive(kept["blocks"]), abs=1e-6)

    with pytest.raises(InvalidSpec, match="other batch_size"):
        macro.main([*command, "--steps", "2", "--batch-size", "2", "--report"])


@pytest.mark.usefixtures("two_ops")
def test_units_can_be_done_by_other_processes(pictures: Path, tmp_path: Path) -> None:
    """They must find the functions of the units, which those of ``python -m benchmarks.macro`` itself would not be."""
    arguments = macro.parse([str(pictures), "--out", str(tmp_path), "--truth", "none", *TINY])
    study = Study(tmp_path, macro.settings_of(arguments), torch.device("cpu"))
    known, _ = Truth.read(truth_file(tmp_path, every=3)), (tmp_path / "teacher-0").mkdir()
    rated = {"blocks": [{split(name)[block]: 0.0 for name in networks()} for block in range(3)]}
    (tmp_path / "teacher-0/2.json").write_text(json.dumps(rated | {"chained": [0.0] * len(networks())}))
    arguments.steps = [2]
    todo = [*macro.scoring([0], [2]), *macro.short_trainings(study, known, arguments)]
    works = [pickle.loads(pickle.dumps(work)) for _, work in todo]
    assert len(works) > 3
    assert all(work.func.__module__ != macro.__name__ for work in works)
    threads = torch.get_num_threads()
    with ThreadPoolExecutor(1) as pool:
        done: list[Study] = []
        units.run(study, iter([("a look", done.append)]), pool)
    torch.set_num_threads(threads)
    assert [(one.folder, one.settings) for one in done] == [(study.folder, study.settings)]


def test_training_goes_on_with_a_longer_length(tmp_path: Path) -> None:
    pixels = torch.randint(256, (8, 3, 40, 40), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    images = StoredImages(pixels, torch.arange(8) % 2, 32, augment=True, flip=True)
    torch.manual_seed(0)
    at_once, later = (Classifier(2, torch.device("cpu")) for _ in range(2))
    later.restore(copy.deepcopy(at_once.state()))

    def train(student: Classifier, steps: list[int], folder: str) -> list[Tensor]:
        reached = lengths(student, steps, images, batch_size=4, seed=0, folder=tmp_path / folder)
        assert list(reached) == steps
        return list(student.net.parameters())

    whole = train(at_once, [2, 5], "at once")
    train(later, [2], "in parts")
    again = train(later, [2, 5], "in parts")
    assert all(torch.equal(one, other) for one, other in zip(whole, again, strict=True))
