"""What became of a COMMIT whose answer was lost: the connection died after it was sent, and the server alone knows.

PostgreSQL remembers how each transaction ended by its number. So no write has to be repeated on a guess, and no file is
deleted because a transaction that names it only seemed to fail.
"""

from __future__ import annotations

import logging
import time

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

logger = logging.getLogger("dna.store.commits")

#: How long the server is asked before a commit stays in doubt, in seconds, and how often.
ASK_SECONDS = 3.0
ASK_EVERY = 0.1

_NUMBER = text("SELECT pg_current_xact_id_if_assigned()::text")
_STATUS = text("SELECT pg_xact_status(CAST(:number AS xid8))")
_END = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_xid = CAST(:number AS xid8)::xid")


def commit(session: Session, sessions: sessionmaker[Session]) -> None:
    """Commits. Objects of the session stay readable and belong to it no more. Where nothing was written nothing can be lost.

    Raises:
        DBAPIError: it is not committed; or nobody knows, since the server did not answer for ``ASK_SECONDS``.
    """
    if not session.in_transaction():
        return
    session.flush()
    number = session.scalar(_NUMBER)
    session.expunge_all()  # A commit that fails would empty them, even where it turns out to have succeeded.
    try:
        session.commit()
    except DBAPIError:
        if number is not None and not _committed(sessions, number):
            raise
        logger.warning(
            "The answer to the COMMIT of transaction %s was lost; it is committed.", number or "without a write"
        )


def _committed(sessions: sessionmaker[Session], number: str) -> bool:
    """False also when it stays unknown."""
    deadline = time.monotonic() + ASK_SECONDS
    while True:
        status = _status(sessions, number)
        if status in ("committed", "aborted") or time.monotonic() > deadline:
            return status == "committed"
        time.sleep(ASK_EVERY)


def _status(sessions: sessionmaker[Session], number: str) -> str | None:
    """How the transaction ended; None when nobody answers. One that waits for a client that is gone is ended: it holds locks."""
    try:
        with sessions() as session:
            status: str | None = session.scalar(_STATUS, {"number": number})
            if status == "in progress":
                session.execute(_END, {"number": number})
            return status
    except SQLAlchemyError as error:
        logger.warning("The database does not answer: %s", error)
        return None
