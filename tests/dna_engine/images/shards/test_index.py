"""What is no dataset is refused with what to do; what is left out is told."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from dna_engine.errors import DataError
from dna_engine.images.shards import index
from dna_engine.images.shards.places import look
from tests.dna_engine.images.shards.made import table, tar, web_dataset
from tests.dna_engine.images.test_arrange import picture

OWL, WREN = picture(1), picture(2)
FOUR = {0: [1, 2], 1: [3, 4]}


def made(folder: Path) -> index.Index:
    return index.make(look(folder.as_uri()))


def tars_of(**shards: dict[str, bytes]) -> Callable[[Path], object]:
    return lambda folder: [tar(folder / f"{name}.tar", files) for name, files in shards.items()]


@pytest.mark.parametrize(
    ("lay", "said"),
    [
        (tars_of(a={"1.png": OWL, "2.png": WREN}), "2 of 2 pictures have no label (a.tar/1.png, a.tar/2.png). In a .tar a picture"),
        (tars_of(a={"readme.txt": b"hello"}), "hold no pictures"),
        (tars_of(a=web_dataset({0: [1, 2]})), "There is one class, 0;"),
        (tars_of(a=web_dataset({0: [1, 2], 1: [3]})), "The class '1' has one image"),
        (tars_of(val=web_dataset(FOUR)), "There are no images to train with, only val."),
        (tars_of(train=web_dataset(FOUR), other=web_dataset(FOUR)), "other.tar is named after no part of the dataset"),
        (tars_of(train=web_dataset(FOUR), test=web_dataset({0: [1, 2]})), "The images of test have none of 1"),
        (tars_of(**{"train-test": web_dataset(FOUR)}), "named after several parts of a dataset (test, train)"),
        (tars_of(a={"1.png": OWL, "1.jpg": OWL, "1.cls": b"0"}), "has two pictures, 1.png and 1.jpg"),
        (tars_of(a={"1.png": OWL, "1.json": b"{"}), "1.json of a.tar is no JSON"),
        (tars_of(a={"1.png": OWL, "1.json": b"[" * 100_000}), "1.json of a.tar is no JSON"),
        (tars_of(a={"1.png": OWL, "1.json": b'{"label": [1, 2]}'}), "1.json of a.tar has the label [1, 2]; one is"),
        (tars_of(a={"1.png": OWL, "1.json": b'{"label": null}'}), "1 of 1 pictures have no label"),
        (tars_of(a={"1.png": OWL, "1.cls": b"a\0b"}), r"There is the label 'a\x00b' in the shards"),
        (tars_of(a={"1.png": OWL, "1.json": rb'{"label": "\ud800"}'}), r"There is the label '\ud800' in the shards"),
        (tars_of(a={"1.png": OWL, "1.cls": b"a" * 201}), "in at most 200 bytes"),
        (lambda folder: table(folder / "a.parquet", ["a\r\nb", "c"]), r"There is the label 'a\r\nb' in the shards"),
        (lambda folder: (folder / "a.tar").write_bytes(b"no tar" * 200), "a.tar is damaged"),
        (lambda folder: (folder / "a.tar").touch(), "a.tar is empty"),
        (lambda folder: (folder / "a.parquet").write_bytes(b"no table"), "a.parquet is no Parquet file"),
        (lambda folder: table(folder / "a.parquet", [0, 1], columns=("x", "label")), "no column of pictures that is known as one; it has x, label"),
        (lambda folder: table(folder / "a.parquet", [0, 1], columns=("image", "kind")), "no column of labels that is known as one; it has image, kind"),
        (lambda folder: table(folder / "a.parquet", [0.5, 1.5]), "Row 0 of a.parquet has the label 0.5"),
        (lambda folder: table(folder / "a.parquet", [-1, 0]), "1 of 2 pictures have no label (a.parquet/row 0)"),
    ],
)  # fmt: skip
def test_what_is_refused(tmp_path: Path, lay: Callable[[Path], object], said: str) -> None:
    lay(tmp_path)
    with pytest.raises(DataError) as refused:
        made(tmp_path)
    assert said in refused.value.message


def test_a_part_without_labels_is_left_out(tmp_path: Path) -> None:
    """As the test images of many competitions are."""
    table(tmp_path / "train.parquet", [0, 1, 0, 1])
    table(tmp_path / "test.parquet", [-1, -1])
    (tmp_path / "README.md").write_text("# Birds")
    found = made(tmp_path)
    assert {split: len(part.label) for split, part in found.parts.items()} == {"train": 2, "test": 2}
    assert [finding.sentence for finding in found.findings] == [
        "The 2 pictures of test have no labels, and are left out.",
        "What is no shard is left out. (1: README.md)",
    ]


@pytest.mark.parametrize(
    ("files", "classes"),
    [
        ({"cls": [b"10", b"9", b"10\n", b" 9"]}, ["9", "10"]),
        ({"cls": [b"owl", b"wren", b"owl", b"wren"]}, ["owl", "wren"]),
        ({"cls": [b"--5", b"5", b"--5", b"5"]}, ["5", "--5"]),
        ({"json": [b'{"label": 3}', b'{"cls": "owl"}', b'{"label": 3}', b'{"class": "owl"}']}, ["3", "owl"]),
    ],
)
def test_labels_as_people_write_them(tmp_path: Path, files: dict[str, list[bytes]], classes: list[str]) -> None:
    ((kind, labels),) = files.items()
    tar(
        tmp_path / "a.tar",
        {f"x/{n}.{end}": content for n, label in enumerate(labels) for end, content in (("png", OWL), (kind, label))},
    )
    assert made(tmp_path).classes == classes


def test_it_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    tar(tmp_path / "birds/a.tar", web_dataset())
    before = made(tmp_path / "birds")
    index.save(before, tmp_path / "index.npz")
    after = index.load(tmp_path / "index.npz")
    assert (after.fingerprint, after.classes, after.findings) == (before.fingerprint, before.classes, before.findings)
    for split, part in before.parts.items():
        for name, column in vars(part).items():
            assert (getattr(after.parts[split], name) == column).all()


def test_a_hostile_tar_takes_no_memory(tmp_path: Path) -> None:
    """A name of a gigabyte is refused before it is read, by the rules of archives that are sent."""
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 1 << 30
    (tmp_path / "a.tar").write_bytes(header.tobuf() + bytes(1 << 16))
    with pytest.raises(DataError, match="a name or a note of 1,073,741,824 bytes"):
        made(tmp_path)
