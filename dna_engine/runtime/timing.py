"""How long things take, and where: calls timed in turns, and the names of devices."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch

from dna_engine.plans.results import Timed


def nanoseconds(calls: Mapping[str, Callable[[], object]], *, warm_up: int, runs: int) -> dict[str, list[int]]:
    """What each call took, so many times after a warm-up. They take turns, so that whatever slows the machine down meets them all."""
    times: dict[str, list[int]] = {name: [] for name in calls}
    for turn in range(warm_up + runs):
        for name, call in calls.items():
            began = time.perf_counter_ns()
            call()
            if turn >= warm_up:
                times[name].append(time.perf_counter_ns() - began)
    return times


def summarize(times: list[int]) -> Timed:
    """The median and the 95th percentile of nanoseconds."""
    median, late = np.percentile(times, (50, 95)) / 1e6
    return Timed(median_ms=float(median), p95_ms=float(late), runs=len(times))


def device_name(device: torch.device) -> str:
    """What the device is, such as ``NVIDIA H100 80GB HBM3`` or ``AMD EPYC 9554``, as its maker names it."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else _processor()


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
