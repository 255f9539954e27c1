"""What readers of archives give, and how much may come out of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dna_engine.errors import DataError, Interrupted

#: Bytes that are held at once, of what is read and of what comes out.
CHUNK = 1 << 18
#: A small archive may unpack to this much, whatever the ratio.
_FLOOR = 1 << 20


class Damaged(Exception):
    """The archive ends too early, contradicts itself, or is not of its format. Says how."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What may come out of one archive.

    Attributes:
        total_bytes: of all files.
        file_bytes: of one file.
        entries: files and folders.
        folders: named or implied by the names of files; a dataset has one for every class and part.
        empty_folders: those in which nothing lies.
        ratio: bytes that come out over bytes of the archive; images hardly compress, bombs do.
    """

    total_bytes: int = 16 << 30
    file_bytes: int = 256 << 20
    entries: int = 200_000
    folders: int = 25_000
    empty_folders: int = 1000
    ratio: int = 200


@dataclass(frozen=True)
class Entry:
    """What an archive holds: its name there, the size it claims (None for a folder), and its content, which is exactly that long."""

    name: str
    size: int | None
    content: Callable[[], Iterator[bytes]]


class Allowance:
    """How much may still come out of an archive of ``packed`` bytes, and whether anybody still wants it."""

    def __init__(self, limits: Limits, *, packed: int, stopped: Callable[[], bool]) -> None:
        self._limits = limits
        self._bytes = min(limits.total_bytes, max(limits.ratio * packed, _FLOOR))
        self._entries = limits.entries
        self._stopped = stopped

    def entries(self, count: int) -> None:
        """``count`` more entries.

        Raises:
            DataError: they are too many.
            Interrupted: nobody waits for the archive any more; so do the other methods.
        """
        self.go_on()
        self._entries -= count
        if self._entries < 0:
            raise refusal(
                f"The archive holds more than {self._limits.entries:,} files and folders. Split the dataset, or give it as a folder "
                "of the server."
            )

    def folders(self, count: int) -> None:
        """There are ``count`` folders by now."""
        if count > self._limits.folders:
            raise refusal(
                f"The archive holds more than {self._limits.folders:,} folders. A dataset has one for every class."
            )

    def empty_folders(self, count: int) -> None:
        """So many folders have nothing in them."""
        if count > self._limits.empty_folders:
            raise refusal(f"The archive holds more than {self._limits.empty_folders:,} empty folders; leave them out.")

    def expect(self, name: str, size: int, *, taken: int = 0) -> None:
        """A file claims to have ``size`` bytes, of which some may have come out: looked at before more of them are read."""
        if size > self._limits.file_bytes:
            raise refusal(f"{name[:200]} is larger than {self._limits.file_bytes:,} bytes.")
        if size - taken > self._bytes:
            raise self._too_much()

    def take(self, count: int) -> None:
        """``count`` bytes came out."""
        self.go_on()
        self._bytes -= count
        if self._bytes < 0:
            raise self._too_much()

    def go_on(self) -> None:
        """Raises Interrupted where nobody waits for the archive any more."""
        if self._stopped():
            raise Interrupted("Nobody waits for the archive any more; nothing of it is kept.")

    def _too_much(self) -> DataError:
        return refusal(
            f"The archive unpacks to more than {self._limits.total_bytes:,} bytes, or to {self._limits.ratio} times its "
            "own size. Split the dataset, or give it as a folder of the server."
        )


def refusal(message: str) -> DataError:
    """What is wrong with an archive, for its sender."""
    return DataError(message, param="file")


def not_a_file(name: str) -> DataError:
    """A link, a device or a file with holes."""
    return refusal(
        f"The archive holds {name[:200]!r}, which is neither a file nor a folder. Links, devices and sparse files are refused."
    )
