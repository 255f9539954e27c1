# ruff: noqa: N999
"""Jobs: what searches share with trainings made alone. Steps, events, metrics and artifacts hang on them.

Every search is kept, finished or not, with all that belongs to it. Latency and pictures become kinds of step of their own: a search
that limits latency gets the step that measures it, as far as the rating step had come that did so on the side.

Revision 0005, written 2026-11-26 03:30:00+00:00.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from uuid_utils.compat import uuid7

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | None = None
depends_on: str | None = None

_PHASES = ("teacher", "distill", "rate", "select", "train", "export")
_KINDS = ("teacher", "distill", "latency", "rate", "select", "train", "export", "pictures")
_STATES = ("queued", "running", "succeeded", "failed", "cancelled")

#: Constraints, by table as it is called in between, before and after.
_CONSTRAINTS = {
    "jobs": {
        "pk_searches": "pk_jobs",
        "ck_searches_searchstate": "ck_jobs_jobstate",
        "ck_searches_kind": "ck_jobs_phase",
    },
    "steps": {"fk_steps_search_id": "fk_steps_job_id", "uq_steps_search_id_key": "uq_steps_job_id_key"},
    "events": {"fk_events_search_id": "fk_events_job_id"},
    "metrics": {"fk_metrics_search_id": "fk_metrics_job_id"},
    "artifacts": {
        "fk_artifacts_search_id": "fk_artifacts_job_id",
        "uq_artifacts_search_id_name": "uq_artifacts_job_id_name",
    },
}
_INDEXES = {"ix_searches_dataset": "ix_jobs_dataset", "ix_searches_labels": "ix_jobs_labels"}


def upgrade() -> None:
    op.rename_table("searches", "jobs")
    _rename(_CONSTRAINTS, _INDEXES, "search_id", "job_id")
    _add_filled("jobs", "kind", "'search'")
    _check("jobs", "kind", "jobkind", "search", "training")
    op.drop_index("ix_searches_state_id", table_name="jobs")
    op.create_index("ix_jobs_kind_state_id", "jobs", ["kind", "state", "id"])
    _searches()
    _add_filled("steps", "phase", "kind")
    _check("steps", "phase", "phase", *_PHASES)
    _kinds_of_steps()
    _jobs_of_trainings()
    op.drop_column("artifacts", "architecture_id")  # Nothing asks for either: a file is known by its job and its name.
    op.drop_column("artifacts", "kind")


def downgrade() -> None:
    """Trainings that were made alone have no place in the tables before: they go."""
    op.execute("DELETE FROM jobs WHERE kind = 'training'")
    _networks_of_artifacts()
    _steps_of_trainings()
    _kinds_before()
    op.drop_column("steps", "phase")
    _merge_searches()
    op.drop_index("ix_jobs_kind_state_id", table_name="jobs")
    op.create_index("ix_searches_state_id", "jobs", ["state", "id"])
    op.drop_column("jobs", "kind")
    back = {table: {new: old for old, new in names.items()} for table, names in _CONSTRAINTS.items()}
    _rename(back, {new: old for old, new in _INDEXES.items()}, "job_id", "search_id")
    op.rename_table("jobs", "searches")


def _rename(constraints: dict[str, dict[str, str]], indexes: dict[str, str], before: str, after: str) -> None:
    for table, names in constraints.items():
        for old, new in names.items():
            op.execute(f"ALTER TABLE {table} RENAME CONSTRAINT {old} TO {new}")
        if table != "jobs":
            op.alter_column(table, before, new_column_name=after)
    for old, new in indexes.items():
        op.execute(f"ALTER INDEX {old} RENAME TO {new}")


def _add_filled(table: str, column: str, value: str) -> None:
    op.add_column(table, sa.Column(column, sa.String(length=32), nullable=True))
    op.execute(f"UPDATE {table} SET {column} = {value}")
    op.alter_column(table, column, nullable=False)


def _check(table: str, column: str, name: str, *values: str) -> None:
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, sa.column(column).in_(values))


def _searches() -> None:
    op.create_table(
        "searches",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("best", postgresql.JSONB(), nullable=True),
        sa.ForeignKeyConstraint(["id"], ["jobs.id"], name=op.f("fk_searches_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_searches")),
    )
    op.execute("INSERT INTO searches (id, best) SELECT id, best FROM jobs")
    op.drop_column("jobs", "best")
    _networks_of("searches")


def _merge_searches() -> None:
    op.add_column("jobs", sa.Column("best", postgresql.JSONB(), nullable=True))
    op.execute("UPDATE jobs SET best = searches.best FROM searches WHERE searches.id = jobs.id")
    _networks_of("jobs")
    op.drop_table("searches")


def _networks_of_artifacts() -> None:
    op.add_column("artifacts", sa.Column("architecture_id", sa.Uuid(), nullable=True))
    op.add_column("artifacts", sa.Column("kind", sa.Text(), nullable=True))
    op.execute(
        "UPDATE artifacts SET architecture_id = architectures.id FROM architectures "
        "WHERE search_id = job_id AND role <> 'selected' AND name LIKE role || '/%'"
    )
    op.execute(
        "UPDATE artifacts SET kind = CASE WHEN split_part(name, '/', 1) IN ('checkpoints', 'cells', 'ratings') "
        r"THEN split_part(name, '/', 1) ELSE regexp_replace(regexp_replace(name, '^.*/', ''), '\.[^.]*$', '') END"
    )
    op.alter_column("artifacts", "kind", nullable=False)
    op.create_foreign_key(
        op.f("fk_artifacts_architecture_id"),
        "artifacts",
        "architectures",
        ["architecture_id"],
        ["id"],
        ondelete="CASCADE",
    )
    op.create_index(op.f("ix_artifacts_architecture_id"), "artifacts", ["architecture_id"])


def _networks_of(table: str) -> None:
    name = op.f("fk_architectures_search_id")
    op.drop_constraint(name, "architectures", type_="foreignkey")
    op.create_foreign_key(name, "architectures", table, ["search_id"], ["id"], ondelete="CASCADE")


def _kinds_of_steps() -> None:
    op.drop_constraint(op.f("ck_steps_kind"), "steps", type_="check")
    op.execute(
        "UPDATE steps SET kind = 'pictures', key = 'pictures', payload = payload || "
        """'{"kind": "pictures", "key": "pictures"}' WHERE kind = 'export' AND payload ->> 'network' IS NULL"""
    )
    _measure_latency()
    _check("steps", "kind", "kind", *_KINDS)


def _measure_latency() -> None:
    """Whose table is stored has measured; the others are to, or have failed or stopped as the step that would have."""
    rated = op.get_bind().execute(
        sa.text(
            "SELECT steps.id FROM steps JOIN jobs ON jobs.id = steps.job_id "
            "WHERE steps.key = 'rate-1' AND jobs.resolved -> 'budget' ->> 'latency_ms' IS NOT NULL"
        )
    )
    insert = sa.text(
        "INSERT INTO steps (id, job_id, key, kind, phase, queue, payload, state, attempt, max_attempts, fence, done, total, "
        "unit, parts, values, engine_seconds) SELECT :id, steps.job_id, 'latency', 'latency', 'rate', queue, "
        """'{"key": "latency", "kind": "latency", "cells": [], "network": null}', """
        "CASE WHEN stored.id IS NOT NULL OR jobs.phase <> 'rate' THEN 'succeeded' "
        "WHEN steps.state IN ('failed', 'cancelled') THEN steps.state ELSE 'queued' END, "
        "0, max_attempts, 0, 0, 0, 'layers', '[]', '{}', 0 FROM steps JOIN jobs ON jobs.id = steps.job_id "
        "LEFT JOIN (SELECT id, job_id AS of FROM artifacts WHERE name = 'latency.json') AS stored ON stored.of = steps.job_id "
        "WHERE steps.id = :rated"
    )
    for (step,) in rated.all():
        op.get_bind().execute(insert, {"id": uuid7(), "rated": step})


def _kinds_before() -> None:
    op.drop_constraint(op.f("ck_steps_kind"), "steps", type_="check")
    op.execute("DELETE FROM steps WHERE kind = 'latency'")
    op.execute(
        "UPDATE steps SET kind = 'export', key = 'export-pictures', payload = payload || "
        """'{"kind": "export", "key": "export-pictures"}' WHERE kind = 'pictures'"""
    )
    _check("steps", "kind", "kind", *_PHASES)


def _jobs_of_trainings() -> None:
    op.add_column("trainings", sa.Column("job_id", sa.Uuid(), nullable=True))
    op.execute("UPDATE trainings SET job_id = search_id FROM architectures WHERE architectures.id = architecture_id")
    op.alter_column("trainings", "job_id", nullable=False)
    op.create_foreign_key(op.f("fk_trainings_job_id"), "trainings", "jobs", ["job_id"], ["id"], ondelete="CASCADE")
    op.create_index(op.f("ix_trainings_job_id"), "trainings", ["job_id"])
    _network_of_training(nullable=True, ondelete="SET NULL")
    for column in ("dataset", "spec", "state", "progress", "eta_seconds", "error", "started_at", "finished_at"):
        op.drop_column("trainings", column)
    op.drop_index(op.f("ix_steps_training_id"), table_name="steps")
    op.create_unique_constraint(op.f("uq_steps_training_id"), "steps", ["training_id"])
    op.create_index(
        "ix_steps_state_training_id",
        "steps",
        ["state", "training_id"],
        postgresql_where=sa.text("training_id IS NOT NULL"),
    )


def _steps_of_trainings() -> None:
    op.drop_index("ix_steps_state_training_id", table_name="steps")
    op.drop_constraint(op.f("uq_steps_training_id"), "steps", type_="unique")
    op.create_index(op.f("ix_steps_training_id"), "steps", ["training_id"])
    op.add_column("trainings", sa.Column("dataset", sa.Text(), nullable=True))
    op.add_column("trainings", sa.Column("spec", postgresql.JSONB(), nullable=True))
    op.add_column("trainings", sa.Column("state", sa.String(length=32), nullable=True))
    op.add_column("trainings", sa.Column("progress", sa.Double(), nullable=True))
    op.add_column("trainings", sa.Column("eta_seconds", sa.Double(), nullable=True))
    op.add_column("trainings", sa.Column("error", postgresql.JSONB(), nullable=True))
    op.add_column("trainings", sa.Column("started_at", sa.TIMESTAMP(timezone=True), nullable=True))
    op.add_column("trainings", sa.Column("finished_at", sa.TIMESTAMP(timezone=True), nullable=True))
    op.execute(
        "UPDATE trainings SET dataset = jobs.dataset, spec = jobs.resolved, state = steps.state, eta_seconds = steps.eta_seconds, "
        "progress = coalesce(steps.done::float / nullif(steps.total, 0), 0), error = steps.error, "
        "started_at = steps.started_at, finished_at = steps.finished_at "
        "FROM steps JOIN jobs ON jobs.id = steps.job_id WHERE steps.training_id = trainings.id"
    )
    for column in ("dataset", "spec", "state", "progress"):
        op.alter_column("trainings", column, nullable=False)
    _check("trainings", "state", "trainingstate", *_STATES)
    _network_of_training(nullable=False, ondelete="CASCADE")
    op.drop_column("trainings", "job_id")


def _network_of_training(*, nullable: bool, ondelete: str) -> None:
    name = op.f("fk_trainings_architecture_id")
    op.drop_constraint(name, "trainings", type_="foreignkey")
    op.alter_column("trainings", "architecture_id", nullable=nullable)
    op.create_foreign_key(name, "trainings", "architectures", ["architecture_id"], ["id"], ondelete=ondelete)
