# ruff: noqa: N999
"""The archives of uploaded datasets.

Revision 0002, written 2026-11-25 04:35:00+00:00.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.add_column("datasets", sa.Column("archive", postgresql.JSONB(), nullable=True))
    op.create_index(op.f("ix_datasets_fingerprint"), "datasets", ["fingerprint"])


def downgrade() -> None:
    op.drop_index(op.f("ix_datasets_fingerprint"), table_name="datasets")
    op.drop_column("datasets", "archive")
