# ruff: noqa: N999
"""Tunings: jobs of many short trainings, and a schema for Optuna's account of them, whose tables are its own to make.

Revision 0010, written 2026-11-26 14:45:00+00:00.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | None = None
depends_on: str | None = None

_PHASES = ("teacher", "distill", "rate", "select", "train", "export", "finalists", "check")
_KINDS = ("teacher", "distill", "latency", "rate", "select", "train", "export", "pictures", "finalist", "check")
_JOBS = ("search", "training", "check")


def upgrade() -> None:
    op.execute("CREATE SCHEMA IF NOT EXISTS optuna")
    op.create_table(
        "tunings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("architecture_id", sa.Uuid(), nullable=True),
        sa.Column("best", postgresql.JSONB(), nullable=True),
        sa.ForeignKeyConstraint(["id"], ["jobs.id"], name=op.f("fk_tunings_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["architecture_id"], ["architectures.id"], name=op.f("fk_tunings_architecture_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tunings")),
    )
    op.create_index(op.f("ix_tunings_architecture_id"), "tunings", ["architecture_id"])
    _allow((*_PHASES, "trials"), (*_KINDS, "trial"), (*_JOBS, "tuning"))


def downgrade() -> None:
    """Tunings go, and what Optuna knows of them. Versions of that revision read no spec whose recipe came from one."""
    op.execute("DELETE FROM jobs WHERE kind = 'tuning'")
    op.drop_table("tunings")
    op.execute("DROP SCHEMA optuna CASCADE")
    _allow(_PHASES, _KINDS, _JOBS)


def _allow(phases: tuple[str, ...], kinds: tuple[str, ...], jobs: tuple[str, ...]) -> None:
    for table, column, name, values in (
        ("jobs", "phase", "phase", phases),
        ("jobs", "kind", "jobkind", jobs),
        ("steps", "phase", "phase", phases),
        ("steps", "kind", "kind", kinds),
    ):
        constraint = op.f(f"ck_{table}_{name}")
        op.drop_constraint(constraint, table, type_="check")
        op.create_check_constraint(constraint, table, sa.column(column).in_(values))
