# ruff: noqa: N999
"""What happened is tallied; jobs know the request that made them and its trace, and workers how busy their device is and what room they have.

Revision 0022, written 2026-11-27 04:30:00+00:00.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0022"
down_revision: str | None = "0021"
branch_labels: str | None = None
depends_on: str | None = None

_COLUMNS: tuple[tuple[str, str, sa.types.TypeEngine[Any]], ...] = (
    ("jobs", "request_id", sa.Text()),
    ("jobs", "traceparent", sa.Text()),
    ("workers", "utilization", sa.Double()),
    ("workers", "disk_bytes", sa.BigInteger()),
    ("workers", "disk_free_bytes", sa.BigInteger()),
)


def upgrade() -> None:
    for table, column, kind in _COLUMNS:
        op.add_column(table, sa.Column(column, kind, nullable=True))
    op.create_table(
        "tallies",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("figure", sa.Text(), nullable=False),
        sa.Column("labels", postgresql.JSONB(), nullable=False),
        sa.Column("bound", sa.Double(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tallies")),
    )


def downgrade() -> None:
    op.drop_table("tallies")
    for table, column, _ in reversed(_COLUMNS):
        op.drop_column(table, column)
