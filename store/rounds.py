"""What is done every so many seconds for all nodes, whichever of them does it.

A round belongs to the node that writes first that it begins one. It holds nothing: of a node that dies in the middle, or is frozen, another
begins the next in time. Who lives and cannot do the work leaves the round: coming first again each time one is due, it would keep all others
from it for good. So it is for work that may be done twice, or not at all for once.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

#: Who comes too early only reads. A beginning that lies ahead is of a clock that was put back since, and counts for nothing.
_BEGIN = text("""
    INSERT INTO rounds (duty, begun_at)
    SELECT :duty, clock_timestamp()
    WHERE NOT EXISTS (
        SELECT FROM rounds WHERE duty = :duty AND begun_at BETWEEN clock_timestamp() - :every AND clock_timestamp()
    )
    ON CONFLICT (duty) DO UPDATE SET begun_at = clock_timestamp()
        WHERE rounds.begun_at NOT BETWEEN clock_timestamp() - :every AND clock_timestamp()
    RETURNING duty
""")


def begin(session: Session, duty: str, *, every: timedelta) -> bool:
    """Whether a round is due and the caller's, who commits before it does the work: others wait for that."""
    return session.scalar(_BEGIN, {"duty": duty, "every": every}) is not None


def leave(session: Session, duty: str) -> None:
    """The round that the caller began is due for whoever comes next."""
    session.execute(text("DELETE FROM rounds WHERE duty = :duty"), {"duty": duty})
