"""Two machines that have nothing in common but what they reach over the network: PostgreSQL, Redis and an S3.

Each is a network namespace of its own on a wire of its own, which can be cut. Where no namespaces can be made, its processes reach the servers
through ports of its own, which stop to pass anything on when it is cut; what is sent meanwhile arrives when it is healed, as on a wire.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

#: What a server listens on: a port, or the path of a Unix socket.
Place = tuple[str, int] | str

_IP = shutil.which("ip", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


class Relay:
    """Passes on what comes to an address of this machine to a server, and back."""

    def __init__(self, address: str, server: Place) -> None:
        self._server = server
        self._listener = socket.create_server((address, 0))
        self._open = threading.Event()
        self._open.set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def cut(self) -> None:
        self._open.clear()

    def heal(self) -> None:
        self._open.set()

    def close(self) -> None:
        self.heal()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def _join(self, client: socket.socket) -> None:
        self._open.wait()
        family = socket.AF_UNIX if isinstance(self._server, str) else socket.AF_INET
        server = socket.socket(family)
        with client, server, suppress(OSError):
            server.connect(self._server)
            back = threading.Thread(target=self._pass, args=(server, client), daemon=True)
            back.start()
            self._pass(client, server)
            back.join()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while said := source.recv(1 << 16):
                self._open.wait()
                target.sendall(said)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)


@dataclass
class Host:
    """A machine.

    Attributes:
        prefix: of every command that is to run on it.
        address: of the servers, as it sees them.
        ports: of the servers there, by name.
    """

    prefix: list[str]
    address: str
    wire: str | None
    ports: dict[str, int] = field(default_factory=dict)
    relays: list[Relay] = field(default_factory=list)

    def cut(self) -> None:
        """From now on nothing comes from it or gets to it, and nobody is told."""
        if self.wire:
            _ip("link", "set", self.wire, "down")
        else:
            for relay in self.relays:
                relay.cut()

    def heal(self) -> None:
        if self.wire:
            _ip("link", "set", self.wire, "up")
        else:
            for relay in self.relays:
                relay.heal()


@contextmanager
def two_hosts(servers: Mapping[str, Place]) -> Iterator[list[Host]]:
    """Two hosts that reach these servers, inside the block."""
    with ExitStack() as stack:
        hosts = [stack.enter_context(_host(number)) for number in (1, 2)]
        for host in hosts:
            for name, place in servers.items():
                relay = Relay(host.address, place)
                stack.callback(relay.close)
                host.ports[name] = relay.port
                host.relays.append(relay)
        yield hosts


@contextmanager
def _host(number: int) -> Iterator[Host]:
    """In a namespace whose one wire leads to this machine; without one, where none can be made."""
    name = f"dna{os.getpid() % 100_000}x{number}"
    try:
        yield _wired(name, f"10.213.{os.getpid() % 256}", 4 * number)
    finally:
        with suppress(OSError, subprocess.CalledProcessError):
            _ip("netns", "delete", name)


def _wired(name: str, net: str, first: int) -> Host:
    """A namespace with an end of a wire, and the other end here: the second and the first address behind ``first`` in the net."""
    here, there = f"{name}h", f"{name}n"
    try:
        _ip("netns", "add", name)
        _ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", name)
        for where, wire, last in (([], here, first + 1), (["-n", name], there, first + 2)):
            _ip(*where, "addr", "add", f"{net}.{last}/30", "dev", wire)
            _ip(*where, "link", "set", wire, "up")
        _ip("-n", name, "link", "set", "lo", "up")
        return Host([_program(), "netns", "exec", name], f"{net}.{first + 1}", here)
    except (OSError, subprocess.CalledProcessError):
        return Host([], "127.0.0.1", None)


def _program() -> str:
    if _IP is None:
        raise FileNotFoundError("There is no program ip.")
    return _IP


def _ip(*arguments: str) -> None:
    subprocess.run([_program(), *arguments], check=True, capture_output=True)
