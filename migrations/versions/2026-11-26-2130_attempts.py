# ruff: noqa: N999
"""Every attempt at a step is written down. Of what was run before there is the last attempt at each step.

Revision 0018, written 2026-11-26 21:30:00+00:00.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0018"
down_revision: str | None = "0017"
branch_labels: str | None = None
depends_on: str | None = None

_OUTCOMES = ("running", "succeeded", "failed", "lost", "cancelled", "released")


def upgrade() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=True),
        sa.Column("hostname", sa.Text(), nullable=True),
        sa.Column("device", sa.Text(), nullable=True),
        sa.Column("device_name", sa.Text(), nullable=True),
        sa.Column("started_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("finished_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("engine_before", sa.Double(), nullable=False),
        sa.Column("engine_seconds", sa.Double(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(sa.column("outcome").in_(_OUTCOMES), name=op.f("ck_attempts_attemptoutcome")),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_attempts_job_id_jobs"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["step_id"], ["steps.id"], name=op.f("fk_attempts_step_id_steps"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
        sa.UniqueConstraint("step_id", "fence", name=op.f("uq_attempts_step_id_fence")),
    )
    op.create_index("ix_attempts_job_id_id", "attempts", ["job_id", "id"])
    # What waits for another attempt does not say when the one before it ended. A step has one row here, which may have its id.
    op.execute(
        "INSERT INTO attempts (id, job_id, step_id, fence, attempt, worker_id, hostname, device, device_name, started_at, finished_at, "
        "outcome, engine_before, engine_seconds) "
        "SELECT s.id, s.job_id, s.id, s.fence, s.attempt, w.id, w.hostname, w.device, w.device_name, s.started_at, s.finished_at, "
        "s.state, 0, s.engine_seconds FROM steps s LEFT JOIN workers w ON w.id = s.lease_owner "
        "WHERE s.started_at IS NOT NULL AND (s.state = 'running' OR s.finished_at IS NOT NULL) AND s.state <> 'queued'"
    )


def downgrade() -> None:
    op.drop_table("attempts")
