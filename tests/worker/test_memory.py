"""What devices have of memory, as Linux and nvidia-smi tell it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from store.workers import Memory
from worker.devices import Device, cpu
from worker.memory import memory_of, parse_gpus, parse_meminfo


def test_of_the_processor_it_is_that_of_the_machine() -> None:
    found = memory_of(cpu())
    pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert found.total == pytest.approx(pages, rel=0.05)
    if Path("/proc/meminfo").exists():
        assert found.used is not None
        assert 0 < found.used < pages


def test_what_would_be_given_back_is_not_taken() -> None:
    said = "MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    600 kB\nHugePages_Total:       0\n"
    assert parse_meminfo(said) == Memory(1000 << 10, 400 << 10)


def test_several_gpus_have_it_together() -> None:
    assert parse_gpus("81559, 4\n81559, 1020\n") == Memory(2 * 81559 << 20, 1024 << 20)


@pytest.mark.parametrize("said", ["", "[N/A], [N/A]\n", "No devices were found\n"])
def test_where_nothing_tells_it_is_not_known(said: str) -> None:
    assert parse_gpus(said) == Memory()


def test_without_nvidia_smi_nothing_is_known_of_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert memory_of(Device("cuda:0", "GPU")) == Memory()
