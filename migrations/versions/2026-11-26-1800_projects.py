# ruff: noqa: N999
"""Projects: keys have one, a scope and an end, and every row that somebody asked for is of one.

What there was before is of the project ``default``, and keys may do all that they could.

Revision 0012, written 2026-11-26 18:00:00+00:00.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | None = None
depends_on: str | None = None

_DEFAULT = "00000000-0000-7000-8000-000000000001"
_EVERYBODYS = "00000000-0000-7000-8000-000000000002"

_OWNED = ("jobs", "trainings", "architectures", "datasets", "teachers")
_MADE = ("jobs", "architectures", "datasets", "teachers")
_UNIQUE = (
    ("datasets", ["name", "version"]),
    ("teachers", ["name"]),
    ("architectures", ["sha256"]),
)
_INDICES = (
    ("ix_jobs_project_id_kind_id", "jobs", ["project_id", "kind", "id"]),
    ("ix_jobs_key_id_state", "jobs", ["key_id", "state"]),
    ("ix_trainings_project_id_id", "trainings", ["project_id", "id"]),
    ("ix_architectures_project_id_id", "architectures", ["project_id", "id"]),
    ("ix_datasets_project_id_id", "datasets", ["project_id", "id"]),
)


def upgrade() -> None:
    op.create_table(
        "projects",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
        sa.UniqueConstraint("name", name=op.f("uq_projects_name")),
    )
    op.execute(f"INSERT INTO projects (id, name) VALUES ('{_DEFAULT}', 'default'), ('{_EVERYBODYS}', 'built-in')")
    _own("api_keys")
    op.create_index(op.f("ix_api_keys_project_id"), "api_keys", ["project_id"])
    for name, default in (("scopes", '["read", "run", "admin"]'), ("limits", "{}")):
        op.add_column("api_keys", sa.Column(name, JSONB(), nullable=False, server_default=default))
        op.alter_column("api_keys", name, server_default=None)
    op.add_column("api_keys", sa.Column("expires_at", sa.TIMESTAMP(timezone=True)))
    op.create_table(
        "device_use",
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name=op.f("fk_device_use_key_id")),
        sa.PrimaryKeyConstraint("key_id", "day", name=op.f("pk_device_use")),
    )
    for table in _OWNED:
        _own(table)
    op.execute(f"UPDATE datasets SET project_id = '{_EVERYBODYS}' WHERE info->>'kind' = 'builtin'")
    for table in _MADE:
        op.add_column(table, sa.Column("key_id", sa.Uuid()))
        op.add_column(table, sa.Column("created_by", sa.Text()))
        op.create_foreign_key(op.f(f"fk_{table}_key_id"), table, "api_keys", ["key_id"], ["id"])
    for table, columns in _UNIQUE:
        op.drop_constraint(op.f(f"uq_{table}_{'_'.join(columns)}"), table, type_="unique")
        of_project = ["project_id", *columns]
        op.create_unique_constraint(op.f(f"uq_{table}_{'_'.join(of_project)}"), table, of_project)
    for name, table, columns in _INDICES:
        op.create_index(name, table, columns)


def _own(table: str) -> None:
    """A column of the project, for what there is already the default one."""
    op.add_column(table, sa.Column("project_id", sa.Uuid(), nullable=False, server_default=_DEFAULT))
    op.alter_column(table, "project_id", server_default=None)
    op.create_foreign_key(op.f(f"fk_{table}_project_id"), table, "projects", ["project_id"], ["id"])


def downgrade() -> None:
    """Everything is everybody's. Names that several projects gave, and networks that several keep, are to be deleted before.

    Keys that may not do everything, or not for ever, are revoked: without their scopes and ends they would.
    """
    op.execute(
        "UPDATE api_keys SET revoked_at = now() WHERE revoked_at IS NULL "
        """AND (expires_at IS NOT NULL OR NOT scopes @> '["read", "run", "admin"]')"""
    )
    for name, table, _ in _INDICES:
        op.drop_index(name, table)
    for table, columns in _UNIQUE:
        op.drop_constraint(op.f(f"uq_{table}_{'_'.join(['project_id', *columns])}"), table, type_="unique")
        op.create_unique_constraint(op.f(f"uq_{table}_{'_'.join(columns)}"), table, columns)
    for table in _MADE:
        op.drop_column(table, "created_by")
        op.drop_column(table, "key_id")
    op.drop_table("device_use")
    for table in (*_OWNED, "api_keys"):
        op.drop_column(table, "project_id")
    for name in ("expires_at", "limits", "scopes"):
        op.drop_column("api_keys", name)
    op.drop_table("projects")
