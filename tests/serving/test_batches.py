"""Batches: what comes while a network computes goes together next, and who has no place is told."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from serving.batches import Batcher, Places
from serving.errors import Busy
from serving.runtime import Images, Logits


def numbered(*numbers: int, side: int = 2) -> Images:
    return np.array(numbers, np.float32).reshape(-1, 1, 1, 1) * np.ones((1, 3, side, side), np.float32)


class Computer:
    """Gives each image its own number; holds every batch until it is let go."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go, self.begun = threading.Semaphore(0), threading.Semaphore(0)

    def run(self, images: Images) -> Logits:
        self.batches.append(images[:, 0, 0, 0].astype(int).tolist())
        self.begun.release()
        assert self.go.acquire(timeout=10)
        if (images < 0).any():
            raise ValueError("below zero")
        return images[:, 0, 0, :1]


@pytest.fixture
def computer() -> Computer:
    return Computer()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


async def asked(batcher: Batcher, *images: Images) -> list[asyncio.Task[Logits]]:
    tasks = [asyncio.create_task(batcher(one)) for one in images]
    await asyncio.sleep(0)
    return tasks


async def begun(computer: Computer) -> None:
    assert await asyncio.to_thread(computer.begun.acquire, timeout=10)


def test_what_waits_goes_together_and_each_gets_its_own(computer: Computer, pool: ThreadPoolExecutor) -> None:
    sizes: list[int] = []

    async def main() -> list[Logits]:
        batcher = Batcher(computer.run, pool, largest=4, at_once=1, tell=sizes.append)
        first = await asked(batcher, numbered(1))
        await begun(computer)
        others = await asked(batcher, numbered(2, 3), numbered(4), numbered(5, 6), numbered(7, side=3), numbered(8))
        computer.go.release(9)
        return await asyncio.gather(*first, *others)

    answers = asyncio.run(main())
    assert [answer[:, 0].tolist() for answer in answers] == [[1], [2, 3], [4], [5, 6], [7], [8]]
    # As long as they fit, in the order of their coming; those of another size are no company.
    assert computer.batches == [[1], [2, 3, 4], [5, 6], [7], [8]]
    assert sizes == [1, 3, 2, 1, 1]


def test_who_asks_again_at_once_is_answered_again(computer: Computer, pool: ThreadPoolExecutor) -> None:
    """Whatever worked on the batch before has not left yet when its answer arrives."""
    computer.go.release(50)

    async def main() -> list[Logits]:
        batcher = Batcher(computer.run, pool, largest=2, at_once=1)
        async with asyncio.timeout(10):
            return [await batcher(numbered(number)) for number in range(50)]

    assert [answer.tolist() for answer in asyncio.run(main())] == [[[number]] for number in range(50)]


def test_more_than_a_batch_has_are_several(computer: Computer, pool: ThreadPoolExecutor) -> None:
    computer.go.release(3)

    async def main() -> Logits:
        return await Batcher(computer.run, pool, largest=2, at_once=1)(numbered(1, 2, 3, 4, 5))

    assert asyncio.run(main())[:, 0].tolist() == [1, 2, 3, 4, 5]
    assert computer.batches == [[1, 2], [3, 4], [5]]


def test_several_batches_are_computed_at_once_where_there_are_cores(
    computer: Computer, pool: ThreadPoolExecutor
) -> None:
    async def main() -> None:
        batcher = Batcher(computer.run, pool, largest=4, at_once=2)
        tasks = await asked(batcher, numbered(1))
        await begun(computer)
        tasks += await asked(batcher, numbered(2))
        await begun(computer)  # The first has not ended.
        computer.go.release(2)
        await asyncio.gather(*tasks)

    asyncio.run(main())


def test_a_batch_that_fails_fails_for_its_own(computer: Computer, pool: ThreadPoolExecutor) -> None:
    async def main() -> list[Logits | BaseException]:
        batcher = Batcher(computer.run, pool, largest=1, at_once=1)
        computer.go.release(3)
        tasks = await asked(batcher, numbered(1), numbered(-1), numbered(2))
        return await asyncio.gather(*tasks, return_exceptions=True)

    one, failed, two = asyncio.run(main())
    assert isinstance(failed, ValueError)
    assert [found.tolist() for found in (one, two) if isinstance(found, np.ndarray)] == [[[1]], [[2]]]


def test_who_has_gone_is_not_computed(computer: Computer, pool: ThreadPoolExecutor) -> None:
    async def main() -> None:
        batcher = Batcher(computer.run, pool, largest=4, at_once=1)
        first, gone, last = await asked(batcher, numbered(1), numbered(2), numbered(3))
        gone.cancel()
        computer.go.release(2)
        await asyncio.gather(first, last)

    asyncio.run(main())
    assert all(2 not in batch for batch in computer.batches)


def test_places_are_given_back() -> None:
    places = Places(3)
    with places.taken(2):
        with pytest.raises(Busy, match="in a moment"), places.taken(2):
            pass
        with places.taken(1):
            pass
    with places.taken(3):
        pass
