"""How a device and a disk are: what memory they have, how much of it is taken, how busy they are. Told without CUDA, as everything in a
process that supervises."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dna_engine.disk import free, total
from store.workers import Condition, Memory
from worker.devices import Device

_MEMINFO, _STAT = Path("/proc/meminfo"), Path("/proc/stat")

_MIB = 1 << 20

#: That nvidia-smi may take; one that hangs is asked again later.
_PATIENCE_SECONDS = 10.0

_ASKED = "memory.total,memory.used,utilization.gpu"


class Instruments:
    """Looks at a device and at the disk of a folder. How busy the processor was is told of the time between two looks."""

    def __init__(self, device: Device, folder: Path) -> None:
        self._device = device
        self._folder = folder
        self._ticks = _ticks()

    def look(self) -> Condition:
        """Of several GPUs what they have together, and how busy they are on average; of the processor what is so of the machine."""
        memory, utilization = self._of_machine() if self._device.name == "cpu" else _of_gpus(self._device.visible)
        return Condition(memory, utilization, total(self._folder), free(self._folder))

    def _of_machine(self) -> tuple[Memory, float | None]:
        before, self._ticks = self._ticks, _ticks()
        return _memory_of_machine(), share(before, self._ticks)


@dataclass(frozen=True)
class Ticks:
    """Of all processors since the machine was started, in some unit: those with something to do, and all."""

    busy: int
    every: int


def share(before: Ticks | None, now: Ticks | None) -> float | None:
    """Between two looks, 0 to 1."""
    if before is None or now is None or now.every <= before.every:
        return None
    return min(1.0, max(0.0, (now.busy - before.busy) / (now.every - before.every)))


def parse_stat(text: str) -> Ticks:
    """What Linux says of its processors: ``cpu``, then user, nice, system, idle, iowait, irq, softirq, steal; what follows is part of user."""
    times = [int(part) for part in text.split("\n", 1)[0].split()[1:9]]
    return Ticks(sum(times) - sum(times[3:5]), sum(times))


def _ticks() -> Ticks | None:
    return parse_stat(_STAT.read_text()) if _STAT.exists() else None


def _memory_of_machine() -> Memory:
    if not _MEMINFO.exists():
        return Memory(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return parse_meminfo(_MEMINFO.read_text())


def parse_meminfo(text: str) -> Memory:
    """What Linux says of its memory, in KiB. What it would give back to whoever asks for it is not taken."""
    said = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    every, left = (int(said[name].split()[0]) << 10 for name in ("MemTotal", "MemAvailable"))
    return Memory(every, every - left)


def _of_gpus(visible: str) -> tuple[Memory, float | None]:
    if shutil.which("nvidia-smi") is None:
        return Memory(), None
    query = ["nvidia-smi", f"--id={visible}", f"--query-gpu={_ASKED}", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return Memory(), None
    return parse_gpus(answer.stdout) if answer.returncode == 0 else (Memory(), None)


def parse_gpus(text: str) -> tuple[Memory, float | None]:
    """What nvidia-smi says of some GPUs, a row each: MiB, MiB, per cent. Nothing is told of a part of a GPU (MIG)."""
    rows = [row.split(",") for row in text.splitlines() if row.strip()]
    columns = [_numbers(column) for column in zip(*rows, strict=True)] if rows else []
    if len(columns) != len(_ASKED.split(",")):
        return Memory(), None
    every, used, busy = columns
    memory = Memory(sum(every) * _MIB, sum(used) * _MIB) if every and used else Memory()
    return memory, sum(busy) / len(busy) / 100 if busy else None


def _numbers(column: Sequence[str]) -> list[int] | None:
    try:
        return [int(part) for part in column]
    except ValueError:  # [N/A]
        return None
