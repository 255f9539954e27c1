# ruff: noqa: N999
"""Stored files that no row names, yet or any more.

Revision 0004, written 2026-11-26 00:50:00+00:00.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "loose_files",
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("step_id", sa.Uuid(), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=True),
        sa.Column("due_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("location", name=op.f("pk_loose_files")),
    )


def downgrade() -> None:
    op.drop_table("loose_files")
