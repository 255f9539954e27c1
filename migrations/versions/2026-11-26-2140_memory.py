# ruff: noqa: N999
"""Workers say how much memory their device has, and how much of it is taken.

Revision 0019, written 2026-11-26 21:40:00+00:00.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0019"
down_revision: str | None = "0018"
branch_labels: str | None = None
depends_on: str | None = None

_COLUMNS = ("memory_bytes", "memory_used_bytes")


def upgrade() -> None:
    for column in _COLUMNS:
        op.add_column("workers", sa.Column(column, sa.BigInteger(), nullable=True))


def downgrade() -> None:
    for column in _COLUMNS:
        op.drop_column("workers", column)
