"""Archives from strangers: files come out under names that stay inside the folder, and never more than was allowed.

The extraction of ``tarfile`` and ``zipfile`` is not used: its filters have been bypassed (CVE-2025-4517, -4330, -4435). Only
plain files are written, no link is ever made, and what is counted is the bytes that come out, not what the archive says.
"""

from __future__ import annotations

import lzma
import stat
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dna_engine.errors import DataError
from dna_engine.layout import is_clutter

_CHUNK = 1 << 20
#: Bytes of a part of a name, as file systems allow, and of a whole one.
_PART, _NAME = 255, 1024
#: What the readers of archives raise for one that is damaged or that they do not know.
_BROKEN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    OSError,
    ValueError,
)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What may come out of one archive.

    Attributes:
        total_bytes: of all files.
        file_bytes: of one file.
        entries: files and folders.
        ratio: bytes that come out over bytes of the archive; images hardly compress, bombs do.
    """

    total_bytes: int = 16 << 30
    file_bytes: int = 256 << 20
    entries: int = 2_000_000
    ratio: int = 200


@dataclass(frozen=True)
class Entry:
    """What an archive holds: its name there, and how to read it; None for a folder."""

    name: str
    open: Callable[[], IO[bytes]] | None


def unpack(archive: IO[bytes], target: Path, *, wanted: Callable[[str], bool], limits: Limits) -> None:
    """Writes the wanted files of a zip or tar (plain, or packed with gzip, bzip2 or xz) below ``target``, a new folder.

    Args:
        archive: can be read from any place.
        wanted: whether a file of that name (its last part) is written; of others, which are read and counted all the same, an
            empty file remains, so that it can be told what was left out. Clutter leaves nothing.

    Raises:
        DataError: it is no archive, it is damaged, a name or kind of entry is not allowed, or a limit is passed.
    """
    allowed = _Allowance(limits, packed=_size(archive))
    taken: set[str] = set()
    target.mkdir(parents=True, exist_ok=True)
    with _readable():
        for entry in _entries(archive, allowed):
            path = _place(entry, target, wanted, taken)
            if entry.open is not None:
                with entry.open() as source:
                    _copy(entry.name, source, path, allowed)


def _place(entry: Entry, target: Path, wanted: Callable[[str], bool], taken: set[str]) -> Path | None:
    """Where the content of an entry is written, in a folder that exists; None where it is not."""
    if entry.open is None and not entry.name.strip("./"):  # The folder around all.
        return None
    parts = safe_parts(entry.name)
    if any(is_clutter(part) for part in parts):
        return None
    path = target.joinpath(*parts)
    (path if entry.open is None else path.parent).mkdir(parents=True, exist_ok=True)
    if entry.open is None:
        return None
    if not wanted(parts[-1]):
        path.touch()
        return None
    _take(entry.name, parts, taken)
    return path


def pack(folder: Path, archive: Path) -> None:
    """Writes all files below ``folder`` into a tar; the same files give the same bytes."""
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            member = tarfile.TarInfo(path.relative_to(folder).as_posix())
            member.size = path.stat().st_size
            with path.open("rb") as source:
                tar.addfile(member, source)


def safe_parts(name: str) -> list[str]:
    """The parts of an entry's name, without those that say nothing (``./a//b`` is a, b).

    Raises:
        DataError: the name leads out of the folder, is not the same on every system, or is too long.
    """
    parts = [part for part in name.split("/") if part not in ("", ".")]
    unsafe = name.startswith("/") or ".." in parts or not parts
    strange = any(character == "\\" or unicodedata.category(character) in ("Cc", "Cs") for character in name)
    long = len(_bytes(name)) > _NAME or any(len(_bytes(part)) > _PART for part in parts)
    if unsafe or strange or long:
        raise DataError(
            f"The archive holds a file named {name[:200]!r}. Names must stay inside the archive's folder, without backslashes "
            f"and control characters, and be at most {_NAME:,} bytes long.",
            param="file",
        )
    return parts


class _Allowance:
    """How much may still come out."""

    def __init__(self, limits: Limits, *, packed: int) -> None:
        self._limits = limits
        self._bytes = min(limits.total_bytes, max(limits.ratio * packed, _CHUNK))
        self._entries = limits.entries

    def entry(self) -> None:
        self._entries -= 1
        if self._entries < 0:
            raise DataError(f"The archive holds more than {self._limits.entries:,} entries.", param="file")

    def take(self, name: str, count: int, so_far: int) -> None:
        """``count`` more bytes of a file that gave ``so_far`` with them."""
        self._bytes -= count
        if so_far > self._limits.file_bytes:
            raise DataError(f"{name} is larger than {self._limits.file_bytes:,} bytes.", param="file")
        if self._bytes < 0:
            raise DataError(
                f"The archive unpacks to more than {self._limits.total_bytes:,} bytes, or to {self._limits.ratio} times its "
                "own size. Split the dataset, or give it as a folder of the server.",
                param="file",
            )


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
        raise DataError("The archive holds a file and a folder of one name; pack it anew.", param="file") from error
    except _BROKEN as error:
        raise DataError(f"The archive cannot be read ({type(error).__name__}: {error}).", param="file") from error


def _entries(archive: IO[bytes], allowed: _Allowance) -> Iterator[Entry]:
    archive.seek(0)
    if zipfile.is_zipfile(archive):
        archive.seek(0)
        yield from _zipped(archive, allowed)
        return
    archive.seek(0)
    if not tarfile.is_tarfile(archive):
        raise DataError("The file is neither a zip nor a tar archive.", param="file")
    archive.seek(0)
    with tarfile.open(fileobj=archive, mode="r:*") as tar:
        for member in tar:
            allowed.entry()
            if member.isdir():
                yield Entry(member.name, None)
                continue
            if not member.isreg():
                raise _not_a_file(member.name)
            yield Entry(member.name, lambda member=member: _present(tar.extractfile(member)))  # type: ignore[misc]


def _zipped(archive: IO[bytes], allowed: _Allowance) -> Iterator[Entry]:
    with zipfile.ZipFile(archive) as packed:
        for info in packed.infolist():
            allowed.entry()
            kind = stat.S_IFMT(info.external_attr >> 16)
            name = info.orig_filename.replace("\\", "/")  # What some programs of Windows write, against the format.
            if name.endswith("/"):
                yield Entry(name, None)
                continue
            if kind not in (0, stat.S_IFREG):
                raise _not_a_file(name)
            if info.flag_bits & 1:
                raise DataError("The archive is encrypted; send it without a password.", param="file")
            yield Entry(name, lambda info=info: packed.open(info))  # type: ignore[misc]


def _copy(name: str, source: IO[bytes], path: Path | None, allowed: _Allowance) -> None:
    """Counts what comes; writes it where there is a path."""
    so_far = 0
    with path.open("xb") if path is not None else _nowhere() as target:
        while chunk := source.read(_CHUNK):
            so_far += len(chunk)
            allowed.take(name, len(chunk), so_far)
            if target is not None:
                target.write(chunk)


@contextmanager
def _nowhere() -> Iterator[None]:
    yield


def _take(name: str, parts: list[str], taken: set[str]) -> None:
    """Names that some file system holds to be one are refused: one file would replace the other."""
    key = unicodedata.normalize("NFC", "/".join(parts)).casefold()
    if key in taken:
        raise DataError(f"The archive holds {name!r} twice, or another name that differs in case only.", param="file")
    taken.add(key)


def _not_a_file(name: str) -> DataError:
    return DataError(
        f"The archive holds {name[:200]!r}, which is neither a file nor a folder. Links and devices are refused.",
        param="file",
    )


def _present(source: IO[bytes] | None) -> IO[bytes]:
    assert source is not None
    return source


def _size(archive: IO[bytes]) -> int:
    archive.seek(0, 2)
    return archive.tell()


def _bytes(text: str) -> bytes:
    return text.encode(errors="replace")
