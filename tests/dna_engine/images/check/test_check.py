"""What the check of a dataset finds in folders made for it."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dna_engine.errors import Interrupted
from dna_engine.images.check.check import check
from dna_engine.images.check.report import Finding, Level, Report
from dna_engine.images.check.subject import of_layout
from dna_engine.images.layout.layout import read_layout
from dna_engine.images.pictures.decoder import Decoder
from tests import untidy_pictures
from tests.dna_engine.images.check.test_mirrored import LEFT, RIGHT, UP


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    decoder = Decoder(10_000_000)
    yield decoder
    decoder.close()


def noise(path: Path, seed: int, *, mode: str = "RGB", side: int = 16) -> Path:
    """A picture that is like no other of another seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = random.Random(seed).randbytes(side * side * (3 if mode == "RGB" else 1))
    Image.frombytes(mode, (side, side), content).save(path)
    return path


@pytest.fixture
def birds(tmp_path: Path) -> Path:
    """12 owls and 12 wrens to train with, 6 of each to test with."""
    seeds = iter(range(1000))
    for split, count in (("train", 12), ("test", 6)):
        for name in ("owl", "wren"):
            for number in range(count):
                noise(tmp_path / split / name / f"{number}.png", next(seeds))
    return tmp_path


def checked(root: Path, decoder: Decoder) -> Report:
    return check(of_layout(read_layout(root), root), decoder).report


def finding(report: Report, code: str) -> Finding:
    [found] = [finding for finding in report.findings if finding.code == code]
    return found


def test_a_clean_dataset_is_counted_and_nothing_is_found(birds: Path, decoder: Decoder) -> None:
    report = checked(birds, decoder)
    assert report.splits == {"train": 24, "test": 12}
    assert [(counted.name, counted.images) for counted in report.classes] == [
        ("owl", {"train": 12, "test": 6}),
        ("wren", {"train": 12, "test": 6}),
    ]
    assert (report.modes, report.formats) == ({"RGB": 36}, {"PNG": 36})
    assert report.sizes is not None
    assert (report.sizes.smallest, report.sizes.largest) == (16, 16)
    assert report.findings == []


def test_pictures_that_are_there_twice_are_told_by_what_that_does(birds: Path, decoder: Decoder) -> None:
    train, test = birds / "train", birds / "test"
    noise(train / "owl/again.png", 0)
    noise(test / "owl/known.png", 1)
    noise(train / "wren/owl.png", 2)
    report = checked(birds, decoder)
    assert finding(report, "duplicates").names == ["train/owl/again.png = train/owl/0.png"]
    assert finding(report, "duplicates").level == Level.NOTE
    assert finding(report, "duplicates_across_splits").names == ["test/owl/known.png = train/owl/1.png"]
    assert finding(report, "contradictory_labels").names == ["train/wren/owl.png = train/owl/2.png"]
    assert [finding.count for finding in report.findings] == [1, 1, 1]


def test_a_test_set_whose_labels_were_exchanged_is_not_called_clean(tmp_path: Path, decoder: Decoder) -> None:
    """Bright and dark pictures: no file is there twice, and still the splits do not mean the same by a label."""
    for split, count in (("train", 25), ("test", 25)):
        for name, shade in (("day", 200), ("night", 20)):
            exchanged = {"day": "night", "night": "day"}[name] if split == "test" else name
            for number in range(count):
                path = tmp_path / split / exchanged / f"{number}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                lines = Image.new("RGB", (32, 32), (shade, shade, number if split == "train" else 99 - number))
                lines.paste((255 - shade, 0, 0), (0, 0, 32, 8) if shade > 100 else (12, 0, 20, 32))
                lines.save(path)
    report = checked(tmp_path, decoder)
    found = finding(report, "looks_like_another_class")
    assert (found.names, found.level) == (["day like night", "night like day"], Level.WARNING)
    (tmp_path / "test/day").rename(tmp_path / "test/x")
    (tmp_path / "test/night").rename(tmp_path / "test/day")
    (tmp_path / "test/x").rename(tmp_path / "test/night")
    assert checked(tmp_path, decoder).findings == []


def test_files_that_are_no_pictures_are_all_found(birds: Path, decoder: Decoder) -> None:
    for number in range(7):
        (birds / "train/owl" / f"bad{number}.png").write_bytes(b"no picture")
    report = checked(birds, decoder)
    [error] = report.errors
    assert (error.code, error.count, len(error.names)) == ("unreadable", 7, 5)
    assert report.splits["train"] == 31


def test_unequal_and_tiny_classes_and_grey_pictures_are_told(birds: Path, decoder: Decoder) -> None:
    for number in range(90):
        noise(birds / "train/owl" / f"more{number}.png", 2000 + number, mode="L")
    for number in range(9, 12):
        (birds / "train/wren" / f"{number}.png").unlink()
    report = checked(birds, decoder)
    assert finding(report, "greyscale").count == 90
    assert "102 images of owl to train with and 9 of wren" in finding(report, "unequal_classes").text
    assert finding(report, "tiny_classes").names == ["9 of wren"]


def test_it_says_how_far_it_is_and_stops_when_told_to(birds: Path, decoder: Decoder) -> None:
    told: list[tuple[int, int]] = []
    subject = of_layout(read_layout(birds), birds)
    check(subject, decoder, told=lambda done, total: told.append((done, total)))
    assert told == [(done, 36) for done in range(1, 37)]
    with pytest.raises(Interrupted):
        check(subject, decoder, stopped=lambda: True)


@pytest.mark.parametrize("split", ["train", "test"])
def test_pictures_of_every_kind_are_counted_by_what_is_done_to_them(split: str, birds: Path, decoder: Decoder) -> None:
    for number, make in enumerate(untidy_pictures.PICTURES.values()):
        (birds / split / "owl" / f"kind{number}.png").write_bytes(make())
    report = checked(birds, decoder)
    assert report.errors == []
    assert {found.code: found.count for found in report.at(Level.NOTE)} == {
        "greyscale": 9,
        "turned": 4,
        "transparent": 6,
        "several_frames": 5,
        "other_colours": 4,
        "deep_grey": 3,
        "float_grey": 1,
        "cut_bits": 1,
    }
    assert (report.modes["CMYK"], report.modes["LAB"], report.modes["I;16"]) == (3, 1, 3)
    assert (report.formats["AVIF"], report.formats["MPO"]) == (1, 1)


def test_whatever_cannot_be_used_is_found_in_a_folder_of_the_server(birds: Path, decoder: Decoder) -> None:
    for number, (make, _) in enumerate(untidy_pictures.BROKEN.values()):
        (birds / "train/wren" / f"broken{number:02}.png").write_bytes(make())
    [error] = checked(birds, decoder).errors
    assert (error.code, error.count) == ("unreadable", len(untidy_pictures.BROKEN))
    assert error.names[0].startswith("train/wren/broken00.png: UnidentifiedImageError")


def test_signs_that_point_left_and_right_are_not_mirrored_unless_that_is_asked_for(
    tmp_path: Path, decoder: Decoder
) -> None:
    rng = np.random.default_rng(0)
    for name, draw in (("left", LEFT), ("right", RIGHT), ("up", UP)):
        (tmp_path / name).mkdir()
        for number in range(16):
            draw(rng).save(tmp_path / name / f"{number}.png")
    looked = check(of_layout(read_layout(tmp_path), tmp_path), decoder)
    assert looked.one_way
    assert finding(looked.report, "mirrored_looks_like_another_class").names == ["left like right", "right like left"]


def test_sizes_and_shapes_are_told(birds: Path, decoder: Decoder) -> None:
    noise(birds / "train/owl/small.png", 3000, side=8)
    Image.new("L", (8_000, 16)).save(birds / "train/owl/long.png")
    for number in range(40):
        noise(birds / "train/wren/" / f"middle{number}.png", 4000 + number, side=70)
    report = checked(birds, decoder)
    assert report.sizes is not None
    assert [(part.start, part.images) for part in report.sizes.histogram] == [(8, 1), (16, 37), (64, 40)]
    assert finding(report, "elongated").count == 1
    assert (finding(report, "enlarged").count, finding(report, "enlarged").level) == (78, Level.WARNING)


def test_what_is_white_is_known_of_all_pictures_and_seen_so_in_samples(tmp_path: Path, decoder: Decoder) -> None:
    for name in ("owl", "wren"):
        (tmp_path / name).mkdir()
        for number in range(40):
            white = 4_095 if number == 39 else 900
            (tmp_path / name / f"{number:02}.png").write_bytes(untidy_pictures.deep_grey("PNG", white))
    subject = of_layout(read_layout(tmp_path), tmp_path)
    looked = check(subject, decoder)
    assert looked.seen.described["white"] == looked.seen.look.white == 4_095


def test_what_is_held_of_a_picture_lets_100_000_be_checked_in_300_megabytes(tmp_path: Path, decoder: Decoder) -> None:
    """Beside what does not grow: the libraries, and the pictures that are compared with others."""
    files, last = 1_200, 300
    for number in range(files):
        folder = tmp_path / f"class {number % 20}"
        folder.mkdir(exist_ok=True)
        Image.new("RGB", (2, 2), (number % 251, number // 251, 9)).save(folder / f"{number}.png")
    held: list[int] = []
    tracemalloc.start()
    try:
        layout = read_layout(tmp_path)
        of_layout_alone = tracemalloc.get_traced_memory()[0]
        told = lambda done, total: held.append(tracemalloc.get_traced_memory()[0])  # noqa: E731
        report = check(of_layout(layout, tmp_path), decoder, told=told).report
    finally:
        tracemalloc.stop()
    assert (report.splits, len(held)) == ({"train": 960, "test": 240}, files), "every picture is told of"
    of_a_picture = of_layout_alone / files + (held[-1] - held[-1 - last]) / last
    assert of_a_picture < 1_000  # Bytes: 100 MB of 100,000.
