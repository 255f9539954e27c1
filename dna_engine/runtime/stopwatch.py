"""How long a device waits for something, by its own clock: on a GPU what is asked of it and what it has done are not the same moment."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch


class Stopwatch:
    """Sums the seconds in which the device did nothing but what stands in the ``with`` blocks of :meth:`running`, or waited for it."""

    def __init__(self, device: torch.device) -> None:
        self._cuda = device.type == "cuda"
        self._seconds = 0.0
        self._spans: list[tuple[torch.cuda.Event, torch.cuda.Event]] = []

    @contextmanager
    def running(self) -> Iterator[None]:
        """Costs microseconds; on a GPU nothing is waited for."""
        if not self._cuda:
            began = time.perf_counter()
            yield
            self._seconds += time.perf_counter() - began
            return
        span = _event(), _event()
        span[0].record()
        yield
        span[1].record()
        self._spans.append(span)

    def taken(self) -> float:
        """The seconds since this was last asked; waits until a GPU has done all that was asked of it."""
        if self._spans:
            torch.cuda.synchronize()
        seconds: float = self._seconds + sum(first.elapsed_time(last) for first, last in self._spans) / 1000
        self._seconds, self._spans = 0.0, []
        return seconds


def _event() -> torch.cuda.Event:
    return torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
