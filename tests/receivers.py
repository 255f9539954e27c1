"""Receivers of webhooks on loopback: real HTTP servers that take down what they are sent, and answer as a test tells them."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Request:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """Attributes:
    seen: requests as they came.
    statuses: of the next answers; 204 when there are no more.
    headers, body: of every answer.
    behave: in place of an answer, given the handler.
    """

    port: int = 0
    seen: list[Request] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    behave: Callable[[BaseHTTPRequestHandler], None] | None = None
    came: threading.Condition = field(default_factory=threading.Condition)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def wait(self, count: int, *, seconds: float = 60.0) -> list[Request]:
        """The requests, once there are so many."""
        with self.came:
            assert self.came.wait_for(lambda: len(self.seen) >= count, seconds), f"{len(self.seen)} of {count} came"
            return list(self.seen)


@contextmanager
def receiver(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """One that answers inside the block."""
    told = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            with told.came:
                told.seen.append(
                    Request(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
                )
                told.came.notify_all()
                status = told.statuses.pop(0) if told.statuses else 204
            if told.behave is not None:
                told.behave(self)
                return
            self.send_response(status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(told.body)))
            self.end_headers()
            self.wfile.write(told.body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # Senders that give up are what is tested.
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    told.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield told
    server.shutdown()
    server.server_close()


def drip(handler: BaseHTTPRequestHandler) -> None:
    """An answer of a byte now and then, without end."""
    try:
        for byte in b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 10_000:
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
            time.sleep(0.05)
    except OSError:
        pass
