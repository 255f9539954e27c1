# ruff: noqa: N999
"""Workers say whether Redis answers them: nothing wakes one that it does not. Those of an earlier version do not say.

Revision 0026, written 2026-11-27 12:15:00+00:00.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0026"
down_revision: str | None = "0025"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.add_column("workers", sa.Column("redis_answers", sa.Boolean(), nullable=True))


def downgrade() -> None:
    op.drop_column("workers", "redis_answers")
