"""Work of a study cut into units that leave files: here, or in processes side by side."""

from __future__ import annotations

import functools
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch

from benchmarks.macro.study import Settings, Study
from dna_engine.runtime.context import prepare
from dna_engine.runtime.cores import cores

#: What one process does, by name. Other processes must find the function by its module, which no ``__main__`` is.
Unit = tuple[str, Callable[[Study], None]]


def processes(jobs: int) -> AbstractContextManager[Executor | None]:
    """So many to work side by side; none for one job, which is done here."""
    return nullcontext() if jobs == 1 else ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"))


def run(study: Study, units: Iterator[Unit], pool: Executor | None) -> None:
    """All units, here or in the processes; tells of each when it is done."""
    began, todo = time.monotonic(), list(units)
    finished = _here(study, todo) if pool is None else _side_by_side(study, todo, pool)
    for number, name in enumerate(finished, start=1):
        print(f"{time.monotonic() - began:8.0f} s  {number}/{len(todo)}  {name}", flush=True)


def _here(study: Study, units: Sequence[Unit]) -> Iterator[str]:
    prepare(study.device)
    with cores(study.device):
        for name, work in units:
            work(study)
            yield name


def _side_by_side(study: Study, units: Sequence[Unit], pool: Executor) -> Iterator[str]:
    futures = {pool.submit(_work, study.folder, study.settings, study.device, work): name for name, work in units}
    for future in as_completed(futures):
        future.result()
        yield futures[future]


def _work(folder: Path, settings: Settings, device: torch.device, work: Callable[[Study], None]) -> None:
    work(_study(folder, settings, device))


@functools.cache
def _study(folder: Path, settings: Settings, device: torch.device) -> Study:
    """Kept by its process, with its images."""
    prepare(device)
    torch.set_num_threads(1)
    return Study(folder, settings, device)
