"""A network sees a photo through the example exactly as the search saw it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dna_engine.export.onnx_file import write_onnx
from dna_engine.images.albums import describe_folder
from dna_engine.images.layout.layout import read_layout
from dna_engine.images.pictures.pixels import PLAIN, Look, preprocessing
from dna_engine.training.splits import splits_of
from examples import classify
from tests.dna_engine.images.layout.test_layout import pets
from tests.dna_engine.images.test_arrange import write

SCRIPT = Path(classify.__file__)


def photos(root: Path) -> Path:
    """Two classes of pictures of every kind, for testing alone."""
    rng = np.random.default_rng(0)
    for part, name in ((part, name) for part in ("train", "val") for name in ("cat", "dog")):
        folder = root / part / name
        folder.mkdir(parents=True)
        pixels = rng.integers(0, 256, (90, 120, 3), dtype=np.uint8)
        photo = Image.fromarray(pixels).resize((200, 150), Image.Resampling.BICUBIC)
        exif = Image.Exif()
        exif[0x0112] = 6
        see_through = photo.copy()
        see_through.putalpha(Image.fromarray(rng.integers(0, 256, (150, 200), dtype=np.uint8)))
        photo.save(folder / "plain.jpg")
        photo.save(folder / "turned.jpg", exif=exif)
        photo.convert("CMYK").save(folder / "print.jpg")
        photo.convert("L").resize((61, 47)).save(folder / "grey.png")
        photo.quantize(32).save(folder / "palette.png", transparency=3)
        see_through.save(folder / "see-through.png")
        see_through.convert("LA").save(folder / "grey-through.png")
        photo.save(folder / "moving.gif", save_all=True, append_images=[photo.rotate(90)])
        Image.fromarray((np.asarray(photo.convert("L")).astype(np.uint16)) * 250).save(folder / "scan.png")
        photo.save(folder / "broken-notes.png", exif=b"Exif\0\0XX*\0")
    return root


@pytest.mark.parametrize(
    ("size", "look"), [(32, Look("squash")), (64, Look("pad", "#1080f0", 4_095)), (96, PLAIN), (32, PLAIN)]
)
def test_photos_are_prepared_as_the_search_prepares_them(size: int, look: Look, tmp_path: Path) -> None:
    info = describe_folder("pets", "folder", str(tmp_path), read_layout(photos(tmp_path)))
    how = json.loads(json.dumps(preprocessing(size, info.class_names, look)))
    held_out = classify.photos_by_class(tmp_path, held_out=True)
    paths = [(path, label) for label, files in enumerate(held_out.values()) for path in files]
    found = np.concatenate(list(classify.batches([path for path, _ in paths], how)))
    cpu = torch.device("cpu")
    test = splits_of(info, input_size=size, rating_images=4, seed=0, augment=True, look=look, device=cpu).test
    images, labels = next(test.ordered(100))
    assert found.shape == (20, 3, size, size)
    assert np.abs(found - images.numpy()).max() < 1e-5
    assert labels.tolist() == [label for _, label in paths]


@pytest.mark.parametrize(
    "names",
    [
        pets("", count=12),
        pets("around/", count=12),
        pets("Training/", count=12),
        [f"a/{name}/images/{number}.png" for name in ("cat", "dog") for number in range(12)],
        pets("train/", "Val/", "test/", count=3),
        pets("Train/", "Testing/", count=3),
        pets("", names=("bus", "test", "train"), count=6),
        [*pets("", count=12), ".DS_Store", "cat/._0.png", "__MACOSX/cat/0.png", "cat/.ipynb_checkpoints/0.png"],
    ],
)
def test_the_photos_held_out_are_those_of_the_service(names: list[str], tmp_path: Path) -> None:
    root = write(tmp_path, *names)
    found = classify.photos_by_class(root, held_out=True)
    assert {name: sorted(files) for name, files in found.items()} == read_layout(root).test.classes


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """A folder with a network that takes bright photos for birds, dark ones for apes."""

    class Brightness(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            mean = images.mean((1, 2, 3))
            return torch.stack([-mean, mean], 1)

    folder = tmp_path / "network"
    folder.mkdir()
    write_onnx(Brightness().eval(), torch.zeros(2, 3, 32, 32), folder / "winner.onnx")
    how = {"classes": ["ape", "bird"], "mean": [0.5] * 3, "std": [0.5] * 3, "resize": 32, "size": 32}
    (folder / "winner.json").write_text(json.dumps({"preprocessing": how}))
    return folder


def run(network: Path, folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [
        sys.executable,
        SCRIPT,
        network / "winner.onnx",
        network / "winner.json",
        folder,
        *more,
    ]
    return subprocess.run(command, capture_output=True, text=True)


def shot(path: Path, brightness: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (40, 50), (brightness,) * 3).save(path)


def test_photos_of_no_known_class_are_named(network: Path, tmp_path: Path) -> None:
    for name, brightness in (("a.png", 250), ("b.png", 3), ("c.PNG", 200), (".hidden.png", 3)):
        shot(tmp_path / "new" / name, brightness)
    ended = run(network, tmp_path / "new")
    assert (ended.returncode, ended.stdout) == (0, "a.png: bird (87%)\nb.png: ape (88%)\nc.PNG: bird (76%)\n"), (
        ended.stderr
    )
    assert run(network, tmp_path / "new" / "b.png").stdout == "b.png: ape (88%)\n"
    (tmp_path / "new" / "b.png").write_text("no picture")
    ended = run(network, tmp_path / "new")
    assert (ended.returncode, ended.stdout) == (2, "a.png: bird (87%)\nc.PNG: bird (76%)\n")
    assert ended.stderr.startswith("b.png: cannot identify image file")


def test_photos_of_one_class_are_counted(network: Path, tmp_path: Path) -> None:
    for number, brightness in enumerate((250, 240, 9)):
        shot(tmp_path / "new" / "bird" / f"{number}.png", brightness)
    assert run(network, tmp_path / "new").stdout == "2 of 3 photos right: 66.67%\n"
    shot(tmp_path / "new" / "ape" / "0.png", 9)
    assert run(network, tmp_path / "new").stdout == "3 of 4 photos right: 75.00%; 83.33% as the mean of the classes\n"


def test_what_cannot_be_used_is_said_in_a_line(network: Path, tmp_path: Path) -> None:
    (tmp_path / "empty" / "ape").mkdir(parents=True)
    shot(tmp_path / "broken" / "ape" / "0.png", 9)
    (tmp_path / "broken" / "ape" / "1.jpg").write_text("no picture")
    pets_of = write(tmp_path / "pets", *pets(""))
    refused = {
        tmp_path / "nowhere": f"No such file or directory: '{tmp_path / 'nowhere'}'",
        tmp_path / "empty": "empty has no photos.",
        tmp_path / "broken": f"cannot identify image file '{tmp_path / 'broken/ape/1.jpg'}'",
        pets_of: "pets has folders ['cat', 'dog'], the network knows ['ape', 'bird'].",
    }
    for folder, words in refused.items():
        ended = run(network, folder)
        assert ended.returncode == 2
        assert ended.stderr.endswith(f"{words}\n")
        assert "Traceback" not in ended.stderr
    exchanged: list[str | Path] = [sys.executable, SCRIPT, network / "winner.json", network / "winner.onnx", pets_of]
    ended = subprocess.run(exchanged, capture_output=True, text=True)
    assert (ended.returncode, "does not describe a network" in ended.stderr) == (2, True)


def test_it_needs_nothing_of_this_project(tmp_path: Path) -> None:
    """Copied away, it starts; what it imports is what its first line names."""
    imported = "import sys, classify; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    (tmp_path / "classify.py").write_text(SCRIPT.read_text())
    ended = subprocess.run([sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, '.'); {imported}"], cwd=tmp_path, capture_output=True, text=True, check=True)  # fmt: skip
    modules = set(ended.stdout.split())
    assert {"onnxruntime", "PIL", "numpy"} <= modules
    assert not modules & {"torch", "timm", "dna_client", "dna_engine", "httpx"}
