"""Threads for the work there is."""

from __future__ import annotations

import pytest
import torch

from dna_engine.runtime.cores import THREAD_WORK, threads


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
