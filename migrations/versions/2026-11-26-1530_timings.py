# ruff: noqa: N999
"""Networks timed whole: a kind of job, a kind of step, and the phases of a search in which layers and networks are timed.

Revision 0011, written 2026-11-26 15:30:00+00:00.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | None = None
depends_on: str | None = None

_JOBS = ("search", "training", "check", "tuning")
_PHASES = ("check", "teacher", "distill", "rate", "finalists", "select", "train", "export", "trials")
_KINDS = (
    "check",
    "teacher",
    "distill",
    "latency",
    "rate",
    "finalist",
    "select",
    "train",
    "export",
    "pictures",
    "trial",
)


def upgrade() -> None:
    _allow((*_JOBS, "timing"), (*_PHASES, "latency", "time"), (*_KINDS, "time"))


def downgrade() -> None:
    """Timings go. Searches whose latency is limited are to be finished, or deleted, before: versions of that revision measure layers where
    they rate.
    """
    op.execute("DELETE FROM jobs WHERE kind = 'timing'")
    op.execute("DELETE FROM steps WHERE kind = 'time'")
    op.execute("UPDATE steps SET phase = 'rate' WHERE phase = 'latency'")
    op.execute("UPDATE jobs SET resolved = resolved - 'times_networks' WHERE kind = 'search'")
    _allow(_JOBS, _PHASES, _KINDS)


def _allow(jobs: tuple[str, ...], phases: tuple[str, ...], kinds: tuple[str, ...]) -> None:
    for table, column, name, values in (
        ("jobs", "kind", "jobkind", jobs),
        ("jobs", "phase", "phase", phases),
        ("steps", "phase", "phase", phases),
        ("steps", "kind", "kind", kinds),
    ):
        constraint = op.f(f"ck_{table}_{name}")
        op.drop_constraint(constraint, table, type_="check")
        op.create_check_constraint(constraint, table, sa.column(column).in_(values))
