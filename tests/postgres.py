"""A PostgreSQL that a test may freeze or stop without harm to the others."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil


class SparePostgres:
    """A migrated database on a server of its own.

    Attributes:
        url: of the database; the same after the server was stopped and started.
    """

    def __init__(self, url: str, data: Path) -> None:
        self.url = url
        self._data = data
        self._started: list[subprocess.Popen[bytes]] = []

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Inside the block the server takes connections and says nothing."""
        server = self._server()
        server.suspend()  # First, so that no child is born meanwhile.
        children = server.children()
        for child in children:
            child.suspend()
        try:
            yield
        finally:
            for process in (*children, server):
                process.resume()

    @contextmanager
    def away(self, stop: signal.Signals = signal.SIGINT) -> Iterator[None]:
        """Inside the block there is no server; at its end one is starting, and may not take connections yet.

        Args:
            stop: SIGINT: what is open is rolled back; SIGQUIT: it dies on the spot, and recovers from its log.
        """
        server = self._server()
        command, user, group = server.cmdline(), server.uids().real, server.gids().real
        server.send_signal(stop)
        self.close()
        server.wait(30.0)
        try:
            yield
        finally:
            ids = {"user": user, "group": group, "extra_groups": []} if user != os.getuid() else {}
            with (self._data.parent / "log").open("ab") as log:
                self._started.append(subprocess.Popen(command, cwd="/", stdout=log, stderr=log, **ids))  # type: ignore[call-overload]

    def may_write(self, folder: Path) -> None:
        """Gives the folder to the user that the server runs as."""
        uids, gids = self._server().uids(), self._server().gids()
        os.chown(folder, uids.real, gids.real)

    def close(self) -> None:
        """Waits for servers that this process has started and that were told to stop."""
        while self._started:
            self._started.pop().wait(30.0)

    def _server(self) -> psutil.Process:
        return psutil.Process(int((self._data / "postmaster.pid").read_text().split("\n", 1)[0]))
