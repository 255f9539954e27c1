"""Keeps a claim while its step runs, and notices when the step must end."""

from __future__ import annotations

import logging
import threading
import time
from types import TracebackType

from sqlalchemy.exc import OperationalError

from store import claims
from store.claims import Claim
from store.errors import LeaseLost
from store.session import Sessions, transaction
from store.settings import Settings

logger = logging.getLogger("dna.worker.lease")


class Lease:
    """Renews the lease from a thread of its own until the ``with`` block ends.

    Attributes:
        lost: set when the step is another worker's, or may be: the database could not be reached until the lease ran out.
        stop: set when the search is cancelled, failed or gone.
    """

    def __init__(self, sessions: Sessions, settings: Settings, claim: Claim) -> None:
        self._sessions = sessions
        self._settings = settings
        self._claim = claim
        self.lost = threading.Event()
        self.stop = threading.Event()
        self._done = threading.Event()
        self._renewed = time.monotonic()
        self._thread = threading.Thread(target=self._keep, name=f"lease-{claim.step.key}", daemon=True)

    def __enter__(self) -> Lease:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._done.set()
        self._thread.join()

    def _keep(self) -> None:
        while not self._done.wait(self._settings.poll_seconds):
            try:
                self._look()
            except LeaseLost as error:
                logger.warning("%s", error.message)
                self.lost.set()
            except OperationalError as error:
                logger.warning("The database does not answer: %s", error.orig)
            if time.monotonic() - self._renewed > self._settings.lease_seconds:
                self.lost.set()
            if self.lost.is_set():
                return

    def _look(self) -> None:
        asked = time.monotonic()
        with transaction(self._sessions) as session:
            if claims.must_stop(session, self._claim):
                self.stop.set()
            if asked - self._renewed >= self._settings.lease_renew_seconds:
                claims.renew(session, self._claim, lease_seconds=self._settings.lease_seconds)
                self._renewed = asked
