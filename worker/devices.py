"""The devices of this machine, found without CUDA: it must not start in a process that supervises."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from store.errors import StoreError


class NoSuchDevice(StoreError):
    pass


@dataclass(frozen=True)
class Device:
    """What the engine is started with: what one step has at a time.

    Attributes:
        name: ``cpu``, or ``cuda:0``, ``cuda:1`` as the machine numbers them; several as ``cuda:0,cuda:1``.
        label: for people, e.g. ``NVIDIA H100``.
        count: of GPUs, or of processes that may train together on the processor.
    """

    name: str
    label: str
    count: int = 1

    @property
    def engine_command(self) -> list[str]:
        """The engine's own command line, by the same Python. It sees its own GPUs only, so to it they begin with the first."""
        return [sys.executable, "-m", "dna_engine", "serve", "--device", "cpu" if self.name == "cpu" else "cuda:0"]

    @property
    def visible(self) -> str:
        """``CUDA_VISIBLE_DEVICES`` of the engine. A list that was given to the worker is narrowed to some of its members."""
        if self.name == "cpu":
            return ""
        given, places = _given(), [name.removeprefix("cuda:") for name in self.name.split(",")]
        return ",".join(given[int(place)] if given else place for place in places)


def find_devices(wanted: str) -> list[Device]:
    """The devices that ``auto``, ``all``, ``cpu``, ``cuda``, ``cuda:1`` or ``0,1`` means here, each once.

    Raises:
        NoSuchDevice: there is no such GPU; the message says how many there are.
    """
    if wanted == "cpu":
        return [cpu()]
    gpus = _gpus()
    if wanted in ("auto", "all"):
        return gpus or [cpu()]
    named = [gpu.name for gpu in gpus] if wanted == "cuda" else _names(wanted)
    lacking = [name for name in named if name not in {gpu.name for gpu in gpus}]
    if lacking or not named:
        raise NoSuchDevice(
            f"DNA_DEVICE or --devices is {wanted}, but nvidia-smi shows {len(gpus)} GPUs to this worker"
            f"{f', not {lacking[0]}' if lacking and gpus else ''}. Ask for cpu, or give it the GPU."
        )
    return [gpu for gpu in gpus if gpu.name in named]


def _names(wanted: str) -> list[str]:
    """``0,cuda:1`` as ``cuda:0`` and ``cuda:1``."""
    return [f"cuda:{part.removeprefix('cuda:')}" for part in wanted.split(",")]


def shared_out(devices: Sequence[Device], per_step: int) -> list[Device]:
    """What each node has for a step: so many devices, of the last one what is left over.

    Raises:
        NoSuchDevice: there are not so many GPUs.
    """
    if [device.name for device in devices] == ["cpu"]:
        return [replace(devices[0], count=per_step)]
    if len(devices) < per_step:
        raise NoSuchDevice(
            f"{per_step} devices per step are asked for, and this worker has {len(devices)} "
            f"{'GPU' if len(devices) == 1 else 'GPUs'}. Ask for at most as many."
        )
    return [_as_one(devices[first : first + per_step]) for first in range(0, len(devices), per_step)]


def _as_one(devices: Sequence[Device]) -> Device:
    if len(devices) == 1:
        return devices[0]
    labels = list(dict.fromkeys(device.label for device in devices))
    return Device(",".join(device.name for device in devices), f"{len(devices)} x {' and '.join(labels)}", len(devices))


def cpu() -> Device:
    """The processor."""
    info = Path("/proc/cpuinfo")
    models = [line for line in info.read_text().splitlines() if line.startswith("model name")] if info.exists() else []
    return Device("cpu", models[0].partition(":")[2].strip() if models else platform.processor() or platform.machine())


def _gpus() -> list[Device]:
    """GPUs that CUDA_VISIBLE_DEVICES leaves to this process, numbered as CUDA numbers them."""
    if shutil.which("nvidia-smi") is None or os.environ.get("CUDA_VISIBLE_DEVICES") == "":
        return []
    query = ["nvidia-smi", "--query-gpu=index,uuid,name", "--format=csv,noheader"]
    answer = subprocess.run(query, capture_output=True, text=True, timeout=30, check=False)
    if answer.returncode != 0:
        return []
    names = {}
    for row in answer.stdout.splitlines():
        index, uuid, name = (part.strip() for part in row.split(",", 2))
        names[index] = names[uuid] = name
    visible = _given() or [key for key in names if key.isdigit()]
    return [Device(f"cuda:{place}", names.get(key, "GPU")) for place, key in enumerate(visible)]


def _given() -> list[str]:
    return [part.strip() for part in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if part.strip()]
