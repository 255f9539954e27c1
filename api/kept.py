"""Answers that are kept for as long as what they tell of is as it was."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TypeVar

from fastapi import Response

Name = TypeVar("Name", bound=Hashable)

#: Bytes that are kept beside a body.
_BESIDE = 1000


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
        [body] = self.bodies({name: made_of}, lambda _: {name: make()})
        return body

    def bodies(
        self, made_of: Mapping[Name, Hashable], make: Callable[[Sequence[Name]], Mapping[Name, bytes]]
    ) -> list[bytes]:
        """The same of several, in order, where ``make`` makes those that lack at once; what it does not make, there is no more."""
        with self._lock:
            found = {name: self._known(name, whole) for name, whole in made_of.items()}
        if lacking := [name for name, body in found.items() if body is None]:
            made = make(lacking)
            with self._lock:
                for name, body in made.items():
                    self._keep(name, made_of[name], body)
            found |= {name: made.get(name) for name in lacking}
        return [body for body in found.values() if body is not None]

    def _known(self, name: Hashable, made_of: Hashable) -> bytes | None:
        kept = self._bodies.get(name)
        if kept is None or kept[0] != made_of:
            return None
        self._bodies.move_to_end(name)
        return kept[1]

    def _keep(self, name: Hashable, made_of: Hashable, body: bytes) -> None:
        if (before := self._bodies.pop(name, None)) is not None:
            self._bytes -= _size(before[1])
        self._bodies[name] = (made_of, body)
        self._bytes += _size(body)
        while self._bytes > self._most_bytes:
            self._bytes -= _size(self._bodies.popitem(last=False)[1][1])


def _size(body: bytes) -> int:
    """With what it was made of, which is about as long for all."""
    return len(body) + _BESIDE
