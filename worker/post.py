"""One POST to a receiver that a caller has named: to addresses that were checked, without redirects or proxies, within a deadline over all,
and of the answer no more than its beginning is read.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

import anyio
import httpcore

from store.reach import Target

#: Bytes of an answer that are read and kept.
KEPT = 1000

#: That is waited for them.
_READ_SECONDS = 2.0

_AGENT = f"DNA-AutoML/{version('dna-automl')}"

#: Statuses whose ``Retry-After`` says when to come back (RFC 9110, 10.2.3; RFC 6585, 4).
_LATER = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


@dataclass(frozen=True)
class Answer:
    """Attributes:
    beginning: of its body.
    retry_after: seconds before which the receiver does not want it again, where it refused for now and says so.
    """

    status: int
    beginning: str
    retry_after: float | None = None


class Pinned(httpcore.AsyncNetworkBackend):
    """Connects to the first of these addresses that answers, whatever name it is asked for. The name stays that of ``Host`` and of TLS."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._addresses = addresses
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,  # noqa: ARG002
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        *others, last = self._addresses
        for address in others:
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError:
                continue
        return await self._network.connect_tcp(last, port, timeout, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)


async def post(target: Target, headers: Mapping[str, str], body: str, tls: ssl.SSLContext) -> Answer:
    """Sends it. The caller sets the deadline, by a cancel scope.

    Raises:
        httpcore.NetworkError: there is no connection, or it broke; a certificate that does not fit is such a case.
        httpcore.ProtocolError: what came is not HTTP.
    """
    url = httpcore.URL(
        scheme=target.url.raw_scheme, host=target.url.raw_host, port=target.port, target=target.url.raw_path
    )
    host = target.url.netloc.decode("ascii")
    fixed = [("Host", host), ("Content-Type", "application/json"), ("User-Agent", _AGENT), ("Connection", "close")]
    async with (
        httpcore.AsyncConnectionPool(tls, max_connections=1, network_backend=Pinned(target.addresses)) as connections,
        connections.stream("POST", url, headers=[*fixed, *headers.items()], content=body.encode()) as answer,
    ):
        return Answer(answer.status, await _beginning(answer), _retry_after(answer))


def _retry_after(answer: httpcore.Response) -> float | None:
    """As ``Retry-After`` says, in seconds or as a date; None where it says neither."""
    said = next((value for name, value in answer.headers if name.lower() == b"retry-after"), None)
    if said is None or answer.status not in _LATER:
        return None
    if said.isdigit():
        return float(said)
    try:
        date = parsedate_to_datetime(said.decode("ascii", errors="replace"))
    except (ValueError, OverflowError):
        return None
    return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


async def _beginning(answer: httpcore.Response) -> str:
    """As text. Its status was an answer already: one that breaks off, drips or does not end is as good."""
    read = bytearray()
    with anyio.move_on_after(_READ_SECONDS), suppress(httpcore.NetworkError, httpcore.ProtocolError):
        async for piece in answer.aiter_stream():
            read += piece
            if len(read) >= KEPT:
                break
    return read[:KEPT].decode(errors="replace").replace("\x00", "\ufffd")
