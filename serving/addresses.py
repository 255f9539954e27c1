"""Addresses that the server listens on."""

from __future__ import annotations

import socket

from serving.errors import CannotServe


def bound(host: str, port: int, protocol: str, option: str) -> socket.socket:
    """A socket of that address on which nobody is answered yet.

    Raises:
        CannotServe: the port is taken, or the address is none of this machine.
    """
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError as error:
        made.close()
        raise CannotServe(
            f"{protocol} cannot listen on {host}, port {port}: {error.strerror or error}. Choose another with {option}; "
            f"{option} 0 takes a free one."
        ) from error
    return made


def address(bound: socket.socket) -> str:
    host, port, *_ = bound.getsockname()
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
