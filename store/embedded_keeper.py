"""Servers that end by themselves (a full disk, memory that ran out, a kill) are started again, for as long as somebody wants them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from store.errors import StoreError

logger = logging.getLogger("dna.store.embedded")

#: Between two looks; after a start that failed, most likely for want of room, it is waited longer.
LOOK_SECONDS, AGAIN_SECONDS = 1.0, 5.0


@contextmanager
def kept(name: str, revive: Callable[[], bool]) -> Iterator[None]:
    """Looks after a server inside the block.

    Args:
        revive: starts it again where it has ended, and says whether it had; raises StoreError where it cannot be.
    """
    left = threading.Event()
    thread = threading.Thread(target=_keep, args=(name, revive, left), name=f"keeper of {name}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        left.set()
        thread.join()


def _keep(name: str, revive: Callable[[], bool], left: threading.Event) -> None:
    failing = False
    while not left.wait(AGAIN_SECONDS if failing else LOOK_SECONDS):
        try:
            if revive():
                logger.warning("%s had ended by itself; it runs again.", name)
                failing = False
        except (StoreError, OSError) as error:
            if not failing:
                logger.error("%s has ended by itself, and is started again as soon as that works: %s", name, error)
            failing = True
