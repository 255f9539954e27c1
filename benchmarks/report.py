"""How every benchmark shows what it found: where it ran, then tables in Markdown."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import version

import numpy as np
import torch

from dna_engine.events import Reporter
from dna_engine.runtime.timing import device_name

PACKAGES = ("torch", "timm", "numpy", "scipy")
LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


class Silent(Reporter):
    """Says nothing while the work is done."""

    def emit(self, event: object) -> None: ...


def print_header(name: str, device: torch.device) -> None:
    """Prints what was run, when, on which device, and with which versions."""
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    versions = ", ".join(f"{package} {version(package)}" for package in PACKAGES)
    print(f"{name}, {now}\n{describe(device)}\nPython {platform.python_version()}, {versions}\n", flush=True)


def describe(device: torch.device) -> str:
    """The device in words."""
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        return f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB"
    return f"CPU: {device_name(device)}, {os.cpu_count()} cores, {torch.get_num_threads()} threads per operation"


def significant(figure: float) -> str:
    """A figure to three digits, however small: what was measured does not become 0."""
    return np.format_float_positional(figure, precision=3, fractional=False, trim="-")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Prints a table in Markdown, columns aligned."""
    table = [list(columns), *(list(row) for row in rows)]
    widths = [max(len(row[place]) for row in table) for place in range(len(columns))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in table
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    print("\n".join(lines) + "\n", flush=True)
