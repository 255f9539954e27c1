# ruff: noqa: N999
"""Attempts say how much they did: what they took tells how fast devices are. Of those before this it is not known.

Revision 0023, written 2026-11-27 04:35:00+00:00.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0023"
down_revision: str | None = "0022"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.add_column("attempts", sa.Column("progress_before", sa.Double(), server_default="0", nullable=False))
    op.alter_column("attempts", "progress_before", server_default=None)
    op.add_column("attempts", sa.Column("work", sa.Double(), nullable=True))
    # The latest few are looked at whenever cells are spread.
    op.create_index("ix_attempts_measured", "attempts", ["id"], postgresql_where=sa.text("work IS NOT NULL"))


def downgrade() -> None:
    op.drop_index("ix_attempts_measured", "attempts")
    op.drop_column("attempts", "work")
    op.drop_column("attempts", "progress_before")
