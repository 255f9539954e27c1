"""A dataset on its way to the service: an archive as it is, or a folder packed into one, sent in pieces."""

from __future__ import annotations

import base64
import os
import re
import tarfile
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import httpx

from dna_client.errors import ApiError, ClientError, LocalError, NotFound
from dna_client.transport import Transport

#: Bytes of a piece; so much is held at once, and sent again at most where the connection breaks.
PIECE = 4 << 20
_TUS = {"tus-resumable": "1.0.0"}
#: What the service lets a dataset be called; of its length it judges itself.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

#: Told how many bytes of how many have arrived.
Told = Callable[[int, int], None]


def unheard(sent: int, size: int) -> None:
    """For who tells nobody."""


def check_name(name: str) -> None:
    """Before all of an archive is sent for nothing.

    Raises:
        LocalError: no dataset can be called so.
    """
    if not _NAME.fullmatch(name):
        raise LocalError(
            f"{name!r} cannot name a dataset: give it another (--name), of letters, digits, dots, dashes and underscores."
        )


@contextmanager
def packed(path: Path) -> Iterator[IO[bytes]]:
    """The file, open; a folder becomes a tar of its name, which is gone after the block.

    Raises:
        LocalError: it does not exist or cannot be read.
    """
    try:
        if not path.is_dir():
            with path.open("rb") as file:
                yield file
            return
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / f"{path.resolve().name}.tar"
            with tarfile.open(target, "w", dereference=True) as tar:
                tar.add(path, arcname=".")
            with target.open("rb") as file:
                yield file
    except OSError as error:
        raise LocalError(f"{path} cannot be read: {error.strerror or error}.") from error


def send(transport: Transport, file: IO[bytes], told: Told = unheard, *, key: str) -> str:
    """Sends a file in pieces (tus 1.0), and returns the id that the service gave it. A broken connection is taken up again where it
    broke; and so is a file that was sent under ``key`` before, of which nothing is sent once a dataset was made of it.

    Raises:
        ApiError: the server refused.
        ServerUnreachable: the connection broke again and again without bringing anything over.
    """
    size = file.seek(0, os.SEEK_END)
    name = base64.b64encode(Path(file.name).name.encode()).decode()
    headers = {**_TUS, "upload-length": str(size), "upload-metadata": f"filename {name}"}
    headers["idempotency-key"] = str(uuid.uuid5(uuid.NAMESPACE_OID, key))  # The key itself is that of the dataset.
    path = transport.send("POST", "/uploads", headers).headers["location"]
    patience, sent = transport.patience(), _arrived(transport, path, size)
    while sent < size:
        file.seek(sent)
        try:
            sent = _send_piece(transport, path, file.read(PIECE), sent)
            patience.renew()
        except (httpx.TransportError, ApiError) as error:
            patience.wait(error)
            sent = int(transport.send("HEAD", path, _TUS).headers["upload-offset"])
        told(sent, size)
    return path.rpartition("/")[2]


def _arrived(transport: Transport, path: str, size: int) -> int:
    """Where a file stands; one that is there no more has become a dataset."""
    try:
        return int(transport.send("HEAD", path, _TUS).headers["upload-offset"])
    except NotFound:
        return size


def withdraw(transport: Transport, upload: str) -> None:
    """Deletes what was sent and is of no use. Where that fails, the service does so after a while."""
    with suppress(ClientError):
        transport.send("DELETE", f"/uploads/{upload}", _TUS)


def _send_piece(transport: Transport, path: str, piece: bytes, at: int) -> int:
    """Where the file stands then."""
    headers = {**_TUS, "upload-offset": str(at), "content-type": "application/offset+octet-stream"}
    return int(transport.send("PATCH", path, headers, content=piece, repeatable=False).headers["upload-offset"])
