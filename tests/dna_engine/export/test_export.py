"""Exports hold what they claim, and are not offered otherwise."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from google.protobuf import text_format
from numpy.typing import NDArray
from onnx import numpy_helper
from safetensors.torch import save_file
from torch import nn
from tritonclient.grpc import model_config_pb2

from dna_engine.accuracy import judge
from dna_engine.defaults import Start
from dna_engine.effort import CALIBRATION_IMAGES
from dna_engine.errors import ExportMismatch
from dna_engine.events import Log
from dna_engine.export import attempts, export, onnx_file
from dna_engine.export.card import write_card
from dna_engine.export.compare import TOLERANCE, Difference
from dna_engine.export.onnx_file import IR_VERSION, OPSET, write_onnx
from dna_engine.export.snippets import LOAD_WITH_TIMM, PREPARE, prepare_shortly
from dna_engine.images.albums import FolderAlbum
from dna_engine.images.pictures.pixels import Look, preprocessing
from dna_engine.images.pictures.prepare import prepare
from dna_engine.plans import Kind, Step
from dna_engine.plans.results import Costs, Exported, Stopped, Trained
from dna_engine.space import parse_space
from dna_engine.space.architecture import Architecture
from dna_engine.training.batches import StreamedImages
from dna_engine.training.network import build, count, load
from dna_engine.training.splits import load_splits
from dna_engine.training.train import evaluate
from tests import untidy_pictures
from tests.dna_engine.runs import TINY_SPACE, context, tiny_spec

SPEC = tiny_spec()
STEP = Step(key="export-winner", kind=Kind.EXPORT, network="winner")
CPU = torch.device("cpu")
NETWORK = Architecture.from_choices(
    parse_space(TINY_SPACE),
    [(2, ["mb3_3x3", "plain"]), (1, ["plain", "mb3_3x3"]), (1, ["mb3_3x3"])],
    input_size=16,
    num_classes=10,
)


def lay_down(run: Path, *, scale: float = 1.0) -> Path:
    """A run folder before its export: a network with random weights, its logits times ``scale``, and true figures."""
    torch.manual_seed(0)
    model = build(NETWORK)
    with torch.no_grad():
        for parameter in model.classifier.parameters():
            parameter.mul_(scale)
    reached = evaluate(model, load_splits(SPEC, CPU).test, CPU)
    costs = Costs(**vars(count(NETWORK)))
    for name in ("winner", "control"):
        (run / name).mkdir()
        described = NETWORK.to_json() | {"preprocessing": preprocessing(SPEC.input_size, SPEC.dataset.class_names)}
        (run / name / "architecture.json").write_text(json.dumps(described))
        save_file(model.state_dict(), run / name / "weights.safetensors")
        training = Trained(
            test_accuracy=reached.accuracy,
            test_loss=reached.loss,
            test=judge(reached.answers),
            seconds=0.0,
            images_per_second=0.0,
            predicted=costs,
            counted=costs,
            recipe={"epochs": 0},
            dataset="digits",
            seed=0,
        )
        (run / name / "training.json").write_text(training.model_dump_json())
    about = {"model": "resnet50", "weights": "finetune", "hub": "timm/resnet50.a1_in1k", "revision": "c0ffee"}
    (run / "teacher.json").write_text(json.dumps(about))
    return run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder with a network that was exported."""
    run = lay_down(tmp_path_factory.mktemp("run"))
    result = export.run_step(SPEC, STEP, context(run)[0])
    assert result.artifacts == [
        f"winner/{name}" for name in ("export.json", "bundle.zip", "model.onnx", "model.int8.onnx", "model.triton.zip")
    ]
    return run


def test_the_figures_say_that_all_forms_agree(run: Path) -> None:
    figures = json.loads((run / "winner/export.json").read_text())
    assert figures["images"] == 360
    assert 0 < figures["relative_difference"]["onnx"] <= 1e-5
    assert figures["largest_difference"]["onnx"] == pytest.approx(
        figures["relative_difference"]["onnx"] * figures["spread"]
    )
    assert figures["largest_difference"]["safetensors"] == 0
    assert (figures["same_answers"]["onnx"], figures["same_answers"]["safetensors"]) == (1.0, 1.0)
    assert (figures["warning"], figures["no_int8"]) == (None, None)
    assert figures["predicted"] == figures["counted"]
    exact = [figures["accuracy"][name] for name in ("torch", "safetensors", "onnx")]
    assert exact == [figures["test_accuracy"]] * 3


def test_what_8_bits_cost_and_save_is_measured_beside_full_precision(run: Path) -> None:
    figures = json.loads((run / "winner/export.json").read_text())
    assert abs(figures["accuracy"]["onnx-int8"] - figures["accuracy"]["onnx"]) <= 0.01
    assert figures["relative_difference"]["onnx-int8"] > TOLERANCE
    for name, file in {"onnx": "model.onnx", "onnx-int8": "model.int8.onnx"}.items():
        assert figures["size"][name] == (run / "winner" / file).stat().st_size
        assert 0 < figures["latency"][name]["median_ms"] <= figures["latency"][name]["p95_ms"]
    assert figures["device"]
    assert (figures["opset"], figures["ir_version"]) == (OPSET, IR_VERSION) == (18, 8)


def as_the_one_of(run: Path, *, scale: float = 1.0) -> Callable[..., None]:
    """Writes what the exporter wrote of the same network, its logits times ``scale``: to trace it takes seconds each time."""

    def write(model: nn.Module, example: torch.Tensor, path: Path) -> None:
        written = onnx.load(run / "winner/model.onnx")
        [classifier] = [node for node in written.graph.node if node.op_type == "Gemm"]
        for tensor in written.graph.initializer:
            if tensor.name in classifier.input:
                tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) * np.float32(scale), tensor.name))
        onnx.save(written, path)

    return write


def test_one_that_loses_too_much_in_8_bits_is_offered_without(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_one_that_sees_eights_only(whole: Path, images: torch.Tensor, path: Path) -> None:
        model = onnx.load(whole)
        [classifier] = [node for node in model.graph.node if node.op_type == "Gemm"]
        classifier.input[:] = [*classifier.input[:2], "bias"]
        model.graph.initializer.append(numpy_helper.from_array(1e6 * np.eye(10, dtype=np.float32)[8], "bias"))
        onnx.save(model, path)

    monkeypatch.setattr(onnx_file, "write_onnx", as_the_one_of(run))
    monkeypatch.setattr(attempts, "write_int8", write_one_that_sees_eights_only)
    where, recorder = context(lay_down(tmp_path))
    result = export.run_step(SPEC.model_copy(update={"int8_loss": 0.0}), STEP, where)
    assert "winner/model.int8.onnx" not in result.artifacts
    assert not (tmp_path / "winner/model.int8.onnx").exists()
    assert "points less than in full precision" in result.values["no_int8"]
    assert set(result.values["size"]) == {"onnx", "onnx-int8"}, "measured all the same"
    assert [log.message for log in recorder.of(Log)] == [
        f"There is no ONNX file in 8 bits of winner: {result.values['no_int8']}"
    ]
    with zipfile.ZipFile(tmp_path / "winner/bundle.zip") as bundle:
        assert "model.int8.onnx" not in bundle.namelist()
        assert (
            f"| ONNX file in 8 bits | there is none: {result.values['no_int8']} |" in bundle.read("README.md").decode()
        )


def test_files_are_compared_on_images_of_every_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "EXPORT_IMAGES", 20)
    images, labels = export.test_images(SPEC)
    assert images.shape == (20, 3, 16, 16)
    assert labels.bincount().tolist() == [2] * 10
    shown = export.shown_images(SPEC)
    assert len(shown) == round(CALIBRATION_IMAGES / 1437 * (1437 - SPEC.rating.images))
    assert shown.shape[1:] == (3, 16, 16)


def test_the_onnx_file_tells_nothing_of_where_it_was_made(run: Path) -> None:
    for name in ("model.onnx", "model.int8.onnx"):
        content = (run / "winner" / name).read_bytes()
        assert b"site-packages" not in content
        assert b"stack_trace" not in content


def test_large_logits_differ_by_their_rounding_and_are_offered(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_file, "write_onnx", as_the_one_of(run, scale=1e6))
    where, recorder = context(lay_down(tmp_path, scale=1e6))
    result = export.run_step(SPEC, STEP, where)
    assert result.values["largest_difference"]["onnx"] > 1e-3
    assert result.values["warning"] is None
    assert "winner/model.onnx" in result.artifacts
    assert not recorder.of(Log)


def fail_to_convert(_: Path, model: nn.Module, example: torch.Tensor, path: Path) -> None:
    """The exporter, given what it cannot express."""

    class Choosing(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return model(images) if images.sum() > 0 else model(-images)  # type: ignore[no-any-return]

    write_onnx(Choosing().eval(), example, path)


def write_something_else(run: Path, model: nn.Module, example: torch.Tensor, path: Path) -> None:
    as_the_one_of(run, scale=1.01)(model, example, path)


def write_no_onnx(_: Path, model: nn.Module, example: torch.Tensor, path: Path) -> None:
    path.write_bytes(b"not onnx")


@pytest.mark.parametrize(
    ("breaking", "says", "compared"),
    [
        (fail_to_convert, "Error", {"safetensors"}),
        (
            write_something_else,
            "logits on test images differ from the trained network's by up to",
            {"safetensors", "onnx"},
        ),
        (write_no_onnx, "InvalidProtobuf", {"safetensors"}),
    ],
)
def test_a_network_without_an_onnx_file_is_offered_as_the_rest(
    run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    breaking: Callable[..., None],
    says: str,
    compared: set[str],
) -> None:
    """One that differed is kept in figures only."""
    monkeypatch.setattr(onnx_file, "write_onnx", functools.partial(breaking, run))
    where, recorder = context(lay_down(tmp_path))
    result = export.run_step(SPEC, STEP, where)
    assert result.artifacts == STEP.outputs(SPEC) == ["winner/export.json", "winner/bundle.zip"]
    assert not (tmp_path / "winner/model.onnx").exists()
    assert says in result.values["warning"]
    assert len(result.values["warning"]) < 400
    assert set(result.values["relative_difference"]) == compared
    assert result.values["relative_difference"].get("onnx", 1.0) > TOLERANCE
    assert [(log.level, log.message) for log in recorder.of(Log)] == [
        ("warning", f"There is no ONNX file of winner: {result.values['warning']}"),
        ("info", f"There is no ONNX file in 8 bits of winner: {result.values['no_int8']}"),
    ]
    with zipfile.ZipFile(tmp_path / "winner/bundle.zip") as bundle:
        assert "weights.safetensors" in bundle.namelist()
        assert "model.onnx" not in bundle.namelist()
        card = bundle.read("README.md").decode()
    assert f"| ONNX file | there is none: {result.values['warning']} |" in card
    assert "onnxruntime.InferenceSession" not in card


def test_the_onnx_file_runs_at_any_batch(run: Path) -> None:
    session = onnxruntime.InferenceSession(run / "winner/model.onnx", providers=["CPUExecutionProvider"])
    images = np.random.default_rng(0).standard_normal((5, 3, 16, 16), dtype=np.float32)
    together = session.run(["logits"], {"images": images})[0]
    assert together.shape == (5, 10)
    alone = np.concatenate([session.run(["logits"], {"images": image[None]})[0] for image in images])
    assert np.abs(together - alone).max() < 1e-5


def test_the_model_repository_says_what_the_network_takes_and_gives(run: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(run / "winner/model.triton.zip") as archive:
        archive.extractall(tmp_path)
    folder = tmp_path / "winner-for-digits"
    config = text_format.Parse((folder / "config.pbtxt").read_text(), model_config_pb2.ModelConfig())
    session = onnxruntime.InferenceSession(folder / "1/model.onnx", providers=["CPUExecutionProvider"])
    for described, taken in ((config.input, session.get_inputs()), (config.output, session.get_outputs())):
        [one], [actual] = described, taken
        assert (one.name, ["batch", *one.dims]) == (actual.name, actual.shape)
        assert (one.data_type, actual.type) == (model_config_pb2.TYPE_FP32, "tensor(float)")
    assert (folder / config.output[0].label_filename).read_text().split() == SPEC.dataset.class_names
    assert config.backend == "onnxruntime"
    assert config.HasField("dynamic_batching")
    for warm_up in config.model_warmup:
        given = warm_up.inputs["images"]
        assert (given.dims, given.data_type, given.zero_data) == (config.input[0].dims, config.input[0].data_type, True)
        batch = np.zeros((warm_up.batch_size, *given.dims), np.float32)
        assert session.run(["logits"], {"images": batch})[0].shape == (warm_up.batch_size, *config.output[0].dims)
    assert [warm_up.batch_size for warm_up in config.model_warmup] == [1, config.max_batch_size]


def test_the_bundle_is_all_one_needs(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(run / "winner/bundle.zip") as bundle:
        bundle.extractall(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "README.md",
        "prepare.py",
        "architecture.json",
        "weights.safetensors",
        "model.onnx",
        "model.int8.onnx",
        "training.json",
        "export.json",
    }
    card = (tmp_path / "README.md").read_text()
    assert LOAD_WITH_TIMM in card
    assert PREPARE in card
    assert "in the order of the logits: 0 0, 1 1, 2 2," in card
    assert "digits: 1,437 images to train with and 360 to test with, of 10 classes." in card
    assert f"Opset {OPSET}, IR version\n{IR_VERSION}: read by onnxruntime from 1.15.0 on" in card
    assert f"pip install onnxruntime=={onnxruntime.__version__} numpy=={np.__version__} pillow==" in card
    known = "trained further on the same images, weights timm/resnet50.a1_in1k, revision c0ffee"
    assert f"followed the teacher resnet50 ({known})." in card
    assert "of 360 images (95% interval " in card
    assert "| guessing a class, and always the commonest | 10.00%, and 10.28% |" in card
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(card.split("```python\n")[-1].split("```")[0], names)
    images = load_splits(SPEC, torch.device("cpu")).test
    accuracy = evaluate(names["model"], images, torch.device("cpu")).accuracy
    assert accuracy == json.loads((tmp_path / "training.json").read_text())["test_accuracy"]


#: Runs in the folder of a bundle, with the pictures and the ways to prepare them, and the lines of its card that prepare a picture and run
#: the ONNX file; prints the modules that it took.
_FOREIGN = """
import json, pathlib, sys
sys.path.insert(0, ".")
import numpy as np
import onnx
import onnxruntime
import prepare
pictures = sorted(pathlib.Path(sys.argv[1]).iterdir())
session = onnxruntime.InferenceSession("model.onnx")
found = {}
for name, how in json.loads(sys.argv[2]).items():
    images = np.stack([prepare.prepare(path, how) for path in pictures])
    found[name] = session.run(None, {"images": images})[0]
np.savez("logits.npz", **found)
shortly, *lines, _ = [block.split("```")[0] for block in pathlib.Path("README.md").read_text().split("```python\\n")[1:]]
names, short = {}, {}
exec("".join(lines), names)
assert names["logits"].shape == (1, 10)
exec(shortly, short)
assert np.array_equal(short["images"], names["images"])
print(*sorted({name.split(".")[0] for name in sys.modules}))
"""


def test_a_picture_of_any_kind_is_prepared_as_the_engine_does(run: Path, tmp_path: Path) -> None:
    """In a process that has the bundle alone."""
    with zipfile.ZipFile(run / "winner/bundle.zip") as bundle:
        bundle.extractall(tmp_path / "bundle")
    (tmp_path / "pictures").mkdir()
    for name, make in untidy_pictures.PICTURES.items():
        (tmp_path / "pictures" / name).write_bytes(make())
    (tmp_path / "bundle/photo.jpg").write_bytes(untidy_pictures.PICTURES["photo"]())
    looks = {
        "crop": Look(),
        "pad": Look(fit="pad", background="#1080f0"),
        "squash": Look(fit="squash", background="black", white=4_095),
    }
    ways = {name: preprocessing(SPEC.input_size, [], look) for name, look in looks.items()}
    done = subprocess.run(
        [sys.executable, "-I", "-c", _FOREIGN, tmp_path / "pictures", json.dumps(ways)],
        cwd=tmp_path / "bundle",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not set(done.stdout.split()) & {"torch", "timm", "torchvision", "dna_engine"}
    model = load(run / "winner")
    album = FolderAlbum(sorted((tmp_path / "pictures").iterdir()), [0] * len(untidy_pictures.PICTURES))
    logits = np.load(tmp_path / "bundle/logits.npz")
    for name, look in looks.items():
        images = StreamedImages(
            album, range(len(album.paths)), SPEC.input_size, augment=False, flip=False, look=look, device=CPU
        )
        expected = export.answer(model, torch.cat([batch for batch, _ in images.ordered(100)]))
        assert np.abs(logits[name] - expected).max() < 1e-4
        assert np.ptp(expected, axis=0).max() > 0.01, "the pictures differ"
    assert np.abs(logits["crop"] - logits["pad"]).max() > 0.01


@pytest.mark.parametrize(
    ("start", "weight", "says"),
    [
        ("scratch", 0.0, "from scratch."),
        ("inherited", 0.0, "beginning with the weights of its distilled blocks."),
        ("scratch", 0.5, "from scratch and beside the labels from the answers of its teacher."),
    ],
)
def test_the_card_says_how_the_network_began_and_what_it_learned_from(
    run: Path, start: Start, weight: float, says: str
) -> None:
    folder = run / "winner"
    trained = Trained.model_validate_json((folder / "training.json").read_text())
    trained = trained.model_copy(update={"start": start, "recipe": {"epochs": 1, "teacher_weight": weight}})
    exported = Exported.model_validate_json((folder / "export.json").read_text())
    described = preprocessing(SPEC.input_size, SPEC.dataset.class_names)
    card = write_card("A network", "winner", described, {"winner": trained}, exported, SPEC.dataset)
    assert f"it was trained on\ndigits, {says}\n" in card


def test_the_card_says_what_the_recipe_did_and_whose_weights_it_has(run: Path) -> None:
    folder = run / "winner"
    trained = Trained.model_validate_json((folder / "training.json").read_text())
    stopped = Stopped(epoch=12, best_epoch=9, log_loss=0.25, images=500, early=True)
    recipe = {"name": "small", "mixup": 0.2, "cutmix": 0.0, "autoaugment": False, "crop_area": None}
    trained = trained.model_copy(update={"recipe": recipe, "early_stopping": stopped})
    exported = Exported.model_validate_json((folder / "export.json").read_text())
    described = preprocessing(SPEC.input_size, SPEC.dataset.class_names)
    card = write_card("A network", "winner", described, {"winner": trained}, exported, SPEC.dataset)
    assert (
        "name small, mixup 0.2; of 12 epochs the weights are those of epoch 9, which answered 500 images best that were held out; seed 0."
        in card
    )


@pytest.mark.parametrize(
    ("licence", "says"),
    [("CC BY\n4.0", "of 10 classes. Their licence: CC BY 4.0."), (None, "Nothing was said of their licence")],
)
def test_the_card_says_what_may_be_done_with_the_images(run: Path, licence: str | None, says: str) -> None:
    trained = Trained.model_validate_json((run / "winner/training.json").read_text())
    exported = Exported.model_validate_json((run / "winner/export.json").read_text())
    dataset = SPEC.dataset.model_copy(update={"licence": licence})
    card = write_card("A network", "winner", preprocessing(16, []), {"winner": trained}, exported, dataset)
    assert says in card


@pytest.mark.parametrize(
    ("size", "look"),
    [
        (16, Look()),
        (96, Look()),
        (96, Look(fit="pad", background="#1080f0")),
        (32, Look(fit="squash")),
    ],
)
def test_the_short_code_prepares_a_photo_to_the_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, look: Look
) -> None:
    how = preprocessing(size, [], look)
    (tmp_path / "photo.jpg").write_bytes(untidy_pictures.PICTURES["photo"]())
    monkeypatch.chdir(tmp_path)
    lines = prepare_shortly(how)
    assert len(lines.splitlines()) <= 10
    names: dict[str, Any] = {}
    exec(lines, names)
    assert np.array_equal(names["images"], prepare(tmp_path / "photo.jpg", how)[None])


def test_the_loading_lines_are_ten_and_stand_in_the_guide() -> None:
    lines = LOAD_WITH_TIMM.strip().splitlines()
    assert len([line for line in lines if line]) <= 10
    guide = Path(__file__).parents[3] / "docs/engine.md"
    assert LOAD_WITH_TIMM in guide.read_text()


def test_weights_that_answer_something_else_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load_otherwise(folder: Path) -> nn.Module:
        model = load(folder)
        model.bn1.act = nn.ReLU()
        return model

    monkeypatch.setattr(export, "load", load_otherwise)
    with pytest.raises(ExportMismatch, match="The weights file is not offered: its logits on test images differ"):
        export.run_step(SPEC, STEP, context(lay_down(tmp_path))[0])


def logits(*rows: list[float]) -> NDArray[np.float32]:
    return np.array(rows, dtype=np.float32)


def test_what_differs_is_measured_by_the_spread_of_the_logits_and_by_the_answers() -> None:
    expected = logits([300.0, 100.0], [100.0, 300.0])  # Their standard deviation is 100.
    assert Difference.between(expected, expected + logits([0.09, 0.0])).reason is None
    assert "1.1e-03 of their spread" in str(Difference.between(expected, expected + logits([0.11, 0.0])).reason)
    assert Difference.between(expected, expected * np.nan).reason is not None
    undecided = logits(*[[0.0, 1e-6]] * 2, *[[5.0, 0.0]] * 98)
    found = Difference.between(undecided, undecided + logits([2e-6, 0.0]))
    assert (found.same_answers, found.relative < TOLERANCE) == (0.98, True)
    assert "98.00% of its answers are the same" in str(found.reason)
    constant = logits([1.0, 1.0])
    assert Difference.between(constant, constant).reason is None


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full, as Linux has one")
def test_a_full_disk_is_no_refusal_of_a_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        attempts._try(
            tmp_path / "model.onnx",
            torch.zeros(1, 3, 8, 8),
            write=lambda: _fill(Path("/dev/full")),
            refuse=lambda _: None,
        )


def _fill(path: Path) -> None:
    path.write_bytes(b"some")
