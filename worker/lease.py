"""Keeps a claim while its step runs, and notices when the step must end."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from types import TracebackType

from sqlalchemy.exc import SQLAlchemyError

from store import claims
from store.claims import Ask, Claim
from store.errors import LeaseLost
from store.logs import of_here
from store.session import Sessions, transaction
from store.settings import Settings

logger = logging.getLogger("dna.worker.lease")


class Lease:
    """Renews the lease from a thread of its own until the ``with`` block ends.

    Attributes:
        lost: set when the step is another worker's, or may be: the database could not be reached until the lease ran out.
        stop: set when the job is cancelled, failed or gone.
        give_back: set when the step is to be given back after a checkpoint.
    """

    def __init__(self, sessions: Sessions, settings: Settings, claim: Claim) -> None:
        self._sessions = sessions
        self._settings = settings
        self._claim = claim
        self.lost = threading.Event()
        self.stop = threading.Event()
        self.give_back = threading.Event()
        self._events = {Ask.STOP: self.stop, Ask.YIELD: self.give_back}
        self._done = threading.Event()
        self._renewed = time.monotonic()
        name = f"lease-{claim.step.key}"
        self._threads = [
            threading.Thread(target=of_here(self._keep), name=name, daemon=True),
            threading.Thread(target=of_here(self._watch), name=f"{name}-clock", daemon=True),
        ]

    def __enter__(self) -> Lease:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()

    def _keep(self) -> None:
        while not self._done.wait(self._settings.poll_seconds) and not self.lost.is_set():
            try:
                self._look()
            except LeaseLost as error:
                if self._succeeded():
                    return
                logger.warning("%s", error.message)
                self.lost.set()
            except SQLAlchemyError as error:
                logger.warning("The database does not answer: %s", error)
            except Exception:
                # The last frame of the thread: without it nothing renews the lease and nobody hears of a cancel.
                logger.exception("The lease of %s could not be looked at", self._claim.step.key)

    def _succeeded(self) -> bool:
        """Whether the step has just been brought to its end here: then nothing is left to hold."""
        with suppress(SQLAlchemyError), transaction(self._sessions) as session:
            return claims.succeeded(session, self._claim)
        return False

    def _watch(self) -> None:
        """Looks at the clock alone: the lease runs out too while the database keeps an answer."""
        while not self._done.wait(self._settings.poll_seconds) and not self.lost.is_set():
            if time.monotonic() - self._renewed > self._settings.lease_seconds:
                logger.warning("The database did not renew the lease of %s in time.", self._claim.step.key)
                self.lost.set()

    def _look(self) -> None:
        asked = time.monotonic()
        with transaction(self._sessions) as session:
            if (ask := claims.asked(session, self._claim)) is not None:
                self._events[ask].set()
            due = asked - self._renewed >= self._settings.lease_renew_seconds
            if due:
                claims.renew(session, self._claim, lease_seconds=self._settings.lease_seconds)
        if due:
            self._renewed = asked
