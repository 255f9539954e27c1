# ruff: noqa: N999
"""Jobs have a priority, keys a share of the devices, and steps that wait an index in the order in which they are claimed.

Revision 0024, written 2026-11-27 04:45:00+00:00.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0024"
down_revision: str | None = "0023"
branch_labels: str | None = None
depends_on: str | None = None

_PRIORITIES = ("low", "normal", "high")

#: Of a normal priority: see ``Job.rank``.
_RANK = "3"


def upgrade() -> None:
    op.create_table(
        "shares",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("standing", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shares")),
    )
    priority = sa.Enum(*_PRIORITIES, name="priority", native_enum=False, length=32)
    op.add_column("jobs", sa.Column("priority", priority, server_default="normal", nullable=False))
    op.add_column("jobs", sa.Column("let_through", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_check_constraint(op.f("ck_jobs_priority"), "jobs", sa.column("priority").in_(_PRIORITIES))
    for table in ("jobs", "steps"):
        op.add_column(table, sa.Column("expected_seconds", sa.Double(), nullable=True))
    op.add_column("steps", sa.Column("share_id", sa.Uuid(), nullable=True))
    op.add_column("steps", sa.Column("rank", sa.SmallInteger(), server_default=_RANK, nullable=False))
    op.execute(
        "UPDATE steps SET share_id = coalesce(jobs.key_id, jobs.project_id) FROM jobs WHERE jobs.id = steps.job_id"
    )
    op.alter_column("steps", "share_id", nullable=False)
    op.alter_column("steps", "rank", server_default=None)
    op.create_index(
        "ix_steps_line",
        "steps",
        ["queue", "share_id", "rank", "job_id", "id"],
        postgresql_where=sa.text("state = 'queued'"),
    )


def downgrade() -> None:
    op.drop_index("ix_steps_line", "steps")
    op.drop_column("steps", "rank")
    op.drop_column("steps", "share_id")
    for table in ("steps", "jobs"):
        op.drop_column(table, "expected_seconds")
    op.drop_constraint(op.f("ck_jobs_priority"), "jobs")
    op.drop_column("jobs", "let_through")
    op.drop_column("jobs", "priority")
    op.drop_table("shares")
