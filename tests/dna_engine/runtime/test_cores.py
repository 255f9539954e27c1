"""Threads for the work there is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from dna_engine.runtime.cores import THREAD_WORK, available, threads


@pytest.mark.parametrize(("multiply_adds", "count"), [(0.0, 1), (2.9 * THREAD_WORK, 2), (1e12, 3)])
def test_small_operations_take_few_threads_and_none_more_than_there_are(multiply_adds: float, count: int) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with threads(multiply_adds) as given:
            assert (given, torch.get_num_threads()) == (count, count)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("quota", "most"),
    [
        ("max 100000", None),
        ("100000 100000", 1),
        ("150000 100000", 2),
        ("50000 100000", 1),
        ("6400000 100000", 64),
        ("", None),
    ],
)
def test_of_a_share_of_the_time_of_cores_so_many_are_used(quota: str, most: int | None, tmp_path: Path) -> None:
    seen = len(os.sched_getaffinity(0))
    (tmp_path / "cpu.max").write_text(quota)
    assert available(tmp_path / "cpu.max") == (seen if most is None else min(seen, most))
    assert available(tmp_path / "nowhere") == seen
