"""Benchmarks side by side: they get ready together, and measure one by one."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from benchmarks import turns

DEVICE = torch.device("cpu")


class Other:
    """Another process, as far as the lock can tell: one that has opened the file itself."""

    def __init__(self) -> None:
        self.file = os.open(turns.lock_file(), os.O_RDWR | os.O_CREAT, 0o600)

    def can(self, operation: int) -> bool:
        try:
            fcntl.flock(self.file, operation | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        fcntl.flock(self.file, fcntl.LOCK_UN)
        return True

    @property
    def can_get_ready(self) -> bool:
        return self.can(fcntl.LOCK_SH)

    @property
    def can_measure(self) -> bool:
        return self.can(fcntl.LOCK_EX)


@pytest.fixture
def other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Other]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    turns._lock.cache_clear()
    other = Other()
    yield other
    os.close(other.file)
    os.close(turns._lock())
    turns._lock.cache_clear()


def test_nobody_else_works_while_one_measures(other: Other) -> None:
    with turns.among_others():
        assert other.can_get_ready
        assert not other.can_measure
        with turns.alone(DEVICE):
            assert not other.can_get_ready
            assert not other.can_measure
        assert other.can_get_ready
        assert not other.can_measure


def test_one_that_is_done_or_has_failed_holds_nobody_up(other: Other) -> None:
    """Though its process goes on, as that of these tests does."""
    with turns.among_others(), turns.alone(DEVICE):
        pass
    assert other.can_measure
    with pytest.raises(ZeroDivisionError), turns.among_others(), turns.alone(DEVICE):
        raise ZeroDivisionError
    assert other.can_measure
