"""How devices are, as Linux and nvidia-smi tell it."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from store.workers import Memory
from worker.condition import Instruments, Ticks, parse_gpus, parse_meminfo, parse_stat, share
from worker.devices import Device, cpu


def test_of_the_processor_it_is_that_of_the_machine(tmp_path: Path) -> None:
    instruments = Instruments(cpu(), tmp_path)
    until = time.process_time() + 0.1
    while time.process_time() < until:
        pass
    found = instruments.look()
    pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert found.memory.total == pytest.approx(pages, rel=0.05)
    assert (found.disk, found.disk_free is not None) == (shutil.disk_usage(tmp_path).total, True)
    if Path("/proc/meminfo").exists():
        assert found.memory.used is not None
        assert 0 < found.memory.used < pages
        assert found.utilization is not None
        assert 0 < found.utilization <= 1


def test_what_would_be_given_back_is_not_taken() -> None:
    said = "MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    600 kB\nHugePages_Total:       0\n"
    assert parse_meminfo(said) == Memory(1000 << 10, 400 << 10)


def test_a_processor_that_waits_for_a_disk_is_not_busy() -> None:
    before = parse_stat("cpu  10 0 10 70 10 0 0 0 5 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n")
    assert before == Ticks(20, 100)
    assert share(before, parse_stat("cpu  40 0 20 120 20 0 0 0 5 0\n")) == 0.4
    assert share(before, before) is None, "nothing is known of no time"
    assert share(None, before) is None


def test_several_gpus_are_told_together() -> None:
    assert parse_gpus("81559, 4, 0\n81559, 1020, 90\n") == (Memory(2 * 81559 << 20, 1024 << 20), 0.45)


@pytest.mark.parametrize("said", ["", "[N/A], [N/A], [N/A]\n", "No devices were found\n"])
def test_where_nothing_tells_it_is_not_known(said: str) -> None:
    assert parse_gpus(said) == (Memory(), None)


def test_a_part_of_a_gpu_tells_its_memory_alone() -> None:
    assert parse_gpus("20096, 12, [N/A]\n") == (Memory(20096 << 20, 12 << 20), None)


def test_without_nvidia_smi_nothing_is_known_of_gpus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", "")
    found = Instruments(Device("cuda:0", "GPU"), tmp_path / "none").look()
    assert (found.memory, found.utilization) == (Memory(), None)
