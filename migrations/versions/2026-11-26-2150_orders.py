# ruff: noqa: N999
"""Orders by what networks and trainings have reached have indices, those of latency and ratings too.

Revision 0020, written 2026-11-26 21:50:00+00:00.
"""

from __future__ import annotations

from alembic import op

revision: str = "0020"
down_revision: str | None = "0019"
branch_labels: str | None = None
depends_on: str | None = None

_BY = (("architectures", "latency_ns"), ("architectures", "loss"), ("trainings", "test_accuracy"))


def upgrade() -> None:
    for table, column in _BY:
        op.create_index(f"ix_{table}_{column}_id", table, [column, "id"])


def downgrade() -> None:
    for table, column in reversed(_BY):
        op.drop_index(f"ix_{table}_{column}_id", table)
