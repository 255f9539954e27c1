# ruff: noqa: N999
"""When what is done for all nodes was begun last: one of them does it, whichever comes first.

Revision 0027, written 2026-11-27 12:30:00+00:00.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0027"
down_revision: str | None = "0026"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "rounds",
        sa.Column("duty", sa.Text(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("duty", name=op.f("pk_rounds")),
    )


def downgrade() -> None:
    op.drop_table("rounds")
