"""Files from the service: streamed to disk, continued where the connection broke, checked against their SHA-256."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote

import httpx

from dna_client.errors import ApiError, CorruptDownload, LocalError
from dna_client.transport import Transport

_NAME = re.compile(r'filename="?([^";]+)')
_WIDE_NAME = re.compile(r"filename\*=UTF-8''([^;\s]+)", re.IGNORECASE)


@dataclass(frozen=True)
class Downloaded:
    """A file that arrived whole; ``sha256`` in hexadecimal, equal to what the server announced."""

    path: Path
    size: int
    sha256: str


def download(transport: Transport, path: str, params: Mapping[str, str], target: Path) -> Downloaded:
    """Writes the file of ``path`` to ``target``; into it, under the server's name, when it is a folder.

    Folders on the way to ``target`` are made.

    The file appears under its name only once it is complete and its digest is right.

    Raises:
        ApiError: the server refused.
        ServerUnreachable: the connection broke again and again without bringing anything new.
        CorruptDownload: the digest differs.
        LocalError: ``target`` cannot be written.
    """
    part = (
        target / f".{params.get('format', 'file')}.part"
        if target.is_dir()
        else target.with_name(f".{target.name}.part")
    )
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            arrived = _fetch(transport, path, params, file)
        name = target / arrived.name if target.is_dir() else target
        part.replace(name)
    except OSError as error:
        raise LocalError(f"{target} cannot be written: {error.strerror}.") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return Downloaded(name, arrived.size, arrived.sha256)


@dataclass
class _Arriving:
    """What is known of a file while it arrives. ``etag`` is strong: it stands for these bytes."""

    etag: str = ""
    name: str = ""
    announced: str = ""
    size: int = 0
    sha256: str = ""
    complete: bool = False


def _fetch(transport: Transport, path: str, params: Mapping[str, str], file: BinaryIO) -> _Arriving:
    arriving = _Arriving()
    patience = transport.patience()
    while not arriving.complete:
        before = arriving.size
        try:
            _fetch_rest(transport, path, params, file, arriving)
        except (httpx.TransportError, ApiError) as error:
            if arriving.size > before:
                patience.renew()
            patience.wait(error)
    file.flush()
    arriving.sha256 = _digest(Path(file.name))
    if arriving.announced not in ("", arriving.sha256):
        raise CorruptDownload(
            f"The file that arrived has SHA-256 {arriving.sha256}, {arriving.announced} was announced. Download it again."
        )
    return arriving


def _fetch_rest(
    transport: Transport, path: str, params: Mapping[str, str], file: BinaryIO, arriving: _Arriving
) -> None:
    """One request for what is missing. The server sends all of it anew when the file has changed meanwhile."""
    headers = {"accept": "*/*", "accept-encoding": "identity"}
    if arriving.size and arriving.etag:
        headers |= {"range": f"bytes={arriving.size}-", "if-range": arriving.etag}
    with transport.stream(path, headers, params) as response:
        if response.status_code != httpx.codes.PARTIAL_CONTENT:
            file.seek(0)
            file.truncate()
            arriving.size = 0
        arriving.etag = response.headers.get("etag", "")
        arriving.announced = announced_sha256(response.headers)
        arriving.name = _file_name(response.headers)
        for chunk in response.iter_raw():  # As it arrives: what came before a break is kept.
            file.write(chunk)
            arriving.size += len(chunk)
    arriving.complete = True


def announced_sha256(headers: httpx.Headers) -> str:
    """The SHA-256 of the whole file in hexadecimal, from ``Repr-Digest`` (RFC 9530) or ``Digest`` (RFC 3230); or empty."""
    found = re.search(r"sha-256=:?([A-Za-z0-9+/=]+)", headers.get("repr-digest", "") or headers.get("digest", ""), re.I)
    if found is None:
        return ""
    try:
        return base64.b64decode(found[1]).hex()
    except binascii.Error:
        return ""


def _file_name(headers: httpx.Headers) -> str:
    """The name the server gives the file, without any folder; where it is beyond ASCII, as RFC 8187 writes it."""
    said = headers.get("content-disposition", "")
    wide, plain = _WIDE_NAME.search(said), _NAME.search(said)
    name = unquote(wide[1]) if wide else plain[1] if plain else ""
    return Path(name).name or "download"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
