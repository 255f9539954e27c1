# ruff: noqa: N999
"""Attempts that wait, and stored files by their location.

Revision 0003, written 2026-11-25 13:10:00+00:00.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.add_column(
        "steps",
        sa.Column("available_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
    )
    op.create_index(
        op.f("ix_artifacts_location"),
        "artifacts",
        ["location"],
        postgresql_ops={"location": "text_pattern_ops"},
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_artifacts_location"), table_name="artifacts")
    op.drop_column("steps", "available_at")
