"""Answers that are kept for as long as what they tell of is as it was."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

from fastapi import Response


class Json(Response):
    """A body that is JSON already."""

    media_type = "application/json"


class Kept:
    """Bodies by name, each with what it was made of; those asked for last, up to so many bytes. Safe to use from several threads."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._bodies: OrderedDict[Hashable, tuple[Hashable, bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def body(self, name: Hashable, made_of: Hashable, make: Callable[[], bytes]) -> bytes:
        """The body of that name, made anew where it is not kept, or was made of something else.

        Args:
            made_of: what is known of everything that the body tells of, looked at before ``make`` reads it: what changes in between makes
                the next answer be made anew.
        """
        with self._lock:
            known, body = self._bodies.get(name, (None, b""))
            if known == made_of and name in self._bodies:
                self._bodies.move_to_end(name)
                return body
        body = make()
        self._keep(name, made_of, body)
        return body

    def _keep(self, name: Hashable, made_of: Hashable, body: bytes) -> None:
        with self._lock:
            self._bytes += len(body) - len(self._bodies.pop(name, (None, b""))[1])
            self._bodies[name] = (made_of, body)
            while self._bytes > self._most_bytes:
                self._bytes -= len(self._bodies.popitem(last=False)[1][1])
