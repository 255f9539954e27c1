"""Decodes pictures of strangers in threads: as many at once as fit into an amount of memory, whoever asks for them."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain
from typing import TypeVar

from dna_engine.errors import Interrupted
from dna_engine.images.check.facts import Facts, Fault, examine
from dna_engine.images.pictures.file import PictureFile
from dna_engine.images.pictures.picture import memory_needed

#: Pictures that a thread takes at once: an archive has many, and each task takes memory too.
_BATCH = 32
_MOST_THREADS = 8

File = TypeVar("File", bound=PictureFile)


class Budget:
    """An amount that several threads take from and give back; who asks for more than is left waits, in turn."""

    def __init__(self, total: int) -> None:
        self.total = total
        self._left = total
        self._turn = threading.Lock()
        self._freed = threading.Condition()

    @contextmanager
    def take(self, amount: int) -> Iterator[None]:
        """Holds ``amount``, at most the total, for the block."""
        with self._turn, self._freed:  # One waits at a time, so that a large amount is not passed by for ever.
            self._freed.wait_for(lambda: self._left >= amount)
            self._left -= amount
        try:
            yield
        finally:
            with self._freed:
                self._left += amount
                self._freed.notify()


class Decoder:
    """Threads and memory for decoding, shared by all who hold it."""

    def __init__(self, memory: int) -> None:
        self._budget = Budget(memory)
        self._threads = ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1), thread_name_prefix="decoder")

    def faults(self, paths: Sequence[File], stopped: Callable[[], bool]) -> Iterator[tuple[File, str]]:
        """The pictures that cannot be used, in their order, each with what is wrong with it.

        Raises:
            Interrupted: ``stopped``, which is asked before each picture, said so.
        """
        return ((path, found.reason) for path, found in self.examined(paths, stopped) if isinstance(found, Fault))

    def examined(self, paths: Sequence[File], stopped: Callable[[], bool]) -> Iterator[tuple[File, Facts | Fault]]:
        """Every picture, in their order, with what is known of it or what is wrong with it.

        Raises:
            Interrupted: ``stopped``, which is asked before each picture, said so.
        """

        def look(batch: Sequence[File]) -> list[tuple[File, Facts | Fault]]:
            return [(path, self._examined(path, stopped)) for path in batch]

        batches = [paths[start : start + _BATCH] for start in range(0, len(paths), _BATCH)]
        return chain.from_iterable(self._threads.map(look, batches))

    def _examined(self, path: PictureFile, stopped: Callable[[], bool]) -> Facts | Fault:
        if stopped():
            raise Interrupted("Nobody waits for the pictures any more.")
        try:
            size = path.stat().st_size
        except OSError as error:
            return Fault(f"{type(error).__name__}: {error.strerror}")
        # The head of a file is read for nothing but the notes in it, which are smaller than the file; then it is read again.
        with self._budget.take(min(2 * size, self._budget.total)):
            needed = memory_needed(path)
        if needed > self._budget.total:
            return Fault(
                f"decoding it takes {needed:,} bytes of memory, more than {self._budget.total:,}: save it with fewer pixels, or "
                "as a JPEG that is not progressive"
            )
        with self._budget.take(needed):
            return examine(path)

    def close(self) -> None:
        """Lets the threads go."""
        self._threads.shutdown(cancel_futures=True)
