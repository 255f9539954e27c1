"""Benchmarks side by side on one device: they get ready together, and each measures while no other does anything.

What a GPU's first steps take is choosing and compiling kernels, on the host: so several benchmarks warm up at once. A process gets
ready under a shared lock; to measure it gives that up and waits for the exclusive one, which it gets when every other waits to
measure too, or is done.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import torch


def lock_file() -> Path:
    """Of this user on this machine."""
    return Path(tempfile.gettempdir()) / f"dna-benchmarks-{os.getuid()}.lock"


@cache
def _lock() -> int:
    """This process's own handle of the file, until it ends."""
    return os.open(lock_file(), os.O_RDWR | os.O_CREAT, 0o600)


@contextmanager
def among_others() -> Iterator[None]:
    """While this process gets ready, and measures where it is :func:`alone`; begins when no other measures."""
    fcntl.flock(_lock(), fcntl.LOCK_SH)
    try:
        yield
    finally:
        fcntl.flock(_lock(), fcntl.LOCK_UN)


@contextmanager
def alone(device: torch.device) -> Iterator[None]:
    """While something is measured, :func:`among_others`. What this process has queued on a GPU is done before any other measures."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    fcntl.flock(_lock(), fcntl.LOCK_UN)
    fcntl.flock(_lock(), fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(_lock(), fcntl.LOCK_SH)
