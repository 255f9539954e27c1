"""Compressed streams, inflated in pieces: never more in memory than was asked for, whatever comes."""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Protocol

from dna_engine.images.archive.limits import Damaged

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

#: Memory that unpacking xz may take. ``xz -9`` needs 65 MiB; a header may ask for 1.5 GiB.
_XZ_MEMORY = 80 << 20
#: Bytes that a decompressor is fed at once.
_FED = 1 << 16


class Decompressor(Protocol):
    """As those of ``bz2`` and ``lzma`` are."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class Deflate:
    """zlib's decompressor with the manners of the others.

    Args:
        window: -15 for bare deflate, as in zips; 31 for gzip.
    """

    def __init__(self, window: int) -> None:
        self._inner = zlib.decompressobj(window)
        self._filled = False

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail and not self._filled

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        out = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        self._filled = len(out) == max_length  # More may lie inside, with nothing left to feed.
        return out


#: First bytes of compressed files, and what inflates them.
COMPRESSED: tuple[tuple[bytes, Callable[[], Decompressor]], ...] = (
    (b"\x1f\x8b", lambda: Deflate(31)),
    (b"BZh", bz2.BZ2Decompressor),
    (b"\xfd7zXZ\0", lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)),
)


class Inflated(io.RawIOBase):
    """What comes out of a compressed stream, of one member or, as gzip, bzip2 and xz allow, of several in a row.

    Reading raises Damaged where it cannot be inflated or ends before it is complete.

    Args:
        go_on: called before each piece is fed: gigabytes may go in of which nothing comes out.
    """

    def __init__(
        self,
        packed: io.RawIOBase,
        new: Callable[[], Decompressor],
        *,
        go_on: Callable[[], object],
        several: bool = True,
    ) -> None:
        self._packed = packed
        self._new = new
        self._go_on = go_on
        self._several = several
        self._inner = new()
        self._rest = b""
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer)
        data = self._piece(len(view))
        view[: len(data)] = data
        return len(data)

    def _piece(self, most: int) -> bytes:
        """At least one byte; none at the end."""
        while not self._ended:
            if self._inner.eof:
                self._next_member()
                continue
            data = self._input() if self._inner.needs_input else b""
            try:
                out = self._inner.decompress(data, most)
            except (OSError, lzma.LZMAError, zlib.error) as error:  # An OSError is that of bzip2.
                raise Damaged(str(error)) from error
            if out:
                return out
        return b""

    def _input(self) -> bytes:
        self._go_on()
        data, self._rest = self._rest or self._packed.read(_FED) or b"", b""
        if not data:
            raise Damaged("it ends too early")
        return data

    def _next_member(self) -> None:
        """Between members there may be zeros."""
        rest = self._inner.unused_data.lstrip(b"\0")
        while self._several and not rest and (chunk := self._packed.read(_FED)):
            rest = chunk.lstrip(b"\0")
        if self._several and rest:
            self._rest, self._inner = rest, self._new()
        else:
            self._ended = True


class Section(io.RawIOBase):
    """A part of a file, wherever others read in it meanwhile."""

    def __init__(self, file: IO[bytes], start: int, length: int) -> None:
        self._file = file
        self._at = start
        self._stop = start + length

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer)
        self._file.seek(self._at)
        data = self._file.read(min(len(view), self._stop - self._at))
        self._at += len(data)
        view[: len(data)] = data
        return len(data)


def exactly(source: io.BufferedIOBase, count: int) -> bytes:
    """``count`` bytes.

    Raises:
        Damaged: there are fewer.
    """
    data = source.read(count)
    if len(data) < count:
        raise Damaged("it ends too early")
    return data
