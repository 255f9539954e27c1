"""How independent pieces of work share the cores of a CPU: side by side, one thread for each operation.

More threads inside an operation would wait for each other on small maps, and would change the order of its sums with the
number of cores; so results are the same to the bit on machines of any size.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import torch

#: Where a container of Linux (cgroup v2) finds how much of the processors it may have: microseconds of them, in so many.
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def available(quota: Path = _QUOTA) -> int:
    """Cores that this process may run on, which in a container may be fewer than the machine's: by number, or by a share of their time."""
    seen = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        most, period = quota.read_text().split()
    except (OSError, ValueError):
        return seen
    return seen if most == "max" else min(seen, max(1, math.ceil(int(most) / int(period))))


#: Multiply-adds in one operation that are worth another thread: waking it costs as much as tens of thousands of them.
THREAD_WORK = 4e6


@contextmanager
def threads(multiply_adds: float) -> Iterator[int]:
    """Operations on the CPU take as many threads as they have work for, until the block is left; gives how many.

    Small networks are faster on one thread, and much faster where other processes want the cores too.

    Args:
        multiply_adds: of one operation on a batch, on average.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, min(before, int(multiply_adds / THREAD_WORK))))
    try:
        yield torch.get_num_threads()
    finally:
        torch.set_num_threads(before)


@contextmanager
def cores(device: torch.device) -> Iterator[ThreadPoolExecutor]:
    """A pool of as many threads as there are cores; on a GPU of one, which feeds it in order.

    Until it is left, operations on the CPU take one thread each, here and in the pool.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    workers = available() if device.type == "cpu" else 1
    try:
        with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            yield pool
    finally:
        torch.set_num_threads(before)
