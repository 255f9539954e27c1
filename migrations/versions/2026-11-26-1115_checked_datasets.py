# ruff: noqa: N999
"""Datasets are checked by a job, have a report, and are versions of their name.

Revision 0008, written 2026-11-26 11:15:00+00:00.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | None = None
depends_on: str | None = None

_PHASES = ("teacher", "distill", "rate", "select", "train", "export", "finalists")
_KINDS = ("teacher", "distill", "latency", "rate", "select", "train", "export", "pictures", "finalist")
_JOBS = ("search", "training")
#: What was known of the images of a dataset before.
_DESCRIBED = (
    "name", "kind", "location", "num_classes", "num_train", "num_test", "image_size", "class_names", "left_out", "warnings",
)  # fmt: skip


def upgrade() -> None:
    op.drop_constraint(op.f("uq_datasets_name"), "datasets", type_="unique")
    op.add_column("datasets", sa.Column("version", sa.BigInteger(), server_default="1", nullable=False))
    op.alter_column("datasets", "version", server_default=None)
    op.add_column("datasets", sa.Column("report", postgresql.JSONB(), nullable=True))
    op.create_unique_constraint(op.f("uq_datasets_name_version"), "datasets", ["name", "version"])
    _rename_states({"importing": "checking", "failed": "rejected"})
    _allow((*_PHASES, "check"), (*_KINDS, "check"), (*_JOBS, "check"))


def downgrade() -> None:
    """Of each name the newest version stays that is ready and means the same to versions of that revision; what is being checked, or was
    rejected, goes. The files of those that go are found by whoever looks for files without rows.

    Versions of that revision read no spec of a search or training that this one has made, for its new fields: those are to be finished, or
    deleted, before.
    """
    op.execute("DELETE FROM jobs WHERE kind = 'check'")
    op.execute(
        "DELETE FROM datasets WHERE state <> 'ready' OR info->>'kind' = 'shards' OR info->>'layout' = 'classes' "
        "OR coalesce(info->>'num_val', '0') <> '0' OR coalesce(info->>'white', '65535') <> '65535'"
    )
    op.execute(
        "DELETE FROM datasets older USING datasets newer WHERE older.name = newer.name AND older.version < newer.version"
    )
    known = ", ".join(f"'{field}'" for field in _DESCRIBED)
    op.execute(
        f"UPDATE datasets SET info = (SELECT jsonb_object_agg(key, value) FROM jsonb_each(info) WHERE key IN ({known}))"
    )
    _rename_states({"checking": "importing", "rejected": "failed"})
    op.drop_constraint(op.f("uq_datasets_name_version"), "datasets", type_="unique")
    op.drop_column("datasets", "report")
    op.drop_column("datasets", "version")
    op.create_unique_constraint(op.f("uq_datasets_name"), "datasets", ["name"])
    _allow(_PHASES, _KINDS, _JOBS)


def _rename_states(names: dict[str, str]) -> None:
    constraint = op.f("ck_datasets_datasetstate")
    op.drop_constraint(constraint, "datasets", type_="check")
    for before, after in names.items():
        op.execute(f"UPDATE datasets SET state = '{after}' WHERE state = '{before}'")
    op.create_check_constraint(constraint, "datasets", sa.column("state").in_(("ready", *names.values())))


def _allow(phases: tuple[str, ...], kinds: tuple[str, ...], jobs: tuple[str, ...]) -> None:
    for table, column, name, values in (
        ("jobs", "phase", "phase", phases),
        ("jobs", "kind", "jobkind", jobs),
        ("steps", "phase", "phase", phases),
        ("steps", "kind", "kind", kinds),
    ):
        constraint = op.f(f"ck_{table}_{name}")
        op.drop_constraint(constraint, table, type_="check")
        op.create_check_constraint(constraint, table, sa.column(column).in_(values))
