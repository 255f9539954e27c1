"""Reads tar archives forward, entry by entry: ustar, GNU and PAX (POSIX.1-2001).

``tarfile`` parses the blocks of 512 bytes. What is longer, names and notes, is read here, and not before its length is known to be
small.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator

from dna_engine.images.archive.inflate import exactly
from dna_engine.images.archive.limits import CHUNK, Allowance, Damaged, Entry, not_a_file, refusal
from dna_engine.images.archive.spelling import Spelling
from dna_engine.images.encodings import is_utf_8

#: Bytes of a header, and of what files are filled up to.
BLOCK = tarfile.BLOCKSIZE
#: Bytes of a long name or of the notes on one entry; how many of them an entry may have, and how many notes they hold.
_HEADER_BYTES, _HEADERS, _NOTES = 1 << 16, 8, 1000
#: Before an entry: notes (PAX), a long name, a long target of a link (GNU).
_PAX = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.XGLTYPE)
_LONG = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
_DIGITS = 19


def begins_like_tar(stream: io.BufferedIOBase) -> bool:
    """Whether the first block is a header, or says that none follows.

    Raises:
        Damaged: the stream cannot be read.
    """
    block = stream.read(BLOCK)
    if len(block) == BLOCK and not block.strip(b"\0"):
        return True
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def read_tar(stream: io.BufferedIOBase, allowed: Allowance, spelling: Spelling) -> Iterator[Entry]:
    """Its entries, one after the other: the content of one is gone when the next is asked for.

    Raises:
        DataError: a limit is passed, or an entry is refused.
        Damaged: it cannot be read.
    """
    tape = _Tape(stream, allowed)
    while (header := _next(tape, allowed)) is not None:
        name, info = _spelt(header[0], spelling), header[1]
        if info.isdir():
            yield Entry(name, None, lambda: iter(()))
        elif info.type in _FILES:
            allowed.expect(name, info.size)
            tape.enter(info.size)
            yield Entry(name, info.size, tape.content)
        else:
            raise not_a_file(name)
        tape.leave()


def _spelt(name: str, spelling: Spelling) -> str:
    """Names are in UTF-8, but for those that somebody's tar wrote as its disk had them."""
    raw = name.encode("utf-8", "surrogateescape")
    if is_utf_8(raw):
        return raw.decode()
    spelling.look([raw])
    return spelling.read(raw)


class _Tape:
    """Blocks in a row; whatever is read is counted. A file that was entered is left behind its last block."""

    def __init__(self, stream: io.BufferedIOBase, allowed: Allowance) -> None:
        self._stream = stream
        self._allowed = allowed
        self._left = self._padding = 0

    def block(self) -> bytes:
        """The next block; none at the end of the stream."""
        first = self._stream.read(BLOCK)
        self._allowed.take(BLOCK)
        return first + exactly(self._stream, BLOCK - len(first)) if first else b""

    def header_bytes(self, size: int) -> bytes:
        """The content of a header, which fits into memory."""
        if not 0 <= size <= _HEADER_BYTES:
            raise refusal(
                f"The archive has a name or a note of {size:,} bytes; at most {_HEADER_BYTES:,} are read. Pack it anew, with "
                "shorter names and without extended attributes."
            )
        self.enter(size)
        data = b"".join(self.content())
        self.leave()
        return data

    def enter(self, size: int) -> None:
        self._left, self._padding = size, -size % BLOCK

    def content(self) -> Iterator[bytes]:
        while self._left:
            data = self._stream.read(min(self._left, CHUNK))
            if not data:
                raise Damaged("it ends too early")
            self._allowed.take(len(data))
            self._left -= len(data)
            yield data

    def leave(self) -> None:
        for _ in self.content():
            pass
        exactly(self._stream, self._padding)
        self._padding = 0


def _next(tape: _Tape, allowed: Allowance) -> tuple[str, tarfile.TarInfo] | None:
    """The name and the header of the next entry, as its notes have them; None at the end."""
    notes: dict[str, str] = {}
    for _ in range(_HEADERS):
        info = _header(tape)
        if info is None:
            return None
        if info.type in _PAX:
            found = _notes(tape.header_bytes(info.size))
            notes |= {} if info.type == tarfile.XGLTYPE else found  # Those on all entries name none.
        elif info.type in _LONG:
            text = _text(tape.header_bytes(info.size).rstrip(b"\0"))
            notes |= {"path": text} if info.type == tarfile.GNUTYPE_LONGNAME else {}
        else:
            allowed.entries(1)
            return _described(info, notes)
    raise Damaged("an entry has too many headers")


def _header(tape: _Tape) -> tarfile.TarInfo | None:
    try:
        block = tape.block()
        if not block.strip(b"\0"):
            return None
        info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError as error:
        raise Damaged(str(error)) from error
    if info.size < 0:
        raise Damaged("an entry has a negative size")
    return info


def _described(info: tarfile.TarInfo, notes: dict[str, str]) -> tuple[str, tarfile.TarInfo]:
    name = notes.get("path", info.name)
    if any(key.startswith("GNU.sparse.") for key in notes):
        raise not_a_file(name)
    if (size := notes.get("size")) is not None:
        if not (size.isascii() and size.isdigit() and len(size) <= _DIGITS):
            raise Damaged(f"an entry has the size {size[:_DIGITS]!r}")
        info.size = int(size)
    if name.endswith("/") and info.type == tarfile.AREGTYPE:
        info.type = tarfile.DIRTYPE
    return name, info


def _notes(data: bytes) -> dict[str, str]:
    """Records such as ``20 path=a/photo.png``, each with its own length in front and a line end behind."""
    found: dict[str, str] = {}
    at, data = 0, data.rstrip(b"\0")
    for _ in range(_NOTES):
        if at == len(data):
            return found
        space = data.find(b" ", at, at + _DIGITS)
        length = data[at:space] if space > 0 else b""
        stop = at + (int(length) if length.isdigit() else 0)
        key, equals, value = data[space + 1 : stop - 1].partition(b"=")
        if not equals or stop > len(data) or data[stop - 1 : stop] != b"\n":
            raise Damaged("a note is damaged")
        found[_text(key)] = _text(value)
        at = stop
    raise Damaged("an entry has too many notes")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
