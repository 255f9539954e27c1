"""Folders as people arrange them: all classes with their images, or an error that says how to arrange them."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from dna_engine.errors import DataError
from dna_engine.images.layout.layout import Layout, read_layout
from dna_engine.images.layout.parts import Part
from tests import untidy
from tests.dna_engine.images.test_arrange import write


def read(root: Path, names: Sequence[str]) -> Layout:
    return read_layout(write(root / "data", *names))


def inside(part: Part) -> list[str]:
    return [path.relative_to(part.root).as_posix() for path in part.files]


def refusal(root: Path, names: Sequence[str]) -> str:
    with pytest.raises(DataError) as caught:
        read(root, names)
    assert str(root) not in caught.value.message
    return caught.value.message


def pets(*splits: str, names: Sequence[str] = ("cat", "dog"), count: int = 1) -> list[str]:
    return [f"{split}{name}/{number}.png" for split in splits for name in names for number in range(count)]


@pytest.mark.parametrize("around", ["", "birds/", "a/b/"])
@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("train", "test"),
        ("train", "val"),
        ("Train", "Val"),
        ("TRAIN", "TEST"),
        ("Training", "Testing"),
        ("train", "valid"),
        ("training", "Validation"),
    ],
)
def test_train_and_test(around: str, train: str, test: str, tmp_path: Path) -> None:
    layout = read(tmp_path, pets(f"{around}{train}/", f"{around}{test}/"))
    assert (inside(layout.train), inside(layout.test)) == (["cat/0.png", "dog/0.png"],) * 2
    assert (layout.train.root.name, layout.test.root.name, layout.left_out) == (train, test, [])


@pytest.mark.parametrize(
    ("splits", "told"),
    [
        (["train/", "test/"], []),
        (["train/", "Val/"], ["There is no part to test with but Val/: some training images decide."]),
        (["train/", "Val/", "test/"], ["Val/ decides which network is chosen, and test/ is only reported."]),
    ],
)
def test_what_decides_is_told(splits: list[str], told: list[str], tmp_path: Path) -> None:
    assert [finding.text for finding in read(tmp_path, pets(*splits)).findings] == told


@pytest.mark.parametrize("around", ["", "birds/", "birds/train/", "Training/"])
def test_a_fifth_of_every_class_is_kept_for_testing(around: str, tmp_path: Path) -> None:
    files = [f"{around}{name}/{number:02d}.png" for name, count in (("cat", 10), ("dog", 2)) for number in range(count)]
    first, second = (read(tmp_path / place, files) for place in ("first", "second"))
    assert (inside(first.train), inside(first.test)) == (inside(second.train), inside(second.test))
    assert inside(first.test) == ["cat/03.png", "cat/07.png", "dog/01.png"], "the same in every version"
    assert sorted(inside(first.train) + inside(first.test)) == [name.removeprefix(around) for name in files]


def test_a_class_called_train(tmp_path: Path) -> None:
    layout = read(tmp_path, pets("", names=("bus", "car", "train"), count=2))
    assert list(layout.train.classes) == ["bus", "car", "train"]


def test_images_one_folder_further_down(tmp_path: Path) -> None:
    """As Tiny ImageNet has them."""
    layout = read(tmp_path, [f"train/{name}/images/{number}.png" for name in ("n01", "n02") for number in range(2)])
    assert inside(layout.train)[0].startswith("n01/images/")
    assert list(layout.train.classes) == ["n01", "n02"]


def test_what_systems_leave_behind_is_nothing(tmp_path: Path) -> None:
    clutter = [
        ".DS_Store", "__MACOSX/cat/._0.png", "cat/._0.png", "cat/Thumbs.db", "dog/desktop.ini",
        ".ipynb_checkpoints/0-checkpoint.png", "cat/.ipynb_checkpoints/0-checkpoint.png",
    ]  # fmt: skip
    layout = read(tmp_path, [*pets("", count=2), *clutter])
    assert sorted(inside(layout.train) + inside(layout.test)) == pets("", count=2)
    assert layout.left_out == []
    assert [finding.sentence for finding in layout.findings] == [
        "What systems and editors leave behind is left out. (7: .DS_Store, .ipynb_checkpoints, __MACOSX, cat/._0.png, "
        "cat/.ipynb_checkpoints and 2 more)"
    ]


def test_other_files_are_told(tmp_path: Path) -> None:
    files = {
        "readme.txt": b"Birds.",
        "dog/1.svg": b"<svg/>",
        **{f"cat/{number}.heic": b"\0\0\0\x18ftypheic" for number in range(6)},
    }
    untidy.write(tmp_path / "data", files)
    layout = read(tmp_path, pets("", count=2))
    assert layout.left_out == [
        "Files that are not read are left out. Of HEIC: save them as JPEG; of drawings or documents: save them as PNG. (7: cat/0.heic, "
        "cat/1.heic, cat/2.heic, cat/3.heic, cat/4.heic and 2 more)",
        "Files that are no images are left out. (1: readme.txt)",
    ]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], "There are no class folders with images. A dataset is one folder of images for every class"),
        (["1.png", "2.png"], "2 images lie in no class folder. A dataset is one folder"),
        (["cat/1.png", "cat/2.png"], "There is one class folder, cat/ with 2 images; at least two are needed"),
        (pets("train/", "test/", names=["cat"]), "There is one class, cat; at least two are needed"),
        (["cat/1.png", "dog/1.png", "dog/2.png"], "The class 'cat' has one image"),
        (["train/1.png", "train/cat/1.png"], "Beside the class folders lies train/1.png"),
        ([*pets("", count=2), "3.png"], "Beside the class folders lies 3.png"),
        ([*pets("set/train/", "set/test/"), "set/3.png"], "Beside the class folders lies set/3.png"),
        (["train/1.png", "test/1.png"], "train/ has 1 image and no class folders. Sort them"),
        ([*pets("train/", "test/"), "Val/1.png", "Val/2.png"], "Val/ has 2 images and no class folders. Sort them"),
        (pets("val/", "test/"), "There is no train/ beside test/, val/"),
        (pets("train/", "Training/"), "Training/ and train/ are both train images"),
        (pets("train/", "val/", "validation/"), "val/ and validation/ are both val images"),
        ([*pets("train/", "test/"), "extra/1.png"], "extra/ (1 image) lies beside test/, train/: move its images"),
        (
            [*pets("train/", "val/"), "val/castle/1.png"],
            "There is val/castle/ but no train/castle/: every class needs images to train and to test with",
        ),
        ([*pets("a/Train/", "a/Val/"), "a/Train/castle/1.png"], "There is a/Train/castle/ but no a/Val/castle/"),
        (
            [*pets("", count=2), "animals/cats/1.png", "animals/dogs/1.png"],
            "animals/ has images in several folders (animals/cats/, animals/dogs/), and they would become one class",
        ),
        ([*pets("", count=2), "owl/1.png", "owl/more/1.png"], "owl/ has images in several folders (owl/, owl/more/)"),
        (pets("fold1/", "fold2/"), "fold1/, fold2/ look like parts of one set, not like classes"),
        (pets("north/", "south/"), "north/, south/ hold the same folders (cat/, dog/), as parts of a dataset do. Call them train/"),
        ([*pets("", count=2), "owl/.1.png"], "The class folder owl/ has no images. Put some into it, or leave it out. AVIF, "),
    ],
)  # fmt: skip
def test_what_is_no_dataset_or_could_be_several(names: list[str], said: str, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    assert refusal(tmp_path, names).startswith(said)


def test_an_empty_class(tmp_path: Path) -> None:
    (tmp_path / "data/train/owl").mkdir(parents=True)
    assert refusal(tmp_path, pets("train/", "test/")).startswith("The class folder train/owl/ has no images. Put some")


def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    write(tmp_path, *pets("data/", count=2), *pets("elsewhere/", names=["owl"], count=2))
    (tmp_path / "data/owl").symlink_to(tmp_path / "elsewhere/owl")
    (tmp_path / "data/cat/up").symlink_to(tmp_path / "data")
    layout = read_layout(tmp_path / "data")
    assert list(layout.train.classes) == ["cat", "dog", "owl"]
    assert len(layout.train.files) == 3


def test_links_stay_where_they_may_lead(tmp_path: Path) -> None:
    write(tmp_path, *pets("srv/data/", count=2), *pets("srv/other/", "elsewhere/", names=["owl"], count=2))
    (tmp_path / "srv/data/owl").symlink_to(tmp_path / "srv/other/owl")
    (tmp_path / "srv/data/cat/more.png").symlink_to("../../other/owl/0.png")
    layout = read_layout(tmp_path / "srv/data", within=[tmp_path / "srv"])
    assert list(layout.train.classes) == ["cat", "dog", "owl"]
    for name, target in (
        ("wren", tmp_path / "elsewhere/owl"),
        ("cat/9.png", tmp_path / "elsewhere/owl/0.png"),
        ("up", ".."),
    ):
        link = tmp_path / "srv/data" / name
        link.symlink_to(target)
        with pytest.raises(DataError, match=rf"^{name} is a link that leads out of") as caught:
            read_layout(tmp_path / "srv/data", within=[tmp_path / "srv/data", tmp_path / "srv/other"])
        assert str(tmp_path) not in caught.value.message
        link.unlink()


@pytest.mark.parametrize("target", ["9.png", "nowhere", "/nowhere/at/all"])
def test_links_to_nothing(target: str, tmp_path: Path) -> None:
    write(tmp_path, *pets("data/", count=2))
    (tmp_path / "data/cat/9.png").symlink_to(target)
    for within in (None, [tmp_path]):
        with pytest.raises(DataError, match=r"^cat/9.png is neither a file nor a folder, or a link to nothing"):
            read_layout(tmp_path / "data", within=within)


def test_what_would_be_waited_for_without_end(tmp_path: Path) -> None:
    write(tmp_path, *pets("data/", count=2))
    os.mkfifo(tmp_path / "data/cat/9.png")
    with pytest.raises(DataError, match=r"^cat/9.png is neither a file nor a folder"):
        read_layout(tmp_path / "data")


@pytest.mark.parametrize("names", [("Cat", "cat"), ("\u00e9", "e\u0301")])
@pytest.mark.parametrize("split", ["", "train/"])
def test_two_classes_that_are_one_on_some_systems(names: tuple[str, str], split: str, tmp_path: Path) -> None:
    said = refusal(tmp_path, pets(split, names=names, count=2))
    first, second = sorted(names)
    assert f"{split}{first}/ and {split}{second}/ are one folder on some systems" in said


@pytest.mark.parametrize(("name", "shown"), [(b"\xff\xfe", r"\udcff\udcfe"), (b"a\x1b[31m\n", r"a\x1b[31m\n")])
def test_a_name_that_cannot_be_written(tmp_path: Path, name: bytes, shown: str) -> None:
    write(tmp_path, *pets("data/", count=2))
    (tmp_path / os.fsdecode(b"data/" + name)).mkdir()
    with pytest.raises(
        DataError, match=f"^The name {re.escape(shown)} is not written in UTF-8, or holds control characters"
    ):
        read_layout(tmp_path / "data")


def test_folders_without_bottom(tmp_path: Path) -> None:
    (tmp_path / "data/cat" / "/".join(70 * ["a"])).mkdir(parents=True)
    with pytest.raises(DataError, match="lies deeper than 64 folders"):
        read_layout(tmp_path / "data")


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere is no folder. A dataset is"):
        read_layout(tmp_path / "nowhere")
