"""Unpacks archives of strangers into a folder, and packs a folder into an archive."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO

from dna_engine.images.archive.inflate import COMPRESSED, Inflated, Section
from dna_engine.images.archive.limits import CHUNK, Allowance, Damaged, Entry, Limits, refusal
from dna_engine.images.archive.names import Names, file_and_folder, safe_parts
from dna_engine.images.archive.spelling import Spelling
from dna_engine.images.archive.tars import BLOCK, begins_like_tar, read_tar
from dna_engine.images.archive.zips import SIGNATURES, read_zip
from dna_engine.images.check.report import Finding, Findings, Level
from dna_engine.images.layout.folders import is_clutter
from dna_engine.images.pictures.foreign import HEAD


def unpack(
    archive: IO[bytes],
    target: Path,
    *,
    wanted: Callable[[str, bytes], bool],
    limits: Limits,
    encoding: str | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> list[Finding]:
    """Writes the wanted files of a zip or tar (plain, or packed with gzip, bzip2 or xz) below ``target``, a new folder.

    Args:
        archive: can be read from any place.
        wanted: whether a file of that name (its last part) that begins with those bytes is written; of others an empty file
            remains, so that it can be told what was left out. Clutter leaves nothing.
        encoding: of names that do not say theirs; default: it is found out where there is one answer.
        stopped: asked after every piece; where it says so, the work ends.

    Returns:
        What was left out, and how names were read.

    Raises:
        DataError: it is no archive, it is damaged, a name or kind of entry is not allowed, or a limit is passed.
        Interrupted: it was stopped.
    """
    size = archive.seek(0, 2)
    allowed = Allowance(limits, packed=size, stopped=stopped)
    findings = Findings()
    place = _Place(target, wanted, allowed, findings)
    target.mkdir(parents=True, exist_ok=True)
    with _readable():
        for entry in _entries(archive, size, allowed, Spelling(encoding, findings)):
            place.put(entry)
        place.make_empty_folders()
    return findings.all()


#: Archives that are not read, by their first bytes.
_OTHERS = {
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "RAR",
    b"(\xb5/\xfd": "Zstandard",
    b"\x04\x22\x4d\x18": "LZ4",
    b"LZIP": "lzip",
}
#: Characters of a name that are told.
_SHOWN = 200


class _Place:
    """The folder that entries come to. Folders are made when something comes into them: names cost nothing, folders of a disk do."""

    def __init__(
        self, target: Path, wanted: Callable[[str, bytes], bool], allowed: Allowance, findings: Findings
    ) -> None:
        self._target = target
        self._findings = findings
        self._wanted = wanted
        self._allowed = allowed
        self._names = Names(allowed)
        self._made = {""}

    def put(self, entry: Entry) -> None:
        if entry.size is None and set(entry.name.split("/")) <= {"", "."}:  # The folder around all.
            return
        parts = safe_parts(entry.name)
        if any(is_clutter(part) for part in parts):
            if entry.size is not None:
                self._findings.add(
                    "clutter", Level.NOTE, "What systems and editors leave behind is left out.", [entry.name[:_SHOWN]]
                )
            return
        self._names.folder(parts if entry.size is None else parts[:-1])
        if entry.size is not None:
            self._put_file(entry, entry.size, parts)

    def _put_file(self, entry: Entry, size: int, parts: list[str]) -> None:
        self._make("/".join(parts[:-1]))
        path = self._target.joinpath(*parts)
        content = entry.content()
        head = next(content, b"")
        if not self._wanted(parts[-1], head[:HEAD]):
            path.touch()
            return
        self._names.file(parts)
        self._allowed.expect(entry.name, size, taken=len(head))
        with path.open("xb") as target:
            for chunk in chain([head], content):
                target.write(chunk)

    def make_empty_folders(self) -> None:
        """So that a class of which nothing is left can be missed."""
        made = {above for folder in self._made for above in _above(folder)}
        empty = [folder for folder in self._names.folders if folder not in made]
        self._allowed.empty_folders(len(empty))
        for folder in empty:
            self._make(folder)

    def _make(self, folder: str) -> None:
        if folder not in self._made:
            (self._target / folder).mkdir(parents=True, exist_ok=True)
            self._made.add(folder)


def _above(folder: str) -> Iterator[str]:
    """The folder and those that it lies in."""
    while folder:
        yield folder
        folder = folder.rpartition("/")[0]


def _entries(archive: IO[bytes], size: int, allowed: Allowance, spelling: Spelling) -> Iterator[Entry]:
    """By what the archive begins with: at its end may lie another, such as a spreadsheet, which is a zip."""
    start = _start(archive)
    if start.startswith(SIGNATURES) and not begins_like_tar(io.BytesIO(start)):
        return read_zip(archive, allowed, spelling)
    if not begins_like_tar(_stream(archive, size, allowed)):
        other = next((name for mark, name in _OTHERS.items() if start.startswith(mark)), None)
        what = (
            f"a {other} archive, which is not read; send a zip or a tar" if other else "neither a zip nor a tar archive"
        )
        raise refusal(f"The file is {what}.")
    return read_tar(_stream(archive, size, allowed), allowed, spelling)


def _start(archive: IO[bytes]) -> bytes:
    archive.seek(0)
    return archive.read(BLOCK)


def _stream(archive: IO[bytes], size: int, allowed: Allowance) -> io.BufferedIOBase:
    """A tar from its beginning, inflated if need be."""
    start = _start(archive)
    stream: io.RawIOBase = Section(archive, 0, size)
    for signature, new in COMPRESSED:
        if start.startswith(signature) and not begins_like_tar(io.BytesIO(start)):  # Its first file may be called so.
            stream = Inflated(stream, new, go_on=allowed.go_on)
    return io.BufferedReader(stream, CHUNK)


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
        raise file_and_folder() from error
    except MemoryError as error:
        raise refusal("The archive takes too much memory to unpack: pack it with a smaller dictionary.") from error
    except Damaged as error:
        raise refusal(f"The archive cannot be read ({error}). Pack it anew, with the usual settings.") from error


def pack(folder: Path, archive: Path) -> None:
    """Writes all files below ``folder`` into a tar; the same files give the same bytes."""
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            member = tarfile.TarInfo(path.relative_to(folder).as_posix())
            member.size = path.stat().st_size
            with path.open("rb") as source:
                tar.addfile(member, source)
