"""Datasets as people have them, each by what comes of it: the classes and parts that were meant, or words that say what to do."""

from __future__ import annotations

import io
import re
import struct
import tarfile
import zipfile
import zlib
from collections import Counter
from pathlib import Path

import pytest

from dna_engine.errors import DataError
from dna_engine.images.archive import Limits
from dna_engine.images.arrange import arrange
from dna_engine.images.layout.layout import Layout, read_arranged, read_layout
from dna_engine.images.layout.reading import Reading, read_archive
from dna_engine.images.pictures.foreign import HEAD
from dna_engine.images.pictures.kinds import looks_like_picture
from dna_engine.images.pictures.picture import open_picture
from dna_engine.images.pictures.prepare import FORMATS
from tests.untidy import CLUTTER, DATASETS, HEIC, Files, classes, named_in, picture, pictures, tarred, write, zipped

CLASSES = Reading(layout="classes")


def from_folder(files: Files, tmp_path: Path, reading: Reading) -> Layout:
    return read_layout(write(tmp_path / "data", files), reading.layout)


def from_zip(files: Files, tmp_path: Path, reading: Reading) -> Layout:
    return read_archive(io.BytesIO(zipped(files)), tmp_path / "out", reading, limits=Limits())


def from_tar(files: Files, tmp_path: Path, reading: Reading) -> Layout:
    return read_archive(io.BytesIO(tarred(files, "w:gz")), tmp_path / "out", reading, limits=Limits())


#: A folder of a server and of the command line, and what is uploaded: one reader.
WAYS = pytest.mark.parametrize("way", [from_folder, from_zip, from_tar])


def counts(layout: Layout) -> dict[str, dict[str, int]]:
    return {split: {name: len(files) for name, files in part.classes.items()} for split, part in layout.parts.items()}


def refusal(name: str, tmp_path: Path, way=from_folder, reading: Reading = Reading()) -> str:  # type: ignore[no-untyped-def]  # noqa: B008
    with pytest.raises(DataError) as caught:
        way(DATASETS[name](), tmp_path, reading)
    assert str(tmp_path) not in caught.value.message
    return caught.value.message


EACH = {"cat": 2, "dog": 2}


@WAYS
@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Training and Testing", {"train": EACH, "test": EACH}),
        ("Train and Val", {"train": EACH, "test": EACH}),
        ("three splits", {"train": EACH, "val": EACH, "test": {"cat": 3, "dog": 3}}),
        ("three splits in Spanish", {"train": EACH, "val": EACH, "test": EACH}),
        ("test without labels", {"train": EACH, "test": EACH}),
        ("a class called train", {"train": {"bus": 3, "car": 3, "train": 3}, "test": {"bus": 1, "car": 1, "train": 1}}),
        ("odd names", {"train": {"apple": 2, "owl": 2}, "test": {"apple": 1, "owl": 1}}),
        ("clutter", {"train": {"cat": 1, "dog": 1}, "test": {"cat": 1, "dog": 1}}),
        ("labels in a CSV", {"train": {"cat": 2, "dog": 2}, "test": {"cat": 1, "dog": 1}}),
        ("labels of a spreadsheet", {"train": {"Bär": 2, "dog": 2}, "test": {"Bär": 1, "dog": 1}}),
        ("labels in a folder of their own", {"train": EACH, "test": {"cat": 1, "dog": 1}}),
        ("labels with parts", {"train": EACH, "val": EACH, "test": EACH}),
        ("labels in JSON", {"train": {"0": 2, "1": 2}, "test": {"0": 1, "1": 1}}),
        ("image folder of Hugging Face", {"train": EACH, "test": EACH}),
        ("image folder in JSON lines", {"train": EACH, "test": EACH}),
        ("train.csv", {"train": {"cat": 2, "dog": 2}, "test": {"cat": 1, "dog": 1}}),
        ("labelled images with masks", {"train": {"cat": 1, "dog": 1}, "test": {"cat": 1, "dog": 1}}),
    ],
)  # fmt: skip
def test_what_was_meant(way, name: str, found: dict[str, dict[str, int]], tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    layout = way(DATASETS[name](), tmp_path, Reading())
    assert counts(layout) == found


@pytest.mark.parametrize("name", ["three splits", "labels with parts", "odd names", "labels in JSON", "folds"])
def test_what_is_kept_of_an_upload_is_read_as_it_was_understood(name: str, tmp_path: Path) -> None:
    layout = from_zip(DATASETS[name](), tmp_path, CLASSES if name == "folds" else Reading())
    before = counts(layout)
    contents = {split: sorted(path.read_bytes() for path in part.files) for split, part in layout.parts.items()}
    arrange(layout, tmp_path / "kept")
    kept = read_arranged(tmp_path / "kept")
    assert counts(kept) == before
    assert {split: sorted(path.read_bytes() for path in part.files) for split, part in kept.parts.items()} == contents


@WAYS
def test_folders_that_are_no_classes(way, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert "look like parts of one set, not like classes. Put them together" in refusal("folds", tmp_path, way)
    files = DATASETS["folds"]()
    assert list(way(files, tmp_path / "told", CLASSES).train.classes) == ["fold1", "fold2"]


def test_pictures_and_their_masks(tmp_path: Path) -> None:
    said = refusal("masks", tmp_path)
    assert said.startswith("images/, masks/ look like the pictures of one set and what belongs to each of them")
    assert "layout=classes" in said
    assert counts(from_folder(DATASETS["masks"](), tmp_path, CLASSES))["train"] == {"images": 1, "masks": 1}


def test_folders_inside_classes_are_theirs_where_that_was_said(tmp_path: Path) -> None:
    files = pictures("animals/cat/1.png", "animals/dog/2.png", "plants/3.png", "plants/4.png")
    assert counts(from_folder(files, tmp_path, CLASSES))["train"] == {"animals": 1, "plants": 1}
    with pytest.raises(DataError, match=r"animals/ has images in several folders .* or say layout=classes"):
        from_folder(files, tmp_path / "untold", Reading())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("an empty class", "The class folder owl/ has no images. Put some into it, or leave it out."),
        ("a class of HEIC", "The class folder owl/ has no images: owl/0.heic, owl/1.heic cannot be used. HEIC is not read: save them as JPEG"),
        ("a class of camera raw", "The class folder owl/ has no images: owl/0.nef cannot be used. camera raw is not read: develop"),
        ("labels of other pictures", "labels.csv has 2 names, such as a.png, b.png, and none is that of a picture with a label here"),
        ("a table without labels", "info.csv has no columns that are called like names of pictures and their labels, such as"),
        ("two labels", "labels.csv gives '1.png' the label 'dog', and it has 'cat' already: a picture has one label."),
        ("a label that is a path", "labels.csv has the label '../dog', which cannot be the name of a class"),
        ("one label in two ways", "There are the labels 'Cat' and 'cat'; write what is one class in one way."),
        ("a label with an unknown part", "labels.csv says that pictures are for 'somewhere'; write train, val or test."),
        ("flat", "4 images lie in no class folder. A dataset is one folder of images for every class; or train/"),
    ],
)  # fmt: skip
@WAYS
def test_what_would_be_lost(way, name: str, said: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert refusal(name, tmp_path, way).startswith(said)


@WAYS
def test_what_is_left_out_is_told(way, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    layout = way(DATASETS["test without labels"](), tmp_path / "test", Reading())
    assert layout.left_out == [
        "test/ is left out: its images lie in no class folders, so nothing says what they show. (2: test/1.png, test/2.png)"
    ]
    layout = way(DATASETS["clutter"](), tmp_path / "clutter", Reading())
    assert [(finding.code, finding.level) for finding in layout.findings] == [("clutter", "note")]
    layout = way(DATASETS["labels in a CSV"](), tmp_path / "labels", Reading())
    told = {finding.code: (finding.count, finding.names) for finding in layout.findings}
    assert told == {
        "labels_of_table": (1, ["labels.csv"]),
        "names_without_picture": (1, ["gone.png"]),
        "pictures_without_label": (1, ["images/unlabelled.png"]),
    }


def test_a_table_beside_class_folders_is_told(tmp_path: Path) -> None:
    files = {**classes("", count=2), "metadata.csv": b"file_name,label\ncat/0.png,dog\n"}
    layout = from_folder(files, tmp_path, Reading())
    assert layout.left_out == ["Files that are no images are left out. (1: metadata.csv)"]


def test_contents_decide_not_names(tmp_path: Path) -> None:
    """Every format that is read is known by its first bytes, and nothing else is."""
    for form in FORMATS:
        content = picture(form=form)
        assert looks_like_picture("picture", content[:HEAD]), form
        (tmp_path / form).write_bytes(content)
        assert open_picture(tmp_path / form).size == (12, 10)
    for text in (
        b"",
        b"BMW and other cars, a list of them",
        b"P1 is the first",
        b"RIFF....WAVEfmt ",
        b"\0\0\0\x18ftypheic",
        b"GIF 89",
        b"II*",
    ):
        assert not looks_like_picture("notes", text)
    assert not looks_like_picture("photo.NEF", picture(form="TIFF")[:HEAD])


def test_the_same_clutter_from_a_folder_and_an_upload(tmp_path: Path) -> None:
    files = DATASETS["clutter"]()
    for number, way in enumerate((from_folder, from_zip, from_tar)):
        layout = way(files, tmp_path / str(number), Reading())
        assert Counter(path.read_bytes() for path in layout.files) == Counter(classes("").values())
        assert len(CLUTTER) >= layout.findings[0].count >= 5


def from_windows(
    encoding: str, names: tuple[str, ...], tmp_path: Path, separator: str = "/", said: str | None = None
) -> Layout:
    archive = named_in(encoding, classes("", names=names), separator=separator)
    return read_archive(io.BytesIO(archive), tmp_path / "out", Reading(encoding=said), limits=Limits())


@pytest.mark.parametrize(
    ("encoding", "found", "names"),
    [
        ("cp932", "Shift-JIS (cp932)", ("スズメ", "表 ソ", "カラス")),
        ("cp932", "Shift-JIS (cp932)", ("いぬ", "ねこ")),
        ("gbk", "GBK (gb18030)", ("苹果", "香蕉")),
        ("gbk", "GBK (gb18030)", ("图片", "猫")),
        ("big5", "Big5 (big5)", ("正常", "異常")),
        ("cp850", "DOS Latin (cp437)", ("Bär", "Grüne Vögel", "élève")),
        ("cp866", "DOS Cyrillic (cp866)", ("кошки", "собаки")),
        ("cp1251", "Windows Cyrillic (cp1251)", ("Кошки", "собаки")),
    ],
)
@pytest.mark.parametrize("separator", ["/", "\\"])
def test_names_of_zips_that_do_not_say_their_encoding(
    encoding: str, found: str, names: tuple[str, ...], separator: str, tmp_path: Path
) -> None:
    layout = from_windows(encoding, names, tmp_path, separator)
    assert list(layout.train.classes) == sorted(names)
    assert f"were read as {found}: {names[0]}/0.png, " in layout.left_out[0]


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("gbk", ("猫", "狗")),
        ("gbk", ("合格", "不合格")),
        ("cp949", ("고양이", "강아지")),
        ("cp1252", ("Bär", "Hund")),
        ("cp1250", ("kočka", "růžový")),
    ],
)
def test_names_that_several_encodings_could_be(encoding: str, names: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not say in which encoding") as caught:
        from_windows(encoding, names, tmp_path / "asked")
    assert caught.value.param == "encoding"
    assert f"): {names[0]}" in caught.value.message, "the right one is among those shown"
    layout = from_windows(encoding, names, tmp_path / "said", said=encoding)
    assert list(layout.train.classes) == sorted(names)
    assert layout.left_out == []


def test_an_encoding_that_names_are_not_of(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"which is not written in euc_jp\. Say in which encoding"):
        from_windows("cp932", ("スズメ", "カラス"), tmp_path, said="euc-jp")
    for said in (
        "rot13",
        "klingon",
        "idna",
        "unicode_escape",
        "raw_unicode_escape",
        "utf-7",
        "punycode",
        "undefined",
        "\0",
    ):
        with pytest.raises(DataError, match="There is no encoding named"):
            from_windows("cp932", ("スズメ", "カラス"), tmp_path, said=said)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_names_in_utf_8_need_no_word(encoding: str, tmp_path: Path) -> None:
    names = ("Grüne Vögel", "e\u0301le\u0300ve", "Möwe", "Жар") if encoding == "utf-8" else ("birds", "cats")
    layout = from_windows(encoding, names, tmp_path)
    assert list(layout.train.classes) == sorted(names)
    assert layout.left_out == []


def test_the_name_in_unicode_beside_one_in_a_code_page(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number, name in enumerate(name for name in ("猫", "狗") for _ in range(2)):
            written, raw = f"{name}/{number}.png".encode(), f"?/{number}.png".encode()
            info = zipfile.ZipInfo(raw.decode())
            info.extra = struct.pack("<2HBL", 0x7075, 5 + len(written), 1, zlib.crc32(raw)) + written
            archive.writestr(info, picture(number))
    layout = read_archive(out, tmp_path / "out", Reading(), limits=Limits())
    assert list(layout.train.classes) == ["狗", "猫"]


@pytest.mark.parametrize(("encoding", "names"), [("gbk", ("向日葵", "玫瑰")), ("cp932", ("いぬ", "ねこ"))])
@pytest.mark.parametrize("said", [False, True])
def test_names_of_tars_that_are_not_in_utf_8(encoding: str, names: tuple[str, ...], said: bool, tmp_path: Path) -> None:
    """A tar is read forward, so its first such name has to be enough."""
    out = io.BytesIO()
    files = classes("", names=names)
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT, encoding=encoding) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    layout = read_archive(out, tmp_path / "out", Reading(encoding=encoding if said else None), limits=Limits())
    assert list(layout.train.classes) == sorted(names)
    assert len(layout.left_out) == (not said)


@pytest.mark.parametrize("first", ["PKW/1.png", "BZh/1.png", "a/1.png"])
@pytest.mark.parametrize("at_its_end", [b"", zipped({"xl/workbook.xml": b"<workbook/>"})])
def test_archives_are_told_apart_by_their_start(first: str, at_its_end: bytes, tmp_path: Path) -> None:
    files = {
        first: picture(1),
        first.replace("1", "2"): picture(2),
        **classes("", names=["owl"]),
        "owl/prices.xlsx": at_its_end,
    }
    archive = tarred(files).rstrip(b"\0") if at_its_end else tarred(files)
    layout = read_archive(io.BytesIO(archive + bytes(1024)), tmp_path / "out", Reading(), limits=Limits())
    assert sorted(layout.train.classes) == sorted({first.partition("/")[0], "owl"})


@pytest.mark.parametrize(("start", "named"), [(b"Rar!\x1a\x07\1\0", "RAR"), (b"7z\xbc\xaf\x27\x1c\0\4", "7z")])
def test_archives_that_are_not_read_are_named(start: bytes, named: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"a {named} archive, which is not read; send a zip or a tar"):
        read_archive(io.BytesIO(start + bytes(100)), tmp_path / "out", Reading(), limits=Limits())


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (HEIC, "it holds HEIC, whatever it is called: save them as JPEG"),
        (b"<!DOCTYPE html><html>", "it is a page of a website, perhaps of a download that failed"),
        (b"<svg xmlns=''/>", "it holds drawings or documents, whatever it is called: save them as PNG"),
        (b"\0\0\0\x18ftypmp42", "it holds videos, whatever it is called: save frames as JPEG"),
        (b"", "it is empty"),
        (b"meow", "cannot identify image file 'photo.jpg'"),
    ],
)
def test_what_a_picture_really_is(content: bytes, why: str, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(content)
    with pytest.raises(DataError, match=re.escape(f"photo.jpg cannot be read as an image ({why})")):
        open_picture(tmp_path / "photo.jpg")


@pytest.mark.parametrize(
    ("table", "content", "said"),
    [
        ("labels.csv", b"name,label\n" + b"a" * (1 << 20), "labels.csv has a line of more than 1,048,576 letters"),
        (
            "labels.csv",
            b"name,label\n" + b"\xb9\xb7,cat\n",
            "In which encoding labels.csv is written cannot be told. Save it in UTF-8.",
        ),
        (
            "labels.jsonl",
            b'{"name": "1.png", "label": "cat"}\n{"name"',
            "labels.jsonl cannot be read as JSON, at line 2",
        ),
        ("labels.jsonl", b'{"name": "1.png", "label": "cat"}\n\xff\n', "labels.jsonl cannot be read as JSON"),
        ("labels.json", b"[" * 100_000, "4 images lie in no class folder"),
        (
            "metadata.jsonl",
            b'{"file_name": "1.png", "label": ["cat", "dog"]}\n',
            'A table has the label ["cat", "dog"], and a picture has one label',
        ),
        (
            "labels.json",
            b" " * (9 << 20),
            "labels.json is larger than 8,388,608 bytes. Write its names and labels as CSV",
        ),
    ],
)
def test_tables_that_are_damaged(table: str, content: bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=re.escape(said)):
        from_folder({**DATASETS["flat"](), table: content}, tmp_path, Reading())


def test_many_tables(tmp_path: Path) -> None:
    tables = {f"{number}.csv": b"name,label\n1.png,cat\n" for number in range(100, 121)}
    with pytest.raises(DataError, match="There are 21 tables, and at most 20 are read"):
        from_folder({**DATASETS["flat"](), **tables}, tmp_path, Reading())
