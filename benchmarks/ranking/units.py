"""The units of a study done here, or in processes side by side, which must find what they run by its module: no ``__main__`` is one."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from benchmarks.ranking.study import Settings, Study
from dna_engine.runtime.context import choose_device, prepare


def run(study: Study, units: Sequence[str], device: str | None, jobs: int) -> Iterator[tuple[int, str]]:
    """Does what is missing, here or in several processes; gives units as they are done, and how many are."""
    missing = [unit for unit in units if not (study.folder / unit).exists()]
    finished = _here(study, device, missing) if jobs == 1 else _side_by_side(study, device, missing, jobs)
    return enumerate(finished, start=len(units) - len(missing) + 1)


def _here(study: Study, device: str | None, units: Sequence[str]) -> Iterator[str]:
    for unit in units:
        _work(study.folder, study.settings, unit, device)
        yield unit


def _side_by_side(study: Study, device: str | None, units: Sequence[str], jobs: int) -> Iterator[str]:
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        futures = {pool.submit(_work, study.folder, study.settings, unit, device): unit for unit in units}
        for future in as_completed(futures):
            future.result()
            yield futures[future]


def _work(folder: Path, settings: Settings, unit: str, device_name: str | None) -> None:
    device = choose_device(device_name)
    prepare(device)
    Study(folder, settings).work(unit, device)
