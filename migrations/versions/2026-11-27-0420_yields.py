# ruff: noqa: N999
"""Running steps can be asked to give their worker up after a checkpoint, and attempts say why a step was given back.

Revision 0021, written 2026-11-27 04:20:00+00:00.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0021"
down_revision: str | None = "0020"
branch_labels: str | None = None
depends_on: str | None = None

_COLUMNS = (("steps", "yield_reason"), ("attempts", "reason"))


def upgrade() -> None:
    for table, column in _COLUMNS:
        op.add_column(table, sa.Column(column, sa.Text(), nullable=True))


def downgrade() -> None:
    for table, column in reversed(_COLUMNS):
        op.drop_column(table, column)
