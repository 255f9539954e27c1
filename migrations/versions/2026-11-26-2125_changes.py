# ruff: noqa: N999
"""What has changed in jobs is written down for who follows all of them.

Revision 0017, written 2026-11-26 21:25:00+00:00.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0017"
down_revision: str | None = "0016"
branch_labels: str | None = None
depends_on: str | None = None

_KINDS = ("search", "training", "check", "tuning", "timing")


def upgrade() -> None:
    op.create_table(
        "job_changes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column(
            "transaction",
            sa.BigInteger(),
            server_default=sa.text("pg_current_xact_id()::text::bigint"),
            nullable=False,
        ),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(sa.column("kind").in_(_KINDS), name=op.f("ck_job_changes_jobkind")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_job_changes_project_id_projects")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_changes")),
    )
    op.create_index(op.f("ix_job_changes_transaction"), "job_changes", ["transaction"])


def downgrade() -> None:
    op.drop_table("job_changes")
