"""Who has had how much of the devices lately: the measure by which keys take turns.

What a key's jobs took counts half after each :data:`HALF_LIFE`. So a key that has had everything is level with one that had nothing as
soon as the other has had everything for one half-life: nobody waits longer than that behind another's history.

Since all that was taken fades alike, who has had less does not change by waiting. What is kept says that once and for all: the
*standing* ``ln(sum of seconds * e^(t / FADING))`` over all that was taken, with t the time of taking. It is written when something is
taken, and compared as it is.
"""

from __future__ import annotations

import math
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

#: No setting: standings that were kept under another one would mean something else.
HALF_LIFE = timedelta(minutes=30)

#: Seconds after which what was taken counts one e-th.
FADING = HALF_LIFE.total_seconds() / math.log(2)

#: ``ln(e^a + e^b)`` by its larger part: PostgreSQL refuses to compute what underflows, which adds nothing.
_TAKE = text("""
    INSERT INTO shares AS share (id, standing)
    VALUES (:id, ln(CAST(:seconds AS float8)) + extract(epoch FROM clock_timestamp())::float8 / :fading)
    ON CONFLICT (id) DO UPDATE SET standing = greatest(share.standing, excluded.standing)
        + ln(1 + exp(greatest(-abs(share.standing - excluded.standing), -700)))
""")


def take(session: Session, share_id: UUID, seconds: float) -> None:
    """So much was taken of devices just now.

    Args:
        share_id: of a key, or of the project of jobs without one, see ``Job.share_id``.
        seconds: of one device: a second of two counts twice.
    """
    if seconds > 0:
        session.execute(_TAKE, {"id": share_id, "seconds": seconds, "fading": FADING})
