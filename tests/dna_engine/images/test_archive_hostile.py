"""Small archives that claim much: refused before anything of that size is read, in little memory, and with what to do."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dna_engine.errors import DataError, Interrupted
from dna_engine.images.archive import Limits, unpack
from dna_engine.images.layout.layout import Layout
from dna_engine.images.layout.reading import Reading, read_archive
from tests.untidy_archives import HOSTILE

PNG = b"not decoded here"


def wanted(name: str, _: bytes) -> bool:
    return name.endswith(".png")


def refusal(archive: io.BytesIO, target: Path, **limits: int) -> str:
    with pytest.raises(DataError) as caught:
        unpack(archive, target / "out", wanted=wanted, limits=Limits(**limits))
    assert str(target) not in caught.value.message
    return caught.value.message


def out_of(archive: io.BytesIO, target: Path) -> dict[str, bytes]:
    unpack(archive, target / "out", wanted=wanted, limits=Limits())
    files = sorted(path for path in (target / "out").rglob("*") if path.is_file())
    return {path.relative_to(target / "out").as_posix(): path.read_bytes() for path in files}


def zipped(names: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in names.items():
            archive.writestr(name, content)
    return out


def header(name: str, kind: bytes, size: int = 0) -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


def tarred(form: int = tarfile.PAX_FORMAT, *, name: str = "a/1.png", **notes: str) -> io.BytesIO:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        info = tarfile.TarInfo(name)
        info.size, info.pax_headers = len(PNG), dict(notes)
        archive.addfile(info, io.BytesIO(PNG))
    return out


class Counted(io.BytesIO):
    """Counts what is read of it."""

    taken = 0

    def read(self, count: int | None = -1, /) -> bytes:
        data = super().read(count)
        self.taken += len(data)
        return data


def crowded(count: int, claimed: int | None = None) -> Counted:
    """A zip64 of ``count`` empty files; its end says that there are ``claimed``."""
    claimed = count if claimed is None else claimed
    entries, directory = io.BytesIO(), io.BytesIO()
    for number in range(count):
        name = b"a/%07d.png" % number
        at = entries.tell()
        entries.write(b"PK\3\4" + struct.pack("<5H3L2H", 20, 0, 0, 0, 33, 0, 0, 0, len(name), 0) + name)
        fields = (20, 20, 0, 0, 0, 33, 0, 0, 0, len(name), 0, 0, 0, 0, 0, at)
        directory.write(b"PK\1\2" + struct.pack("<6H3L5H2L", *fields) + name)
    start, length = entries.tell(), directory.tell()
    end64 = b"PK\6\6" + struct.pack("<Q2H2L4Q", 44, 45, 45, 0, 0, claimed, claimed, length, start)
    place = b"PK\6\7" + struct.pack("<LQL", 0, start + length, 1)
    end = b"PK\5\6" + struct.pack("<4H2LH", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return Counted(entries.getvalue() + directory.getvalue() + end64 + place + end)


class TestZip:
    @pytest.mark.parametrize(("method", "named"), [(zipfile.ZIP_BZIP2, "bzip2"), (zipfile.ZIP_LZMA, "LZMA")])
    def test_methods_that_inflate_without_bounds(self, method: int, named: str, tmp_path: Path) -> None:
        said = refusal(zipped({"a/1.png": bytes(1 << 20)}, method), tmp_path)
        assert f"by the method {named}, which is not read. Pack the zip with Deflate" in said

    def test_the_count_comes_first(self, tmp_path: Path) -> None:
        archive = crowded(3000)
        assert "more than 2,999 files and folders" in refusal(archive, tmp_path, entries=2999)
        assert archive.taken < 70_000 < len(archive.getvalue()), "only its two ends were read"

    @pytest.mark.parametrize("claimed", [0, 2, 4, 1 << 20, 1 << 63, (1 << 64) - 1])
    def test_a_count_that_is_not_true(self, claimed: int, tmp_path: Path) -> None:
        archive = crowded(3, claimed)
        if claimed < 3:  # What the end does not count is not there.
            assert len(out_of(archive, tmp_path)) == claimed
        else:
            assert "the directory is not where" in refusal(archive, tmp_path, entries=1 << 64)

    @pytest.mark.parametrize("offset", [1, 1 << 31, 1 << 62, 1 << 63, (1 << 64) - 1])
    def test_places_that_are_not_true(self, offset: int, tmp_path: Path) -> None:
        raw = crowded(3).getvalue()
        directory = raw.rindex(b"PK\6\6") + 48
        assert "cannot be read" in refusal(
            io.BytesIO(raw[:directory] + struct.pack("<Q", offset) + raw[directory + 8 :]), tmp_path
        )
        end64 = raw.rindex(b"PK\6\7") + 8
        assert "cannot be read" in refusal(
            io.BytesIO(raw[:end64] + struct.pack("<Q", offset) + raw[end64 + 8 :]), tmp_path
        )

    @pytest.mark.parametrize("value", [0, 1 << 40, 1 << 63, (1 << 64) - 1])
    def test_an_entry_whose_size_of_64_bits_is_not_true(self, value: int, tmp_path: Path) -> None:
        raw = bytearray(zipped({"a/1.png": PNG}).getvalue())
        at = raw.index(b"PK\1\2")
        extra = struct.pack("<2HQ", 1, 8, value)
        raw[at + 24 : at + 28] = b"\xff" * 4
        raw[at + 30 : at + 32] = struct.pack("<H", len(extra))
        end = raw.index(b"PK\5\6")
        raw[end:end] = extra
        length = raw.index(b"PK\5\6") + 12
        raw[length : length + 4] = struct.pack("<L", raw.index(b"PK\5\6") - at)
        said = refusal(io.BytesIO(bytes(raw)), tmp_path)
        assert "cannot be read" in said or "larger than" in said

    def test_a_zip64_that_is_one(self, tmp_path: Path) -> None:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive, archive.open("a/ä.png", "w", force_zip64=True) as file:
            file.write(PNG)
        assert out_of(out, tmp_path) == {"a/ä.png": PNG}

    def test_many_entries_of_one_content(self, tmp_path: Path) -> None:
        raw = crowded(2).getvalue()
        second = raw.rindex(b"PK\1\2") + 42
        overlapping = raw[:second] + struct.pack("<L", 0) + raw[second + 4 :]
        assert "is not where the directory says" in refusal(io.BytesIO(overlapping), tmp_path)

    def test_what_comes_out_is_not_more_than_was_said(self, tmp_path: Path) -> None:
        size = struct.pack("<L", 1 << 20)
        lying = zipped({"a/1.png": bytes(1 << 20)}).getvalue().replace(size, struct.pack("<L", 100))
        assert "is not what its directory says" in refusal(io.BytesIO(lying), tmp_path)
        assert not (tmp_path / "out/a/1.png").exists()

    def test_what_is_not_wanted_is_not_inflated(self, tmp_path: Path) -> None:
        assert out_of(zipped({"a/notes.txt": bytes(40 << 20)}), tmp_path) == {"a/notes.txt": b""}

    def test_something_before_the_zip(self, tmp_path: Path) -> None:
        archive = io.BytesIO(b"<script>" + zipped({"a/1.png": PNG}).getvalue())
        assert "neither a zip nor a tar" in refusal(archive, tmp_path)


class TestTar:
    @pytest.mark.parametrize(
        "kind", [tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE]
    )
    def test_long_headers_are_refused_unread(self, kind: bytes, tmp_path: Path) -> None:
        archive = Counted(header("long", kind, 32 << 20) + bytes(32 << 20))
        assert "a name or a note of 33,554,432 bytes; at most 65,536" in refusal(archive, tmp_path)
        assert archive.taken < 1 << 20

    @pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
    def test_long_names_that_are_names(self, form: int, tmp_path: Path) -> None:
        name = "/".join(3 * ["a class of birds " * 10]) + "/ä.png"
        assert out_of(tarred(form, name=name), tmp_path) == {name: PNG}

    def test_headers_without_end(self, tmp_path: Path) -> None:
        chain = 9 * (header("n", tarfile.GNUTYPE_LONGNAME, 5) + b"a.png".ljust(512, b"\0"))
        assert "too many headers" in refusal(io.BytesIO(chain + header("a.png", tarfile.REGTYPE)), tmp_path)

    @pytest.mark.parametrize(
        "notes",
        [
            {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "1099511627776"},
            {"GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.map": "0,1,x"},
            {"GNU.sparse.name": "../evil.png"},
        ],
    )
    def test_sparse_files(self, notes: dict[str, Any], tmp_path: Path) -> None:
        assert "sparse files are refused" in refusal(tarred(**notes), tmp_path)

    def test_sparse_files_of_gnu(self, tmp_path: Path) -> None:
        assert "sparse files are refused" in refusal(io.BytesIO(header("a.png", tarfile.GNUTYPE_SPARSE)), tmp_path)

    @pytest.mark.parametrize("size", ["-1", "abc", "inf", "1e9", "٣", 30 * "9"])
    def test_sizes_that_are_none(self, size: str, tmp_path: Path) -> None:
        assert "an entry has the size" in refusal(tarred(size=size), tmp_path)

    def test_sizes_that_are_not_true(self, tmp_path: Path) -> None:
        assert "it ends too early" in refusal(tarred(size="200000"), tmp_path)
        assert "larger than 268,435,456" in refusal(tarred(size=18 * "9"), tmp_path)
        negative = bytearray(header("a.png", tarfile.REGTYPE))
        negative[124:136] = 12 * b"\xff"
        negative[148:156] = b"        "
        negative[148:156] = b"%06o\0 " % sum(negative)
        assert "negative size" in refusal(io.BytesIO(bytes(negative)), tmp_path)

    @pytest.mark.parametrize(
        "note", [b"x", b"9999 path=a.png\n", b"5 a\n", b"11 path=a.png\n", b"0 path=a\n", 2000 * b"6 a=b\n"]
    )
    def test_notes_that_are_none(self, note: bytes, tmp_path: Path) -> None:
        block = note.ljust(-len(note) % 512 + len(note), b"\0")
        archive = header("n", tarfile.XHDTYPE, len(note)) + block + header("a.png", tarfile.REGTYPE)
        said = refusal(io.BytesIO(archive), tmp_path)
        assert "a note is damaged" in said or "too many notes" in said

    @pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress], ids=["gz", "bz2", "xz"])
    def test_streams_of_several_members(self, pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
        raw = tarred().getvalue()
        assert out_of(io.BytesIO(pack(raw[:700]) + pack(b"") + pack(raw[700:]) + bytes(8)), tmp_path) == {
            "a/1.png": PNG
        }

    @pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress], ids=["gz", "bz2", "xz"])
    def test_streams_that_are_cut_or_altered(self, pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
        whole = pack(header("b.png", tarfile.REGTYPE, 600_000) + random.Random(0).randbytes(600_000))
        assert "(it ends too early)" in refusal(io.BytesIO(whole[: len(whole) // 2]), tmp_path)
        refusal(io.BytesIO(whole[:12] + 20 * b"\xff" + whole[32:]), tmp_path / "altered")

    def test_a_dictionary_larger_than_memory_allows(self, tmp_path: Path) -> None:
        """Its size is a byte of the block's header: 30 is 128 MiB."""
        packed = bytearray(lzma.compress(tarred().getvalue()))
        length = 4 * (packed[12] + 1)
        at = packed.index(b"\x21\x01", 12) + 2
        packed[at] = 30
        packed[12 + length - 4 : 12 + length] = struct.pack("<L", zlib.crc32(packed[12 : 12 + length - 4]))
        assert "(Memory usage limit exceeded). Pack it anew" in refusal(io.BytesIO(bytes(packed)), tmp_path)


class TestNames:
    @pytest.mark.parametrize(("first", "second"), [("A", "a"), ("\u00e9", "e\u0301"), ("x/A", "x/a"), ("ss", "\u00df")])
    def test_two_folders_that_are_one_on_some_systems(self, first: str, second: str, tmp_path: Path) -> None:
        archive = zipped({f"{first}/1.png": PNG, f"{second}/2.png": PNG})
        assert f"the folders {first!r} and {second!r}, which are one on some systems" in refusal(archive, tmp_path)

    def test_too_many_folders(self, tmp_path: Path) -> None:
        folders = {f"a/{number}/1.png": PNG for number in range(5)}
        assert "more than 5 folders" in refusal(zipped(folders), tmp_path, folders=5)

    def test_folders_without_files_are_made_when_they_are_few(self, tmp_path: Path) -> None:
        archive = zipped({f"a/{number}/": b"" for number in range(3)})
        assert "more than 2 empty folders" in refusal(archive, tmp_path, empty_folders=2)
        assert not list((tmp_path / "out").iterdir()), "a disk pays for folders, so none was made"
        assert out_of(archive, tmp_path) == {}
        assert sorted(path.name for path in (tmp_path / "out/a").iterdir()) == ["0", "1", "2"]


@pytest.mark.parametrize("packed", ["zip", "tar", "gz"])
def test_work_ends_when_nobody_waits_for_it(packed: str, tmp_path: Path) -> None:
    files = {f"a/{number}.png": bytes([number]) * 300_000 for number in range(20)}
    archive = zipped(files)
    if packed != "zip":
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w:gz" if packed == "gz" else "w") as tar:
            for name, content in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    asked, patience = (
        iter(range(1000)),
        30 if packed == "zip" else 10,
    )  # A zip is asked of each entry of its directory first.
    with pytest.raises(Interrupted):
        unpack(archive, tmp_path / "out", wanted=wanted, limits=Limits(), stopped=lambda: next(asked) > patience)
    assert 0 < len(list((tmp_path / "out/a").iterdir())) < 20


@pytest.mark.parametrize(
    "empty", [gzip.compress(b""), bz2.compress(b""), lzma.compress(b"")], ids=["gzip", "bzip2", "xz"]
)
def test_the_work_ends_with_its_client_though_nothing_comes_out(empty: bytes, tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        unpack(io.BytesIO(empty * 1000), tmp_path / "out", wanted=wanted, limits=Limits(), stopped=lambda: True)


def test_the_work_on_an_entry_of_a_zip_ends_so_too(tmp_path: Path) -> None:
    """Its deflate is of blocks without a byte."""
    raw = bytearray(zipped({"a/1.png": b"\0\0\0\xff\xff" * 100_000 + b"\1\0\0\xff\xff"}, zipfile.ZIP_STORED).getvalue())
    record = raw.rindex(b"PK\1\2")
    struct.pack_into("<H", raw, record + 10, zipfile.ZIP_DEFLATED)
    struct.pack_into("<L", raw, record + 16, 0)
    struct.pack_into("<L", raw, record + 24, 0)
    asked: list[int] = []

    def stopped() -> bool:
        asked.append(1)
        return len(asked) > 5

    with pytest.raises(Interrupted):
        unpack(io.BytesIO(raw), tmp_path / "out", wanted=wanted, limits=Limits(), stopped=stopped)


#: Unpacks the file of its first argument, and prints by how many MiB its memory had to grow for it.
_MEASURED = """
import sys
from pathlib import Path
from typing import Any
from dna_engine.images.archive import Limits, unpack
from dna_engine.images.layout.layout import Layout
from dna_engine.images.layout.reading import Reading, read_archive
from tests.untidy_archives import HOSTILE
from dna_engine.errors import DataError
def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) // 1024
before = peak()
with open(sys.argv[1], "rb") as archive:
    try:
        unpack(archive, Path(sys.argv[2]), wanted=lambda name, _: name.endswith(".png"), limits=Limits())
    except DataError as error:
        pass
    else:
        sys.exit("it was unpacked")
print(peak() - before)
"""


def long_name() -> bytes:
    """60 kB that a reader of tars turned into hundreds of megabytes."""
    out = io.BytesIO()
    with gzip.open(out, "w", 9) as packed:
        packed.write(header("long", tarfile.GNUTYPE_LONGNAME, 60 << 20))
        for _ in range(60):
            packed.write(b"a" * (1 << 20))
        packed.write(header("a.png", tarfile.REGTYPE))
    return out.getvalue()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux to tell the largest memory")
@pytest.mark.parametrize(
    "make",
    [
        lambda: zipped({"a/1.png": bytes(60 << 20)}, zipfile.ZIP_BZIP2).getvalue(),
        lambda: zipped({"a/1.png": bytes(60 << 20)}, zipfile.ZIP_LZMA).getvalue(),
        long_name,
        lambda: crowded(200_001).getvalue(),
        lambda: crowded(60_000, 60_001).getvalue(),
    ],
    ids=["bzip2", "lzma", "long name", "too many entries", "many entries"],
)
def test_memory_stays_small(make: Callable[[], bytes], tmp_path: Path) -> None:
    (tmp_path / "archive").write_bytes(make())
    command = [sys.executable, "-c", _MEASURED, str(tmp_path / "archive"), str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) <= 24


def _of(kind: str, tmp_path: Path) -> Layout:
    return read_archive(io.BytesIO(HOSTILE[kind][0]()), tmp_path / "in" / "out", Reading(), limits=Limits())


def _assert_nothing_else(tmp_path: Path) -> None:
    """No file outside of the folder, no link, and not much."""
    files = [path for path in tmp_path.rglob("*") if path.is_file() or path.is_symlink()]
    assert all(path.is_relative_to(tmp_path / "in" / "out") and not path.is_symlink() for path in files)
    assert sum(path.stat().st_size for path in files) < 20 << 20


@pytest.mark.parametrize("kind", [kind for kind, (_, said) in HOSTILE.items() if said])
def test_every_kind_is_refused_in_words(kind: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        _of(kind, tmp_path)
    assert HOSTILE[kind][1] in caught.value.message
    assert str(tmp_path) not in caught.value.message
    _assert_nothing_else(tmp_path)


@pytest.mark.parametrize("kind", [kind for kind, (_, said) in HOSTILE.items() if not said])
def test_what_only_looks_hostile_is_read(kind: str, tmp_path: Path) -> None:
    assert set(_of(kind, tmp_path).train.classes) == {"cat", "dog"}
    _assert_nothing_else(tmp_path)


def test_there_are_many_kinds() -> None:
    assert len(HOSTILE) >= 50
