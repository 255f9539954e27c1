"""How much memory a device has, and how much of it is taken: told without CUDA, as everything in a process that supervises."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from store.workers import Memory
from worker.devices import Device

_MEMINFO = Path("/proc/meminfo")

_MIB = 1 << 20

#: That nvidia-smi may take; one that hangs is asked again later.
_PATIENCE_SECONDS = 10.0


def memory_of(device: Device) -> Memory:
    """That of the GPUs of the device, summed; for the processor that of the machine."""
    return _of_machine() if device.name == "cpu" else _of_gpus(device.visible)


def _of_machine() -> Memory:
    if not _MEMINFO.exists():
        return Memory(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return parse_meminfo(_MEMINFO.read_text())


def parse_meminfo(text: str) -> Memory:
    """What Linux says of its memory, in KiB. What it would give back to whoever asks for it is not taken."""
    said = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    total, free = (int(said[name].split()[0]) << 10 for name in ("MemTotal", "MemAvailable"))
    return Memory(total, total - free)


def _of_gpus(visible: str) -> Memory:
    if shutil.which("nvidia-smi") is None:
        return Memory()
    query = ["nvidia-smi", f"--id={visible}", "--query-gpu=memory.total,memory.used", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return Memory()
    return parse_gpus(answer.stdout) if answer.returncode == 0 else Memory()


def parse_gpus(text: str) -> Memory:
    """What nvidia-smi says of some GPUs, a row each, in MiB. Nothing is told of a part of a GPU (MIG)."""
    try:
        rows = [[int(part) for part in row.split(",")] for row in text.splitlines() if row.strip()]
        total, used = (sum(column) * _MIB for column in zip(*rows, strict=True))
    except ValueError:
        return Memory()
    return Memory(total, used)
