"""Archives of every kind come out; those that would do harm are refused, and leave nothing outside their folder."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from dna_engine.errors import DataError
from dna_engine.images.archive import Limits, pack, unpack
from dna_engine.images.archive.names import safe_parts

Files = Mapping[str, bytes]
FILES = {"train/cat/1.png": b"cat", "train/dog/ä.png": b"dog", "readme.txt": b"not wanted"}


def zipped(files: Files) -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out


def tarred(files: Files, mode: str = "w") -> io.BytesIO:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out


def special(kind: bytes) -> io.BytesIO:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        member = tarfile.TarInfo("train/cat/1.png")
        member.type, member.linkname = kind, "/etc/passwd"
        archive.addfile(member)
    return out


def zipped_link() -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("train/cat/1.png")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    return out


def out_of(archive: io.BytesIO, target: Path, **limits: int) -> dict[str, bytes]:
    unpack(archive, target, wanted=lambda name, _: name.endswith(".png"), limits=Limits(**limits))
    return {path.relative_to(target).as_posix(): path.read_bytes() for path in target.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "made",
    [zipped, tarred, lambda f: tarred(f, "w:gz"), lambda f: tarred(f, "w:bz2"), lambda f: tarred(f, "w:xz")],
    ids=["zip", "tar", "gz", "bz2", "xz"],
)
def test_what_is_wanted_comes_out(made: Callable[[Files], io.BytesIO], tmp_path: Path) -> None:
    files = {**FILES, "./train/cat//2.png": b"two", "__MACOSX/train/cat/._1.png": b"", ".hidden/3.png": b""}
    assert out_of(made(files), tmp_path / "out") == {
        "train/cat/1.png": b"cat",
        "train/cat/2.png": b"two",
        "train/dog/ä.png": b"dog",
        "readme.txt": b"",
    }


def test_folders_come_out_even_if_nothing_in_them_does(tmp_path: Path) -> None:
    """So that a class of which nothing is left can be missed."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name in (".", "./empty", "./.hidden", "./empty/inside"):
            member = tarfile.TarInfo(name)
            member.type = tarfile.DIRTYPE
            archive.addfile(member)
    made = out_of(out, tmp_path / "tar") | out_of(zipped({"empty/inside/": b"", ".hidden/": b""}), tmp_path / "zip")
    assert made == {}
    for place in ("tar", "zip"):
        folders = sorted(path.relative_to(tmp_path / place).as_posix() for path in (tmp_path / place).rglob("*"))
        assert folders == ["empty", "empty/inside"]


def test_backslashes_of_a_zip_are_folders(tmp_path: Path) -> None:
    made = out_of(zipped({"photos\\": b"", "photos\\cat\\1.png": b"cat"}), tmp_path / "out")
    assert made == {"photos/cat/1.png": b"cat"}


@pytest.mark.parametrize(("first", "second"), [("a.png", "a.png/1.png"), ("a.png/1.png", "a.png"), ("a", "a/1.png")])
def test_a_file_and_a_folder_of_one_name(first: str, second: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a file and a folder of one name") as caught:
        out_of(tarred({first: b"1", second: b"2"}), tmp_path / "out")
    assert str(tmp_path) not in caught.value.message


@pytest.mark.parametrize(
    "name",
    ["/etc/cron.d/x.png", "../x.png", "\\\\server\\x.png", "a/../../x.png", "a\\..\\x.png", "a\x1b.png", "a/" + 256 * "x" + ".png", "/".join(99 * ["dozen chars"]), "."],
)  # fmt: skip
@pytest.mark.parametrize("made", [zipped, tarred])
def test_names_that_lead_out_or_differ_between_systems(
    made: Callable[[Files], io.BytesIO], name: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="Names must stay inside"):
        out_of(made({name: b"x"}), tmp_path / "in" / "out")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_name_with_nul() -> None:
    with pytest.raises(DataError, match="Names must stay inside"):
        safe_parts("cat.png\0.txt")
    with pytest.raises(DataError, match="Names must stay inside"):
        safe_parts("\ud800.png")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_what_is_no_file_in_a_tar(kind: bytes, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="neither a file nor a folder"):
        out_of(special(kind), tmp_path / "out")


def test_a_link_in_a_zip(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="neither a file nor a folder"):
        out_of(zipped_link(), tmp_path / "out")


@pytest.mark.parametrize(
    ("first", "second"), [("a/1.png", "a/1.png"), ("a/b.png", "a/B.png"), ("a/ä.png", "a/a\u0308.png")]
)
def test_two_files_of_one_name(first: str, second: str, tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name in (first, second):
            archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    with pytest.raises(DataError, match="twice, or another name that differs"):
        out_of(out, tmp_path / "out")


@pytest.mark.parametrize(
    ("made", "name"),
    [(zipped, "a/1.png"), (lambda f: tarred(f, "w:gz"), "a/1.png"), (lambda f: tarred(f, "w:gz"), "a/unwanted.txt")],
    ids=["zip", "gz", "gz-unwanted"],
)
def test_a_bomb_is_stopped_by_what_comes_out(made: Callable[[Files], io.BytesIO], name: str, tmp_path: Path) -> None:
    bomb = made({name: bytes(40 << 20)})
    assert len(bomb.getvalue()) < 100_000
    with pytest.raises(DataError, match="200 times its own size"):
        out_of(bomb, tmp_path / "out")
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) <= 200 * len(bomb.getvalue())


def test_limits(tmp_path: Path) -> None:
    archive = zipped({f"a/{number}.png": bytes([number]) * 1000 for number in range(10)})
    assert len(out_of(archive, tmp_path / "all", total_bytes=10_000, file_bytes=1000, entries=10)) == 10
    with pytest.raises(DataError, match="larger than 999 bytes"):
        out_of(archive, tmp_path / "1", file_bytes=999)
    with pytest.raises(DataError, match="more than 9,999 bytes"):
        out_of(archive, tmp_path / "2", total_bytes=9_999)
    with pytest.raises(DataError, match="more than 9 files and folders"):
        out_of(archive, tmp_path / "3", entries=9)


def test_a_zip_that_lies_about_its_sizes(tmp_path: Path) -> None:
    """The reader stops at what the archive claims, and finds that the checksum is another."""
    raw = zipped({"a/1.png": b"x" * 5000}).getvalue().replace((5000).to_bytes(4, "little"), (50).to_bytes(4, "little"))
    with pytest.raises(DataError, match="cannot be read"):
        out_of(io.BytesIO(raw), tmp_path / "out")


@pytest.mark.parametrize("made", [zipped, tarred, lambda f: tarred(f, "w:gz")], ids=["zip", "tar", "gz"])
def test_damaged(made: Callable[[Files], io.BytesIO], tmp_path: Path) -> None:
    whole = made({f"a/{number}.png": bytes([number]) * 4000 for number in range(9)}).getvalue()
    with pytest.raises(DataError, match=r"cannot be read|neither a zip nor a tar"):
        out_of(io.BytesIO(whole[: len(whole) // 2]), tmp_path / "out")


def test_a_tar_whose_numbers_are_none(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("a/1.png")
        member.pax_headers = {"GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.map": "0,1,x"}
        archive.addfile(member)
    with pytest.raises(DataError, match="Links, devices and sparse files are refused"):
        out_of(out, tmp_path / "out")


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7", b"\x89PNG" + bytes(100_000)])
def test_something_else(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="neither a zip nor a tar"):
        out_of(io.BytesIO(content), tmp_path / "out")


def test_packed_and_unpacked_it_is_the_same(tmp_path: Path) -> None:
    out_of(zipped(FILES), tmp_path / "first")
    pack(tmp_path / "first", tmp_path / "first.tar")
    with (tmp_path / "first.tar").open("rb") as archive:
        unpack(archive, tmp_path / "second", wanted=lambda *_: True, limits=Limits(ratio=1))
    pack(tmp_path / "second", tmp_path / "second.tar")
    assert (tmp_path / "first.tar").read_bytes() == (tmp_path / "second.tar").read_bytes()
    assert (tmp_path / "second/train/dog/ä.png").read_bytes() == b"dog"
