"""Shards of a URL, from their listing to single pictures in any order."""

from __future__ import annotations

import random
from collections import Counter, namedtuple
from pathlib import Path

import pytest

from dna_engine.errors import DataError, DatasetChanged
from dna_engine.images.albums import datasets_root, upload_folder
from dna_engine.images.pictures.picture import open_picture
from dna_engine.images.shards import album, index
from dna_engine.images.shards.album import open_shards, survey_url
from dna_engine.images.shards.places import look
from dna_engine.images.survey import survey
from tests.dna_engine.images.shards.made import SHADES, table, tar, web_dataset


@pytest.fixture(autouse=True)
def _kept_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DNA_DATASETS", str(tmp_path / "kept"))


def shade(opened: album.ShardAlbum, index: int) -> int:
    """Of a picture as ``made`` makes it."""
    value = opened.picture(index).getpixel((0, 0))
    assert isinstance(value, tuple)
    return int(value[0])


def test_a_web_dataset(tmp_path: Path) -> None:
    """Every picture of it, in any order, with the class that was written beside it."""
    halves = (
        {label: shades[:3] for label, shades in SHADES.items()},
        {label: shades[3:] for label, shades in SHADES.items()},
    )
    tar(tmp_path / "birds/train-000.tar", web_dataset(halves[0]))
    tar(tmp_path / "birds/train-001.tar", web_dataset(halves[1], first=6))
    tar(tmp_path / "birds/val-000.tar", web_dataset({0: [200], 1: [201]}))
    info = survey((tmp_path / "birds").as_uri())
    assert (info.name, info.kind, info.num_classes, info.image_size) == ("birds", "shards", 2, 10)
    assert (info.num_train, info.num_test, info.class_names) == (10, 2, ["0", "1"])
    train, test, _ = open_shards(info.location)
    places = list(range(10))
    random.Random(0).shuffle(places)
    assert sorted((train.labels[place], shade(train, place)) for place in places) == [
        (label, shade) for label, shades in SHADES.items() for shade in shades
    ]
    assert [(test.labels[place], shade(test, place)) for place in range(2)] == [(0, 200), (1, 201)]


def test_parquet_as_hugging_face_writes_it(tmp_path: Path) -> None:
    """The names of the classes come along; groups of rows stay on this machine when one of their rows was read."""
    table(
        tmp_path / "data/train-00000-of-00001.parquet", [1, 0, 1, 0, 1], names=["owl", "wren"], columns=("img", "label")
    )
    table(tmp_path / "data/test-00000-of-00001.parquet", [0, 1], names=["owl", "wren"], columns=("img", "label"))
    info = survey_url(f"file://{tmp_path}/data/*.parquet")
    assert (info.class_names, info.num_train, info.num_test) == (["owl", "wren"], 5, 2)
    train = open_shards(info.location).train
    assert train.labels == [1, 0, 1, 0, 1]
    assert [shade(train, place) for place in (4, 0, 3)] == [4, 0, 3]
    groups = upload_folder(datasets_root(), info.location) / "groups"
    assert sorted(path.name for path in groups.iterdir()) == ["1-0", "1-1"]
    (tmp_path / "data/train-00000-of-00001.parquet").unlink()
    assert [shade(train, place) for place in (1, 2, 4)] == [1, 2, 4], "read once"


def test_a_row_that_names_a_file_is_not_followed(tmp_path: Path) -> None:
    table(tmp_path / "a.parquet", [0, 1] * 2, content=[{"bytes": None, "path": "/etc/passwd"}] * 4)
    with pytest.raises(DataError, match=r"Row 0 of a\.parquet has no bytes of a picture; a path alone is not followed"):
        survey_url((tmp_path / "a.parquet").as_uri())


def test_a_full_disk_keeps_no_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table(tmp_path / "birds.parquet", ["owl", "wren"] * 4)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(album.shutil, "disk_usage", lambda _: usage(100, 91, 9))
    info = survey_url((tmp_path / "birds.parquet").as_uri())
    train, test, _ = open_shards(info.location)
    assert sorted(shade(of, place) for of in (train, test) for place in range(len(of.labels))) == list(range(8))
    assert not list((upload_folder(datasets_root(), info.location) / "groups").iterdir())


def test_without_test_images_a_fifth_of_every_class_is_kept(tmp_path: Path) -> None:
    tar(
        tmp_path / "birds.tar",
        {
            f"{name}/{n}.png": content
            for name in ("owl", "wren")
            for n, content in enumerate(web_dataset().values())
            if n % 2 == 0
        },
    )
    info = survey_url((tmp_path / "birds.tar").as_uri())
    assert (info.class_names, info.num_train, info.num_test) == (["owl", "wren"], 16, 4)
    test = open_shards(info.location).test
    assert Counter(test.labels) == {0: 2, 1: 2}
    assert survey_url((tmp_path / "birds.tar").as_uri()) == info


def test_shards_that_were_written_anew(tmp_path: Path) -> None:
    made = tar(tmp_path / "birds.tar", web_dataset())
    info = survey_url(made.as_uri())
    tar(made, web_dataset(first=1))
    with pytest.raises(DatasetChanged, match="were written anew"):
        open_shards(info.location)
    assert survey_url(made.as_uri()).location != info.location


def test_an_index_that_was_not_laid_down() -> None:
    with pytest.raises(DataError, match="has not been laid down here"):
        open_shards("f" * 64)


def test_a_check_is_given_every_picture_in_the_order_of_the_shards(tmp_path: Path) -> None:
    tar(tmp_path / "b/train.tar", web_dataset())
    tar(tmp_path / "a/test.tar", web_dataset({0: [200], 1: [201]}))
    subject = album.subject_of(index.make(look(tmp_path.as_uri())))
    assert [subject.name(number) for number in (0, 1, 2)] == [
        "a/test.tar/00000.png",
        "a/test.tar/00001.png",
        "b/train.tar/00000.png",
    ]
    assert (subject.counts("train"), subject.counts("test")) == (Counter({0: 5, 1: 5}), Counter({0: 1, 1: 1}))
    assert subject.by_class("train") == [[2, 4, 6, 8, 10], [3, 5, 7, 9, 11]]
    assert [open_picture(subject.files[number]).getpixel((0, 0)) for number in (1, 2)] == [(201, 0, 0), (0, 0, 0)]


def test_a_check_of_parquet_keeps_nothing(tmp_path: Path) -> None:
    table(tmp_path / "birds.parquet", [0, 1] * 4)
    subject = album.subject_of(index.make(look((tmp_path / "birds.parquet").as_uri())))
    assert [open_picture(file).getpixel((0, 0)) for file in subject.files] == [(shade, 0, 0) for shade in range(8)]
    assert not (tmp_path / "kept").exists()
