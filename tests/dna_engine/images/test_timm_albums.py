"""Datasets by timm's names: from what lies on the server, without a download, or with an error that says where to put it."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import numpy as np
import pytest

from dna_engine.errors import DataError
from dna_engine.images.pictures.picture import open_picture
from dna_engine.images.survey import survey
from dna_engine.images.timm_albums import open_timm, subject_of
from tests.dna_engine.images.shards.made import tar, web_dataset


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of datasets, on a server that reaches nothing."""
    monkeypatch.setenv("DNA_DATASETS", str(tmp_path))
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    return tmp_path


def write_mnist(folder: Path, counts: dict[str, int]) -> None:
    """MNIST's four files as torchvision lays them down, of pictures of one shade each."""
    folder.mkdir(parents=True)
    for split, count in counts.items():
        shades = np.arange(count, dtype=np.uint8)
        pixels = np.broadcast_to(shades[:, None, None], (count, 28, 28))
        head = struct.pack(">4i", 2051, count, 28, 28)
        (folder / f"{split}-images-idx3-ubyte").write_bytes(head + pixels.tobytes())
        (folder / f"{split}-labels-idx1-ubyte").write_bytes(struct.pack(">2i", 2049, count) + (shades % 10).tobytes())


def test_what_lies_on_the_server_is_not_downloaded(root: Path) -> None:
    write_mnist(root / "FashionMNIST/raw", {"train": 40, "t10k": 20})
    info = survey("torch/fashion_mnist")
    assert (info.kind, info.location, info.num_train, info.num_test) == ("timm", "torch/fashion_mnist", 40, 20)
    assert (info.num_classes, info.image_size, info.class_names[:2]) == (10, 28, ["T-shirt/top", "Trouser"])
    train, test = open_timm("torch/fashion_mnist")
    assert train.labels[13] == test.labels[13] == 3
    subject = subject_of((train, test))
    assert (subject.classes[3], subject.counts("train")[3], subject.counts("test")[3]) == ("Dress", 4, 2)
    assert open_picture(subject.files[53]).getpixel((5, 5)) == (13, 13, 13)
    assert train.picture(13).getpixel((5, 5)) == (13, 13, 13)


def test_what_can_neither_be_found_nor_downloaded(root: Path) -> None:
    with pytest.raises(DataError) as refused:
        survey("torch/cifar10")
    for said in (
        "'torch/cifar10'",
        f"not below {root}",
        "cannot be downloaded",
        "put the data there first, on every worker",
    ):
        assert said in refused.value.message


def test_a_library_that_is_not_installed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    monkeypatch.delitem(sys.modules, "timm.data.readers.reader_hfds", raising=False)
    with pytest.raises(DataError, match="pip install datasets, on every worker"):
        survey("hfds/birds")
    assert capsys.readouterr().out == "", "the engine's events go there"


def test_shards_below_the_folder_of_datasets(root: Path) -> None:
    tar(root / "birds/train-0.tar", web_dataset())
    info = survey("wds/birds")
    assert (info.name, info.kind, info.num_train, info.num_test) == ("birds", "shards", 8, 2)
