# ruff: noqa: N999
"""Steps say when they were asked to give their worker up: one that does not come to it keeps others from being asked no longer than that.

Revision 0028, written 2026-11-27 12:40:00+00:00.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0028"
down_revision: str | None = "0027"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.add_column("steps", sa.Column("yield_asked_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE steps SET yield_asked_at = now() WHERE state = 'running' AND yield_reason IS NOT NULL")


def downgrade() -> None:
    op.drop_column("steps", "yield_asked_at")
