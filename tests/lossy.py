"""A proxy before PostgreSQL that cuts a connection at a COMMIT, before or after the server has seen it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path

from sqlalchemy import URL, make_url


class Loss(StrEnum):
    """What does not arrive.

    ANSWER: the server has committed, and its client hears nothing.
    REQUEST: the server sees the connection end, and rolls back.
    BOTH: the server is left alone with an open transaction, whose locks it holds.
    """

    ANSWER = "answer"
    REQUEST = "request"
    BOTH = "both"


class LossyProxy:
    """Passes everything on, until :meth:`lose`. ``seen`` counts the commits, ``lost`` those that were cut."""

    def __init__(self, server: URL) -> None:
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._loss: Loss | None = None
        self._at = 0
        self._sockets: set[socket.socket] = set()
        self.seen = 0
        self.lost = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """Of the same database, through the proxy."""
        port = self._listener.getsockname()[1]
        query = {name: value for name, value in self._server.query.items() if name not in ("host", "port")}
        url = self._server.set(host="127.0.0.1", port=port, query=query)
        return url.render_as_string(hide_password=False)

    def lose(self, loss: Loss, *, nth: int = 1) -> None:
        """The n-th commit from now on."""
        with self._lock:
            self._loss, self._at = loss, self.seen + nth

    def lose_nothing(self) -> None:
        with self._lock:
            self._loss = None

    def close(self) -> None:
        for one in (self._listener, *tuple(self._sockets)):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    server = _connect(self._server)
                except OSError:  # There is none just now.
                    client.close()
                    continue
                threading.Thread(target=self._pass, args=(client, server), daemon=True).start()

    def _pass(self, client: socket.socket, server: socket.socket) -> None:
        cut = threading.Event()
        down = threading.Thread(target=self._down, args=(client, server, cut), daemon=True)
        with client, server:
            self._sockets |= {client, server}
            down.start()
            self._up(client, server, cut)
            down.join()
            self._sockets -= {client, server}

    def _up(self, client: socket.socket, server: socket.socket, cut: threading.Event) -> None:
        with suppress(OSError):
            while data := client.recv(1 << 16):
                loss = self._judge(data)
                if loss is not None:
                    cut.set()
                if loss is Loss.BOTH:
                    client.shutdown(socket.SHUT_RDWR)
                    return
                if loss is Loss.REQUEST:
                    break
                server.sendall(data)
        _end(client, server)

    def _down(self, client: socket.socket, server: socket.socket, cut: threading.Event) -> None:
        with suppress(OSError):
            while data := server.recv(1 << 16):
                if cut.is_set():
                    break
                client.sendall(data)
        _end(client, server)

    def _judge(self, data: bytes) -> Loss | None:
        if b"COMMIT\x00" not in data:
            return None
        with self._lock:
            self.seen += 1
            if self._loss is None or self.seen != self._at:
                return None
            self.lost += 1
            return self._loss


@contextmanager
def lossy_proxy(database_url: str) -> Iterator[LossyProxy]:
    """A proxy before that database until the block ends."""
    proxy = LossyProxy(make_url(database_url))
    try:
        yield proxy
    finally:
        proxy.close()


def _connect(server: URL) -> socket.socket:
    folder = str(server.query.get("host", ""))
    port = server.port or 5432
    if not folder.startswith("/"):
        return socket.create_connection((server.host or "127.0.0.1", port))
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(str(Path(folder) / f".s.PGSQL.{port}"))
    except OSError:
        connection.close()
        raise
    return connection


def _end(*sockets: socket.socket) -> None:
    for one in sockets:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
