# ruff: noqa: N999
"""Jobs that were cloned say from where; what lists are ordered and narrowed by has indices.

Revision 0014, written 2026-11-26 19:00:00+00:00.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | None = None
depends_on: str | None = None

_OF_JOBS = ("name", "created_at", "finished_at")
_OF_ARCHITECTURES = ("flops", "params", "test_accuracy")


def upgrade() -> None:
    op.add_column("jobs", sa.Column("cloned_from", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_jobs_cloned_from_jobs"), "jobs", "jobs", ["cloned_from"], ["id"], ondelete="SET NULL"
    )
    op.create_index("ix_jobs_cloned_from", "jobs", ["cloned_from"], postgresql_where=sa.text("cloned_from IS NOT NULL"))
    op.create_index(
        "ix_jobs_timed",
        "jobs",
        [sa.text("(resolved ->> 'architecture_id')"), "id"],
        postgresql_where=sa.text("kind = 'timing'"),
    )
    for column in _OF_JOBS:
        op.create_index(f"ix_jobs_kind_{column}_id", "jobs", ["kind", column, "id"])
    for column in _OF_ARCHITECTURES:
        op.create_index(f"ix_architectures_{column}_id", "architectures", [column, "id"])


def downgrade() -> None:
    for column in _OF_ARCHITECTURES:
        op.drop_index(f"ix_architectures_{column}_id", "architectures")
    for column in _OF_JOBS:
        op.drop_index(f"ix_jobs_kind_{column}_id", "jobs")
    op.drop_index("ix_jobs_timed", "jobs")
    op.drop_index("ix_jobs_cloned_from", "jobs")
    op.drop_constraint(op.f("fk_jobs_cloned_from_jobs"), "jobs", type_="foreignkey")
    op.drop_column("jobs", "cloned_from")
