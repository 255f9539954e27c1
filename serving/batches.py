"""Dynamic batching: what comes while a network computes goes through it together next. Nobody waits for company.

KServe's own batcher is a container beside the server, which a server of one process cannot have.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np

from serving.errors import Busy
from serving.runtime import Images, Logits

Asked = tuple[Images, "asyncio.Future[Logits]"]


class Batcher:
    """Gathers the images of requests into batches of a network. Of one event loop.

    Args:
        run: gives the logits of a batch; called in the pool.
        largest: images of a batch.
        at_once: batches that may be computed at the same time.
        tell: is told how many images each batch has.
    """

    def __init__(
        self,
        run: Callable[[Images], Logits],
        pool: ThreadPoolExecutor,
        *,
        largest: int,
        at_once: int,
        tell: Callable[[int], object] = lambda _: None,
    ) -> None:
        self._run, self._pool = run, pool
        self._largest, self._at_once, self._tell = largest, at_once, tell
        self._waiting: deque[Asked] = deque()
        self._at_work = 0
        self._workers: set[asyncio.Task[None]] = set()  # The event loop itself would not keep them.

    async def __call__(self, images: Images) -> Logits:
        """The logits (N, classes) of N images; more than a batch has are several batches."""
        starts = range(0, len(images), self._largest)
        answers = [self._ask(images[start : start + self._largest]) for start in starts]
        return np.concatenate(await asyncio.gather(*answers)) if len(answers) > 1 else await answers[0]

    def _ask(self, images: Images) -> asyncio.Future[Logits]:
        answer: asyncio.Future[Logits] = asyncio.get_running_loop().create_future()
        self._waiting.append((images, answer))
        if self._at_work < self._at_once:
            self._at_work += 1
            worker = asyncio.create_task(self._work())
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)
        return answer

    async def _work(self) -> None:
        while batch := self._next():
            await self._answer(batch)
        self._at_work -= 1  # At once: whoever asks before this task has ended needs another.

    def _next(self) -> list[Asked]:
        """Those that have waited longest and fit together; not those who have gone since."""
        batch: list[Asked] = []
        room = self._largest
        while self._waiting and self._fits(self._waiting[0][0], batch, room):
            images, answer = self._waiting.popleft()
            if not answer.done():
                batch.append((images, answer))
                room -= len(images)
        return batch

    @staticmethod
    def _fits(images: Images, batch: list[Asked], room: int) -> bool:
        return len(images) <= room and (not batch or images.shape[1:] == batch[0][0].shape[1:])

    async def _answer(self, batch: list[Asked]) -> None:
        parts = [images for images, _ in batch]
        self._tell(sum(map(len, parts)))
        try:
            logits = await asyncio.get_running_loop().run_in_executor(self._pool, self._together, parts)
        except Exception as error:
            for _, answer in batch:
                if not answer.done():
                    answer.set_exception(error)
            return
        ends = np.cumsum([len(images) for images in parts])[:-1]
        for part, (_, answer) in zip(np.split(logits, ends), batch, strict=True):
            if not answer.done():  # Who asked may have gone.
                answer.set_result(part)

    def _together(self, parts: list[Images]) -> Logits:
        return self._run(parts[0] if len(parts) == 1 else np.concatenate(parts))


class Places:
    """So many images a network may have in hand; of one event loop."""

    def __init__(self, most: int) -> None:
        self._free = most

    @contextmanager
    def taken(self, images: int) -> Iterator[None]:
        """Places for as many images, until they are answered.

        Raises:
            Busy: there are not so many free.
        """
        if images > self._free:
            raise Busy("The server has as many images in hand as it takes; send this again in a moment.")
        self._free -= images
        try:
            yield
        finally:
            self._free += images
