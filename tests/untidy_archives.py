"""Hostile archives, small and made here: ``HOSTILE`` has a maker for every kind, and what is said of it; nothing where it does no harm."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterable
from typing import Any

from tests.untidy import classes, picture, tarred, zipped

#: What every archive holds beside what is wrong with it.
GOOD = classes("", count=3)
ONE = picture()

_OUT = "Names must stay inside"
_NO_FILE = "is neither a file nor a folder"
_DAMAGED = "The archive cannot be read"
_TWICE = "twice, or another name that differs in case only"
_ONE_FOLDER = "which are one on some systems"
_BOTH = "a file and a folder of one name"
_LARGE = "is larger than 268,435,456 bytes"
_NEITHER = "The file is neither a zip nor a tar archive"


def _zip_of(name: str, content: bytes = ONE, **fields: Any) -> bytes:
    """With one more entry, whose fields are those."""
    out = io.BytesIO(zipped(GOOD))
    with zipfile.ZipFile(out, "a") as archive:
        entry = zipfile.ZipInfo(name)
        for field, value in fields.items():
            setattr(entry, field, value)
        archive.writestr(entry, content)
    return out.getvalue()


def _kind(mode: int) -> bytes:
    return _zip_of("cat/9.png", b"/etc/passwd", external_attr=(mode | 0o644) << 16)


def _changed(archive: bytes, mark: bytes, offset: int, value: bytes) -> bytes:
    """Other bytes behind the last mark."""
    at = archive.rindex(mark) + offset
    return archive[:at] + value + archive[at + len(value) :]


def _in_directory(offset: int, value: bytes) -> bytes:
    """A zip whose directory says something else of its last entry."""
    return _changed(zipped(GOOD), b"PK\1\2", offset, value)


def _at_the_end(offset: int, value: bytes) -> bytes:
    """A zip whose last record says something else."""
    return _changed(zipped(GOOD), b"PK\5\6", offset, value)


def _tar_of(name: str, kind: bytes = tarfile.REGTYPE, content: bytes = ONE, **notes: str) -> bytes:
    """With one more entry, perhaps with notes."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT if notes else tarfile.GNU_FORMAT) as archive:
        for good, inside in GOOD.items():
            _add(archive, tarfile.TarInfo(good), inside)
        entry = tarfile.TarInfo(name)
        entry.type, entry.pax_headers = kind, notes
        entry.linkname = "/etc/passwd" if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
        _add(archive, entry, content if kind in (tarfile.REGTYPE, tarfile.CONTTYPE) else b"")
    return out.getvalue()


def _add(archive: tarfile.TarFile, entry: tarfile.TarInfo, content: bytes) -> None:
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


def _header(kind: bytes, size: int, name: str = "cat/9.png") -> bytes:
    """A tar that begins with a header, of which nothing more comes."""
    entry = tarfile.TarInfo(name)
    entry.type, entry.size = kind, size
    return entry.tobuf(tarfile.GNU_FORMAT)


def _size_below_nothing() -> bytes:
    block = bytearray(_header(tarfile.REGTYPE, 0))
    block[124:136] = 12 * b"\xff"
    block[148:156] = 8 * b" "
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def _folders(names: Iterable[str]) -> bytes:
    return zipped({**GOOD, **dict.fromkeys(names, b"")})


Made = Callable[[], bytes]

_NAMES: dict[str, str] = {
    "up": "../9.png", "up from inside": "cat/../../9.png", "up behind a dot": "cat/./../../9.png", "absolute": "/etc/9.png",
    "absolute twice": "//host/9.png", "backslashes that lead up": "cat\\..\\..\\9.png", "of a disk": "C:\\9.png", "of a share": "\\\\host\\9.png",
    "nothing but a dot": ".", "ends above": "cat/..", "line break": "cat/9\n.png", "escape": "cat/\x1b[31m.png", "C1": "cat/\x85.png",
    "long": f"cat/{300 * 'x'}.png", "deep": 600 * "a/" + "9.png",
}  # fmt: skip

HOSTILE: dict[str, tuple[Made, str]] = {
    **{f"zip name: {kind}": (lambda name=name: _zip_of(name), _OUT) for kind, name in _NAMES.items()},
    **{
        f"tar name: {kind}": (lambda name=name: _tar_of(name), _OUT)
        for kind, name in _NAMES.items()
        if kind != "nothing but a dot"
    },
    "zip name: NUL": (lambda: zipped({**GOOD, "cat/9Z.png": ONE}).replace(b"cat/9Z.png", b"cat/9\0.png"), _OUT),
    "zip link": (lambda: _kind(stat.S_IFLNK), _NO_FILE),
    "zip pipe": (lambda: _kind(stat.S_IFIFO), _NO_FILE),
    "zip socket": (lambda: _kind(stat.S_IFSOCK), _NO_FILE),
    "zip block device": (lambda: _kind(stat.S_IFBLK), _NO_FILE),
    "zip character device": (lambda: _kind(stat.S_IFCHR), _NO_FILE),
    "zip of root's rights": (lambda: _kind(stat.S_IFREG | stat.S_ISUID), ""),
    "zip of one file twice": (lambda: _folders(["dog/0.PNG"]), _TWICE),
    "zip of one name in two compositions": (lambda: _folders(["cat/\u00e9.png", "cat/e\u0301.png"]), _TWICE),
    "zip of one class in two cases": (lambda: _folders(["CAT/9.png"]), _ONE_FOLDER),
    "zip of one class in two compositions": (lambda: _folders(["\u00e9/9.png", "e\u0301/9.png"]), _ONE_FOLDER),
    "zip of a file that is a folder": (lambda: _folders(["cat/0.png/9.png"]), _BOTH),
    "zip of a folder that is a file": (lambda: _folders(["cat/9.png/8.png", "cat/9.png"]), _BOTH),
    "zip of too many empty folders": (lambda: _folders(f"{number}/" for number in range(1001)), "1,000 empty folders"),
    "zip of entries at one place": (lambda: _in_directory(42, bytes(4)), _DAMAGED),
    "zip of another name at its place": (lambda: zipped({**GOOD, "dog/9.png": ONE}).replace(b"dog/9.png", b"../../9.p", 1), _DAMAGED),
    "zip of a smaller size": (lambda: _in_directory(24, struct.pack("<L", 5)), _DAMAGED),
    "zip of a larger size": (lambda: _in_directory(24, struct.pack("<L", 4096)), _DAMAGED),
    "zip of a huge size": (lambda: _in_directory(24, struct.pack("<L", 1 << 31)), _LARGE),
    "zip of another checksum": (lambda: _in_directory(16, bytes(4)), _DAMAGED),
    "zip of another place": (lambda: _in_directory(42, struct.pack("<L", 1 << 30)), _DAMAGED),
    "zip with a password": (lambda: _in_directory(8, b"\1\0"), "The archive is encrypted"),
    "zip of bzip2": (lambda: _in_directory(10, struct.pack("<H", 12)), "by the method bzip2, which is not read"),
    "zip of an unknown method": (lambda: _in_directory(10, struct.pack("<H", 77)), "by the method number 77"),
    "zip of more entries than there are": (lambda: _at_the_end(8, struct.pack("<2H", 60_000, 60_000)), _DAMAGED),
    "zip of several disks": (lambda: _at_the_end(4, struct.pack("<2H", 1, 1)), "The archive is a part of several"),
    "zip of a directory elsewhere": (lambda: _at_the_end(16, struct.pack("<L", 1 << 30)), _DAMAGED),
    "zip that is cut": (lambda: zipped(GOOD)[:-30], _DAMAGED),
    "zip of nothing": (lambda: zipped({}), "There are no class folders with images"),
    "zip of a zip": (lambda: zipped({"cat/9.zip": zipped(GOOD)}), "There are no class folders with images (cat/9.zip cannot"),
    "zip behind a script": (lambda: b"<script>" + zipped(GOOD), _NEITHER),
    "zip behind a picture": (lambda: picture(form="GIF") + zipped(GOOD), _NEITHER),
    "zip behind a tar": (lambda: tarred(GOOD) + zipped({"cat/9.png": ONE}), ""),
    "zip bomb": (lambda: _zip_of("cat/9.png", bytes(40 << 20), compress_type=zipfile.ZIP_DEFLATED), "200 times its own size"),
    "zip bomb that nobody wants": (lambda: _zip_of("notes.txt", bytes(40 << 20), compress_type=zipfile.ZIP_DEFLATED), ""),
    "tar link": (lambda: _tar_of("cat/9.png", tarfile.SYMTYPE), _NO_FILE),
    "tar hard link": (lambda: _tar_of("cat/9.png", tarfile.LNKTYPE), _NO_FILE),
    "tar pipe": (lambda: _tar_of("cat/9.png", tarfile.FIFOTYPE), _NO_FILE),
    "tar block device": (lambda: _tar_of("cat/9.png", tarfile.BLKTYPE), _NO_FILE),
    "tar character device": (lambda: _tar_of("cat/9.png", tarfile.CHRTYPE), _NO_FILE),
    "tar of an unknown kind": (lambda: _tar_of("cat/9.png", b"Z"), _NO_FILE),
    "tar of a contiguous file": (lambda: _tar_of("cat/9.png", tarfile.CONTTYPE), ""),
    "tar of holes": (lambda: _header(tarfile.GNUTYPE_SPARSE, 0), _NO_FILE),
    "tar of holes in notes": (lambda: _tar_of("cat/9.png", **{"GNU.sparse.major": "1", "GNU.sparse.realsize": str(1 << 40)}), _NO_FILE),
    "tar of a note that leads up": (lambda: _tar_of("cat/9.png", path="../../9.png"), _OUT),
    "tar of a size in words": (lambda: _tar_of("cat/9.png", size="many"), "an entry has the size"),
    "tar of a size below nothing": (lambda: _tar_of("cat/9.png", size="-1"), "an entry has the size"),
    "tar of a binary size below nothing": (_size_below_nothing, "a negative size"),
    "tar of a huge size": (lambda: _tar_of("cat/9.png", size="99999999999"), _LARGE),
    "tar of more than comes": (lambda: _header(tarfile.REGTYPE, 1 << 16), _DAMAGED),
    "tar of an endless time": (lambda: _tar_of("cat/9.png", mtime="inf"), ""),
    "tar of a long name that is not there": (lambda: _header(tarfile.GNUTYPE_LONGNAME, 1 << 30), "a name or a note of 1,073,741,824"),
    "tar of a long note": (lambda: _header(tarfile.XHDTYPE, 1 << 30), "a name or a note of 1,073,741,824"),
    "tar of a file twice": (lambda: _tar_of("cat/0.png"), _TWICE),
    "tar of a folder that is a file": (lambda: _tar_of("cat/0.png", tarfile.DIRTYPE), _BOTH),
    "tar of a folder above": (lambda: _tar_of("..", tarfile.DIRTYPE), _OUT),
    "tar that is cut": (lambda: tarred(GOOD)[:1000], _DAMAGED),
    "tar of another checksum": (lambda: b"a" * 512 + tarred(GOOD), _NEITHER),
    "tar.gz in a gz": (lambda: gzip.compress(tarred(GOOD, "w:gz")), _NEITHER),
    "tar.gz bomb": (lambda: gzip.compress(_header(tarfile.REGTYPE, 40 << 20) + bytes(40 << 20)), "200 times its own size"),
    "tar.bz2 bomb": (lambda: bz2.compress(_header(tarfile.REGTYPE, 40 << 20) + bytes(40 << 20)), "200 times its own size"),
    "tar.xz of a huge file": (lambda: lzma.compress(_header(tarfile.REGTYPE, 1 << 30)), _LARGE),
    "tar.gz that is cut": (lambda: gzip.compress(tarred(GOOD))[:200], _DAMAGED),
    "nothing": (lambda: b"", _NEITHER),
    "noise": (lambda: bytes(range(1, 256)) * 9, _NEITHER),
}  # fmt: skip
