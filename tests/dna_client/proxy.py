"""A TCP proxy that breaks connections: the real server, seen through a bad network."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit


class Proxy:
    """Forwards to ``target``; the nth connection breaks after ``cuts[n]`` bytes of answer, later ones not at all."""

    def __init__(self, target: str, cuts: list[int]) -> None:
        parsed = urlsplit(target)
        self._target = (parsed.hostname, parsed.port)
        self._cuts = list(cuts)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.connections = 0
        self.requests: list[bytes] = []

    def serve(self) -> None:
        with contextlib.suppress(OSError):  # The listener is closed at the end.
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                cut = self._cuts.pop(0) if self._cuts else None
                threading.Thread(target=self._forward, args=(client, cut), daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _forward(self, client: socket.socket, cut: int | None) -> None:
        with client, socket.create_connection(self._target) as server:
            up = threading.Thread(target=self._send_up, args=(client, server), daemon=True)
            up.start()
            _copy(server, client, cut)
            for end in (client, server):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            up.join()

    def _send_up(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(1 << 16):
                self.requests.append(data)
                server.sendall(data)


def _copy(source: socket.socket, target: socket.socket, cut: int | None) -> None:
    left = cut
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data if left is None else data[:left])
            if left is not None:
                left -= len(data)
                if left <= 0:
                    return


@contextlib.contextmanager
def proxy(target: str, cuts: list[int]) -> Iterator[Proxy]:
    made = Proxy(target, cuts)
    thread = threading.Thread(target=made.serve, daemon=True)
    thread.start()
    yield made
    made.close()
    thread.join(5)
