"""What is waited for batches: measured, and told where it is much."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import torch

from dna_engine.images.info import DatasetInfo
from dna_engine.runtime.stopwatch import Stopwatch
from dna_engine.training import loading, splits
from dna_engine.training.batches import Batch
from dna_engine.training.loading import Loading
from tests.dna_engine.training.sets import CPU, digits, load_folder


def slow(batches: int, seconds: float) -> Iterator[Batch]:
    for _ in range(batches):
        time.sleep(seconds)
        yield torch.zeros(1), torch.zeros(1)


def test_what_is_waited_for_is_told_once_with_what_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "KNOWN_AFTER", 0.0)
    found = Loading(digits().train, CPU)
    batches = slow(3, 0.05)
    for _ in range(3):
        found.next(batches)
    assert found.warning("winner", 30, 0.2) is None, "before it is counted"
    found.count()
    assert found.warning("winner", 30, 1e6) is None, "little of the whole"
    rates = found.rates(30, 1.0)
    assert 0.15 <= rates["waited"] < 1
    assert rates["loader_images_per_second"] == pytest.approx(30 / rates["waited"], rel=0.01)
    assert rates["step_images_per_second"] == pytest.approx(30 / (1 - rates["waited"]), rel=0.01)
    said = found.warning("winner", 30, 0.2)
    assert said is not None
    assert "The training of winner waits for its images" in said
    assert "a recipe that changes less, such as quick" in said
    assert found.warning("winner", 30, 0.2) is None
    again = Loading(digits().train, CPU)
    again.resume(found.state())
    assert again.rates(30, 1.0) == rates


def test_of_decoded_pictures_the_rate_is_that_of_the_processes(
    folder: DatasetInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(splits, "IN_MEMORY", 0)
    monkeypatch.setattr(loading, "KNOWN_AFTER", 0.0)
    train = load_folder(folder).train
    found = Loading(train, CPU)
    batches = train.batches(15, epochs=1, seed=0)
    for _ in range(3):
        found.next(batches)
    found.count()
    preparing = train.seconds_preparing()
    assert preparing
    assert found.rates(45, 100.0)["loader_images_per_second"] == pytest.approx(45 / preparing, rel=0.01)
    said = found.warning("winner", 45, 1e-3)
    assert said is not None
    assert "give the worker more cores" in said


def test_a_stopwatch_begins_anew_when_it_is_asked() -> None:
    watch = Stopwatch(CPU)
    for _ in range(2):
        with watch.running():
            time.sleep(0.01)
    assert watch.taken() >= 0.02
    assert watch.taken() == 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpus_own_clock_counts_what_it_does_and_waits_for() -> None:
    device = torch.device("cuda:0")
    watch, numbers = Stopwatch(device), torch.rand(4096, 4096, device=device)
    for _ in range(50):  # Asked of it, not done: none of it is waited for.
        numbers = numbers @ numbers
    with watch.running():
        time.sleep(0.001)
    torch.cuda.synchronize()
    with watch.running():
        time.sleep(0.05)
    assert 0.045 <= watch.taken() < 0.2
