"""What a node does beside its step: says that it lives, sends messages, looks for lost work, tidies up."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import TracebackType

from celery import Celery
from redis import RedisError
from sqlalchemy.exc import SQLAlchemyError

from store import rounds, workers
from store.files import discard_loose
from store.migrate import head, revision
from store.session import transaction
from store.workers import Condition
from worker.broker import answers
from worker.cleanup import remove_datasets, remove_leftovers, remove_run_folders
from worker.condition import Instruments
from worker.handover import QUEUE, ask
from worker.housekeeping import keep_house
from worker.outbox import relay
from worker.preemption import make_way
from worker.reaper import reap, rewake
from worker.slot import Slot

logger = logging.getLogger("dna.worker.maintenance")


#: How often run folders are looked at.
CLEANUP_SECONDS = 60.0


class Maintenance:
    """Runs from the start of the ``with`` block to its end. Each duty has a thread: none waits for another, or ends with it."""

    def __init__(self, slot: Slot, app: Celery) -> None:
        settings, sessions = slot.settings, slot.sessions
        self._slot = slot
        self._instruments = Instruments(slot.device, settings.data_dir)
        self._heard = time.monotonic()
        self._schema: str | None = head()
        self._duties = [
            Duty("heartbeat", settings.beat_seconds, self._beat),
            Duty("look at its device", settings.beat_seconds, self._look),
            Duty("question to Redis", settings.beat_seconds, self._ask_redis),
            Duty("relay", settings.poll_seconds, lambda: relay(sessions, app)),
            Duty("reaper", settings.reap_seconds, lambda: reap(sessions)),
            Duty("deletion of loose files", settings.reap_seconds, lambda: discard_loose(sessions, slot.blobs)),
            Duty("search for lost messages", settings.reap_seconds, self._rewake),
            Duty("preemption", settings.reap_seconds, self._make_way),
            Duty("hand-over", settings.beat_seconds, self._ask_for_cells),
            Duty("removal of run folders", CLEANUP_SECONDS, self._remove_run_folders),
            Duty("removal of datasets", CLEANUP_SECONDS, lambda: remove_datasets(sessions, settings.datasets_dir)),
            Duty("removal of leftovers", settings.tidy_seconds, lambda: remove_leftovers(settings)),
            Duty("housekeeping", settings.tidy_seconds, lambda: keep_house(slot)),
            Duty(
                "renewal of an idle engine",
                settings.beat_seconds,
                lambda: slot.engines.refresh(after=settings.engine_idle_seconds),
            ),
        ]

    def __enter__(self) -> Maintenance:
        for duty in self._duties:
            duty.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for duty in self._duties:
            duty.leave()
        for duty in self._duties:
            duty.join()

    def check(self) -> None:
        """Looks whether this node may take work: others must see that it lives, or they cannot tell when it is lost.

        Raises:
            Unfit: the database was migrated by another version, a duty has ended, or nothing was heard of this node for as long as makes it count as dead.
        """
        if self._schema != head():
            raise Unfit(
                f"This node claims nothing: the database has another schema ({self._schema}) than this version ({head()}). Start a "
                "worker of the version that has migrated it."
            )
        if ended := [duty.name for duty in self._duties if duty.ended]:
            have = "has" if len(ended) == 1 else "have"
            raise Unfit(f"This node claims nothing: its {' and '.join(ended)} {have} ended. Start the worker again.")
        silent = time.monotonic() - self._heard
        if silent > self._slot.settings.worker_timeout_seconds:
            raise Unfit(f"This node claims nothing: its heartbeat was not written for {silent:.0f} s.")

    def _beat(self) -> None:
        """Not into a schema of another version: a worker that takes nothing any more does not count as live."""
        with transaction(self._slot.sessions) as session:
            self._schema = revision(session.connection())
            if self._schema == head():
                slot = self._slot
                condition = replace(slot.condition or Condition(), redis_answers=slot.redis_answers)
                workers.beat(session, slot.worker, current_step_id=slot.current, condition=condition)
        self._heard = time.monotonic()

    def _remove_run_folders(self) -> None:
        settings = self._slot.settings
        remove_run_folders(self._slot.sessions, settings.data_dir, resumable_days=settings.artifact_days)

    def _make_way(self) -> None:
        """For all nodes: with thousands of jobs it is what costs the database most."""
        slot = self._slot
        if slot.settings.preempt_seconds:
            self._in_turn("preemption", lambda: make_way(slot.sessions, slot.settings))

    def _rewake(self) -> None:
        """For all nodes; by none that cannot see what waits in Redis, or nobody would."""
        slot = self._slot
        if not slot.redis_answers:
            return
        try:
            self._in_turn("rewake", lambda: rewake(slot.sessions, slot.settings))
        except RedisError as error:
            logger.warning("Redis does not answer: %s", error)

    def _in_turn(self, duty: str, work: Callable[[], object]) -> None:
        """Does what one node does for all, where it is due. One that fails leaves it to the next that comes; one of another version than the
        database's cannot know what is to be done."""
        if self._schema != head():
            return
        sessions, every = self._slot.sessions, timedelta(seconds=self._slot.settings.reap_seconds)
        with transaction(sessions) as session:
            if not rounds.begin(session, duty, every=every):
                return
        try:
            work()
        except Exception:
            with transaction(sessions) as session:
                rounds.leave(session, duty)
            raise

    def _ask_for_cells(self) -> None:
        """While this node has nothing to do, may do something and can be woken for it."""
        slot = self._slot
        if slot.current is not None or slot.stopping.is_set() or QUEUE not in slot.worker.queues:
            return
        if not slot.redis_answers:
            return
        try:
            self.check()
        except Unfit:
            return
        with transaction(slot.sessions) as session:
            ask(session, slot.worker, slot.settings)

    def _look(self) -> None:
        """Beside the beat, which waits for nobody: a driver of a GPU may take its time."""
        self._slot.condition = self._instruments.look()

    def _ask_redis(self) -> None:
        """Beside both: what a driver that hangs keeps this node from knowing has nothing to do with how it is woken."""
        url = self._slot.settings.redis_url
        assert url is not None
        self._slot.redis_answers = answers(url)


class Unfit(Exception):
    """The node must not take work."""


class Duty(threading.Thread):
    """Does ``work`` at once and then every so many seconds, whatever comes of it, until told to leave.

    What fails is logged when it begins to, when it fails otherwise, and when it is over.

    Args:
        name: of one thing, for the middle of a sentence: "The heartbeat works again."
    """

    def __init__(self, name: str, every: float, work: Callable[[], object]) -> None:
        super().__init__(name=name, daemon=True)
        self._every = every
        self._work = work
        self._left = threading.Event()
        self._failure = ""
        self.ended = False

    def leave(self) -> None:
        """Ends the thread when what it does at this moment is done."""
        self._left.set()

    def run(self) -> None:
        try:
            while not self._left.is_set():
                self._try()
                self._left.wait(self._every)
        finally:
            self.ended = True

    def _try(self) -> None:
        try:
            self._work()
        except SQLAlchemyError as error:
            self._say(error, f"The database does not answer the {self.name}: {error}")
        except Exception as error:
            # The last frame of the thread: the next round may go better, and the other duties know nothing of it.
            self._say(error, f"The {self.name} failed and is tried again in {self._every:g} s.", trace=True)
        else:
            if self._failure:
                logger.warning("The %s works again.", self.name)
            self._failure = ""

    def _say(self, error: Exception, message: str, *, trace: bool = False) -> None:
        failure = f"{type(error).__name__}: {error}"
        if failure != self._failure:
            logger.warning(message, exc_info=trace)
        self._failure = failure
