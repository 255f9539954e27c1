# ruff: noqa: N999
"""Networks that no search has found: sent, or standard ones that a search trains beside its own.

Revision 0009, written 2026-11-26 14:30:00+00:00.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | None = None
depends_on: str | None = None

_ROLES = ("winner", "control", "selected")


def upgrade() -> None:
    op.add_column("architectures", sa.Column("name", sa.Text(), nullable=True))
    op.add_column("architectures", sa.Column("sha256", sa.Text(), nullable=True))
    op.create_unique_constraint(op.f("uq_architectures_sha256"), "architectures", ["sha256"])
    op.alter_column("architectures", "search_id", nullable=True)
    _roles(*_ROLES, "given", "reference")


def downgrade() -> None:
    op.execute("DELETE FROM architectures WHERE role IN ('given', 'reference')")
    _roles(*_ROLES)
    op.alter_column("architectures", "search_id", nullable=False)
    op.drop_constraint(op.f("uq_architectures_sha256"), "architectures", type_="unique")
    op.drop_column("architectures", "sha256")
    op.drop_column("architectures", "name")


def _roles(*roles: str) -> None:
    op.drop_constraint(op.f("ck_architectures_role"), "architectures", type_="check")
    op.create_check_constraint(op.f("ck_architectures_role"), "architectures", sa.column("role").in_(roles))
