"""What a picture is read from: a file of the disk, or a stretch of a larger one that lies anywhere. Torch-free."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import IO, Literal, Protocol


class Size(Protocol):
    """As ``os.stat_result`` has it."""

    @property
    def st_size(self) -> int: ...


class PictureFile(Protocol):
    """The little of a :class:`pathlib.Path` that reading a picture takes; every path is one."""

    @property
    def name(self) -> str: ...

    @property
    def parts(self) -> Sequence[str]: ...

    def open(self, mode: Literal["rb"], /) -> IO[bytes]: ...

    def stat(self) -> Size: ...


@dataclass(frozen=True)
class _Called:
    """What is no file of its own has a name all the same.

    Args:
        path: what it is called for users, such as ``train-003.tar/owl/17.jpg``.
    """

    path: str

    def __str__(self) -> str:
        return self.path

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def parts(self) -> Sequence[str]:
        return self.path.split("/")


@dataclass(frozen=True)
class HeldFile(_Called):
    """A picture whose bytes are in memory."""

    content: bytes

    @property
    def st_size(self) -> int:
        return len(self.content)

    def open(self, _mode: Literal["rb"], /) -> IO[bytes]:
        return _Named(self.path, self.content)

    def stat(self) -> Size:
        return self


@dataclass(frozen=True)
class FetchedFile(_Called):
    """A picture that is fetched from elsewhere when it is read; the last few stay in memory, for one is read several times over.

    Args:
        fetch: gives its bytes.
    """

    fetch: Callable[[], bytes]

    def open(self, mode: Literal["rb"], /) -> IO[bytes]:
        return _held(self).open(mode)

    def stat(self) -> Size:
        return _held(self)


@lru_cache(maxsize=64)
def _held(file: FetchedFile) -> HeldFile:
    return HeldFile(file.path, file.fetch())


class _Named(io.BytesIO):
    """Shown in messages by the name of the picture, as a path would be."""

    def __init__(self, path: str, content: bytes) -> None:
        super().__init__(content)
        self._path = path

    def __repr__(self) -> str:
        return repr(self._path)
