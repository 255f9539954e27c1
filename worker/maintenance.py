"""What a node does beside its step, in a thread: says that it lives, sends messages, looks for lost work, tidies up."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType

from celery import Celery
from sqlalchemy.exc import SQLAlchemyError

from store import workers
from store.session import transaction
from worker.cleanup import remove_datasets, remove_run_folders
from worker.outbox import relay
from worker.reaper import reap
from worker.slot import Slot

logger = logging.getLogger("dna.worker.maintenance")


#: How often run folders are looked at.
CLEANUP_SECONDS = 60.0


class Maintenance:
    """Runs from the start of the ``with`` block to its end."""

    def __init__(self, slot: Slot, app: Celery) -> None:
        settings = slot.settings
        self._slot = slot
        self._pause = settings.poll_seconds
        self._duties = [
            _Duty(settings.beat_seconds, self._beat),
            _Duty(settings.poll_seconds, lambda: relay(slot.sessions, app)),
            _Duty(settings.reap_seconds, lambda: reap(slot.sessions, settings)),
            _Duty(CLEANUP_SECONDS, lambda: remove_run_folders(slot.sessions, settings.data_dir)),
            _Duty(CLEANUP_SECONDS, lambda: remove_datasets(slot.sessions, settings.datasets_dir)),
            _Duty(settings.beat_seconds, lambda: slot.engines.refresh(after=settings.engine_idle_seconds)),
        ]
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="maintenance", daemon=True)

    def __enter__(self) -> Maintenance:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._done.wait(self._pause):
            for duty in self._duties:
                try:
                    duty.do_if_due()
                except SQLAlchemyError as error:
                    # The next round tries again; a database that is away must not end the node.
                    logger.warning("The database does not answer: %s", error)

    def _beat(self) -> None:
        with transaction(self._slot.sessions) as session:
            workers.beat(session, self._slot.worker.id, current_step_id=self._slot.current)


class _Duty:
    def __init__(self, every: float, work: Callable[[], object]) -> None:
        self._every = every
        self._work = work
        self._last = 0.0

    def do_if_due(self) -> None:
        if time.monotonic() - self._last >= self._every:
            self._last = time.monotonic()
            self._work()
