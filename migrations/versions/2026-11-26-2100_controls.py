# ruff: noqa: N999
"""Searches have the accuracy of their control beside that of the best network.

Revision 0015, written 2026-11-26 21:00:00+00:00.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.add_column("searches", sa.Column("control_accuracy", sa.Double(), nullable=True))
    op.execute(
        "UPDATE searches SET control_accuracy = architectures.test_accuracy FROM architectures "
        "WHERE architectures.search_id = searches.id AND architectures.role = 'control'"
    )


def downgrade() -> None:
    op.drop_column("searches", "control_accuracy")
