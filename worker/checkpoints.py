"""Stores checkpoints while the engine works on, so that another machine can go on from them."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType

from sqlalchemy.exc import OperationalError

from dna_engine.errors import DiskFull
from store import flow
from store.blobs import BlobStore
from store.claims import Claim
from store.errors import LeaseLost, StoreError
from store.files import discard, drafts
from store.logs import of_here
from store.session import Sessions, transaction
from worker.run_folder import MissingFile, RunFolder

logger = logging.getLogger("dna.worker.checkpoints")


class Checkpoints:
    """One upload at a time; of checkpoints that are written meanwhile only the last is stored.

    Leaving the ``with`` block waits for the last one. A failed upload is logged, not raised: the next checkpoint repeats it, and
    without one a later attempt only has more to do.
    """

    def __init__(self, sessions: Sessions, blobs: BlobStore, folder: RunFolder, claim: Claim) -> None:
        self._sessions = sessions
        self._blobs = blobs
        self._folder = folder
        self._claim = claim
        self._waiting = threading.Event()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="checkpoint")

    def __enter__(self) -> Checkpoints:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._thread.shutdown()

    def written(self) -> None:
        """The engine has replaced its checkpoint."""
        if not self._waiting.is_set():
            self._waiting.set()
            self._thread.submit(of_here(self._store))

    def _store(self) -> None:
        self._waiting.clear()
        try:
            self._upload()
        except (
            LeaseLost,
            MissingFile,
        ) as error:  # The step is another's, or done: then the engine has removed its checkpoint.
            logger.debug("%s", error.message)
        except (StoreError, DiskFull, OSError, OperationalError) as error:
            logger.warning("The checkpoint of %s could not be stored: %s", self._claim.step.key, error)
        except Exception:  # The last frame of the thread: nobody looks at what it ends with.
            logger.exception("The checkpoint of %s could not be stored", self._claim.step.key)

    def _upload(self) -> None:
        with drafts(self._sessions, self._blobs, self._claim) as written:
            [file] = self._folder.store([self._claim.step.checkpoint], written)
            with transaction(self._sessions) as session:
                replaced = flow.save_checkpoint(session, self._claim, file)
        discard(self._sessions, self._blobs, replaced)
