"""Reads zip archives (APPNOTE.TXT 6.3.10), entry by entry.

The record at the end says how many entries there are and how long their directory is: both are compared with the limits before
the directory is read. Entries are stored or deflated, as nearly every program writes them.
"""

from __future__ import annotations

import io
import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import IO

from dna_engine.images.archive.inflate import Deflate, Inflated, Section, exactly
from dna_engine.images.archive.limits import CHUNK, Allowance, Damaged, Entry, not_a_file, refusal
from dna_engine.images.archive.spelling import Spelling

#: Signatures: what a zip begins with, be it empty; and its records.
SIGNATURES = (b"PK\3\4", b"PK\5\6", b"PK\6\6", b"PK\7\x08")
_END, _END64, _END64_PLACE, _DIRECTORY, _LOCAL = (b"PK\5\6", b"PK\6\6", b"PK\6\7", b"PK\1\2", b"PK\3\4")
#: The records of fixed length, behind their signatures.
_END_FIELDS = struct.Struct(
    "<4H2LH"
)  # disk, disk of the directory, entries here, entries, bytes, offset, bytes of the comment
_END64_FIELDS = struct.Struct(
    "<Q2H2L4Q"
)  # bytes, versions, disk, disk of the directory, entries here, entries, bytes, offset
_END64_PLACE_FIELDS = struct.Struct("<LQL")  # disk, offset, disks
_DIRECTORY_FIELDS = struct.Struct("<6H3L5H2L")
_LOCAL_FIELDS = struct.Struct("<5H3L2H")
_LONGEST_COMMENT = 0xFFFF
#: In a field of 32 bits: the extra field of zip64 has the value.
_ELSEWHERE = 0xFFFFFFFF
#: Kinds of extra fields.
_ZIP64, _UNICODE_NAME = 1, 0x7075
_STORED, _DEFLATED = 0, 8
#: Names of other methods in use (APPNOTE 4.4.5).
_METHODS = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "xz", 98: "PPMd"}
_ENCRYPTED = 1 | 1 << 6 | 1 << 13
_UTF8 = 1 << 11


@dataclass(frozen=True)
class _Directory:
    """Where the directory lies."""

    count: int
    start: int
    size: int


@dataclass(frozen=True)
class _Record:
    """What the directory says of an entry."""

    raw_name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    attributes: int
    offset: int
    unicode_name: bytes | None = None

    @property
    def says_its_encoding(self) -> bool:
        return self.unicode_name is not None or bool(self.flags & _UTF8) or self.raw_name.isascii()

    def name(self, spelling: Spelling) -> str:
        """With slashes: some programs of Windows write backslashes, against the format; only as text, for in Shift-JIS half a letter
        may look like one.
        """
        raw = self.raw_name if self.unicode_name is None else self.unicode_name
        text = raw.decode("utf-8", "surrogateescape") if self.says_its_encoding else spelling.read(raw)
        return text.replace("\\", "/")


def read_zip(archive: IO[bytes], allowed: Allowance, spelling: Spelling) -> Iterator[Entry]:
    """Its entries, in the order of the directory.

    Raises:
        DataError: it has too many entries, or one that is refused.
        Damaged: it cannot be read.
    """
    directory = _find_directory(archive)
    allowed.entries(directory.count)
    silent = (record.raw_name for record in _records(archive, directory, allowed) if not record.says_its_encoding)
    spelling.look(silent)
    for record in _records(archive, directory, allowed):
        name = record.name(spelling)
        if name.endswith("/"):
            yield Entry(name, None, lambda: iter(()))
            continue
        _refuse_strange(record, name)
        yield Entry(name, record.size, lambda record=record, name=name: _content(archive, record, name, allowed))  # type: ignore[misc]


def _refuse_strange(record: _Record, name: str) -> None:
    if stat.S_IFMT(record.attributes >> 16) not in (0, stat.S_IFREG):
        raise not_a_file(name)
    if record.flags & _ENCRYPTED:
        raise refusal("The archive is encrypted; send it without a password.")
    if record.method not in (_STORED, _DEFLATED):
        named = _METHODS.get(record.method, f"number {record.method}")
        raise refusal(
            f"{name[:200]!r} is compressed by the method {named}, which is not read. Pack the zip with Deflate, the usual "
            "method, or send a tar.gz, tar.bz2 or tar.xz."
        )


def _find_directory(archive: IO[bytes]) -> _Directory:
    size = archive.seek(0, 2)
    tail_at = max(0, size - len(_END) - _END_FIELDS.size - _LONGEST_COMMENT)
    archive.seek(tail_at)
    tail = archive.read()
    found = tail.rfind(_END)
    if found < 0 or len(tail) < found + len(_END) + _END_FIELDS.size:
        raise Damaged("the directory at its end is missing")
    end = tail_at + found
    disk, _, here, count, length, start, _ = _END_FIELDS.unpack_from(tail, found + len(_END))
    if (
        place := _at(archive, end - len(_END64_PLACE) - _END64_PLACE_FIELDS.size, _END64_PLACE, _END64_PLACE_FIELDS)
    ) is not None:
        end = place[1]
        if (fields := _at(archive, end, _END64, _END64_FIELDS)) is None:
            raise Damaged("the directory at its end is missing")
        disk, here, count, length, start = (fields[index] for index in (3, 5, 6, 7, 8))
    if disk or here != count:
        raise refusal("The archive is a part of several; send them as one.")
    if start + length > end or count * (len(_DIRECTORY) + _DIRECTORY_FIELDS.size) > length:
        raise Damaged("the directory is not where the archive says")
    return _Directory(count, start, length)


def _at(archive: IO[bytes], offset: int, signature: bytes, fields: struct.Struct) -> tuple[int, ...] | None:
    """A record of fixed length that may be there."""
    if not 0 <= offset < 1 << 63:
        return None
    archive.seek(offset)
    found = archive.read(len(signature) + fields.size)
    if len(found) < len(signature) + fields.size or not found.startswith(signature):
        return None
    return fields.unpack_from(found, len(signature))


def _records(archive: IO[bytes], directory: _Directory, allowed: Allowance) -> Iterator[_Record]:
    source = io.BufferedReader(Section(archive, directory.start, directory.size), CHUNK)
    for _ in range(directory.count):
        allowed.go_on()
        head = exactly(source, len(_DIRECTORY) + _DIRECTORY_FIELDS.size)
        if not head.startswith(_DIRECTORY):
            raise Damaged("the directory is damaged")
        fields = _DIRECTORY_FIELDS.unpack_from(head, len(_DIRECTORY))
        (_, _, flags, method, _, _, crc, packed, size, name, extra, comment, _, _, attributes, offset) = fields
        variable = exactly(source, name + extra + comment)
        record = _Record(variable[:name], flags, method, crc, packed, size, attributes, offset)
        extras = variable[name : name + extra]
        yield _with_unicode_name(_with_zip64(record, extras), extras)


def _with_zip64(record: _Record, extra: bytes) -> _Record:
    """Sizes and offset of 64 bits, where those of 32 say that they are elsewhere."""
    missing = [field for field in ("size", "packed", "offset") if getattr(record, field) == _ELSEWHERE]
    for kind, value in _extras(extra) if missing else ():
        if kind == _ZIP64 and len(value) >= 8 * len(missing):
            values = struct.unpack_from(f"<{len(missing)}Q", value)
            return replace(record, **dict(zip(missing, values, strict=True)))
    return record


def _with_unicode_name(record: _Record, extra: bytes) -> _Record:
    """The name in UTF-8 as Info-ZIP writes it beside one in a code page, with the checksum of that (APPNOTE 4.6.9)."""
    for kind, value in _extras(extra):
        if kind == _UNICODE_NAME and value[1:5] == struct.pack("<L", zlib.crc32(record.raw_name)):
            return replace(record, unicode_name=value[5:])
    return record


def _extras(extra: bytes) -> Iterator[tuple[int, bytes]]:
    """The extra fields of an entry: what kind each is, and its value."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        yield kind, extra[at + 4 : at + 4 + length]
        at += 4 + length


def _content(archive: IO[bytes], record: _Record, name: str, allowed: Allowance) -> Iterator[bytes]:
    """Exactly the bytes that the directory promises, with their checksum."""
    packed = _packed(archive, record, name)
    inflated = Inflated(packed, lambda: Deflate(-15), go_on=allowed.go_on, several=False)
    source = packed if record.method == _STORED else inflated
    left, crc = record.size, 0
    while data := source.read(CHUNK):
        left -= len(data)
        if left < 0:
            break
        allowed.take(len(data))
        crc = zlib.crc32(data, crc)
        yield data
    if left or crc != record.crc:
        raise Damaged(f"the content of {name[:200]!r} is not what its directory says")


def _packed(archive: IO[bytes], record: _Record, name: str) -> Section:
    local = _at(archive, record.offset, _LOCAL, _LOCAL_FIELDS)
    start = record.offset + len(_LOCAL) + _LOCAL_FIELDS.size
    if local is None or Section(archive, start, local[8]).read(len(record.raw_name) + 1) != record.raw_name:
        raise Damaged(f"{name[:200]!r} is not where the directory says")
    return Section(archive, start + local[8] + local[9], record.packed)
