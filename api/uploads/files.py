"""Files that arrive in pieces, on this machine's disk: whoever was cut off goes on behind what has arrived.

What has arrived is the length of the file, so that nothing else need be written while it grows, and a killed process loses nothing
that it has answered for. Beside it lies what was said when it was begun.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from uuid import UUID

from pydantic import BaseModel, ValidationError

from api.errors import ApiError, Conflict, NotFound
from store.actors import Actor
from store.columns import new_id

#: Below the folder of the datasets.
FOLDER = "incoming"


class Begun(BaseModel):
    """What was said of a file: whose it is, how long it will be, what it is called."""

    owner: str
    """The key that has begun it, or ``local``."""
    project_id: UUID | None = None
    """None of one that a version before projects has begun: it is the key's alone."""
    length: int
    filename: str | None


class Locked(ApiError):
    status = 423
    kind = "locked"


@dataclass(frozen=True)
class Incoming:
    """A file of which some has arrived."""

    id: UUID
    path: Path
    begun: Begun

    @property
    def offset(self) -> int:
        """Bytes that have arrived.

        Raises:
            NotFound: it was given up meanwhile.
        """
        try:
            return self.path.stat().st_size
        except FileNotFoundError as error:
            raise _missing(self.id) from error

    def opened(self) -> FileIO:
        """To be written to: without a buffer, which would keep what a full disk has not taken, and write it later.

        Raises:
            NotFound: it was given up meanwhile.
        """
        try:
            return self.path.open("r+b", buffering=0)
        except FileNotFoundError as error:
            raise _missing(self.id) from error

    @property
    def complete(self) -> bool:
        return self.offset == self.begun.length


class Uploads:
    """The files below ``root`` that are arriving, each of one project."""

    def __init__(self, root: Path) -> None:
        self._root = root / FOLDER

    def begin(self, begun: Begun) -> Incoming:
        """Nothing of it has arrived."""
        self._root.mkdir(parents=True, exist_ok=True)
        upload_id = new_id()
        self._about(upload_id).write_text(begun.model_dump_json())
        self._data(upload_id).touch()
        return Incoming(upload_id, self._data(upload_id), begun)

    def find(self, upload_id: UUID, actor: Actor) -> Incoming:
        """A file that this project has begun.

        Raises:
            NotFound: there is none.
        """
        with suppress(OSError, ValidationError):
            begun = Begun.model_validate_json(self._about(upload_id).read_text())
            if _sees(actor, begun) and self._data(upload_id).exists():
                return Incoming(upload_id, self._data(upload_id), begun)
        raise _missing(upload_id)

    @contextmanager
    def open_at(self, incoming: Incoming, offset: int) -> Iterator[FileIO]:
        """The file, to be gone on with at ``offset``, which is where it ends.

        Raises:
            Locked: another request is writing to it.
            Conflict: it ends elsewhere.
        """
        with incoming.opened() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Locked(
                    "Another request is sending this upload just now. Ask where it stands, and try again."
                ) from error
            if incoming.offset != offset:
                raise Conflict(
                    f"{incoming.offset:,} bytes have arrived, not {offset:,}: ask where it stands (HEAD), and go on there."
                )
            file.seek(offset)
            yield file

    def arriving(self, owner: str, *, but: UUID | None = None) -> int:
        """Bytes of the files that this caller has begun, as they will be.

        Args:
            but: one that is not counted.
        """
        total = 0
        for about in self._root.glob("*.json"):
            with suppress(OSError, ValidationError):
                begun = Begun.model_validate_json(about.read_text())
                total += begun.length if begun.owner == owner and about.stem != str(but) else 0
        return total

    def remove(self, upload_id: UUID) -> None:
        """It may be gone."""
        for path in (self._data(upload_id), self._about(upload_id)):
            path.unlink(missing_ok=True)

    def remove_old(self, *, seconds: float) -> None:
        """Those that nobody has gone on with for so long."""
        oldest = time.time() - seconds
        for about in self._root.glob("*.json"):
            with suppress(OSError, ValueError):
                upload_id = UUID(about.stem)
                if max(path.stat().st_mtime for path in (about, self._data(upload_id)) if path.exists()) < oldest:
                    self.remove(upload_id)

    def _data(self, upload_id: UUID) -> Path:
        return self._root / str(upload_id)

    def _about(self, upload_id: UUID) -> Path:
        return self._root / f"{upload_id}.json"


def _sees(actor: Actor, begun: Begun) -> bool:
    mine = str(actor.key_id) == begun.owner if begun.project_id is None else actor.project_id == begun.project_id
    return mine or actor.sees_all


def _missing(upload_id: UUID) -> NotFound:
    return NotFound(f"There is no upload {upload_id}: begin it anew (POST /uploads).")
