# ruff: noqa: N999
"""Finalists: a phase and a kind of step between rating and selection.

Revision 0006, written 2026-11-26 07:45:00+00:00.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from uuid_utils.compat import uuid7

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | None = None
depends_on: str | None = None

_PHASES = ("teacher", "distill", "rate", "select", "train", "export")
_KINDS = ("teacher", "distill", "latency", "rate", "select", "train", "export", "pictures")


def upgrade() -> None:
    _allow((*_PHASES, "finalists"), (*_KINDS, "finalist"))


def downgrade() -> None:
    """Searches at their finalists select at once. Versions of that revision read no spec of a search or training that this one has made, for
    its other new fields: those are to be finished, or deleted, before.
    """
    op.execute("DELETE FROM steps WHERE kind = 'finalist'")
    op.execute("UPDATE jobs SET resolved = resolved - 'select' WHERE kind = 'search'")
    _select_at_once()
    _allow(_PHASES, _KINDS)


def _allow(phases: tuple[str, ...], kinds: tuple[str, ...]) -> None:
    for table, column, name, values in (
        ("jobs", "phase", "phase", phases),
        ("steps", "phase", "phase", phases),
        ("steps", "kind", "kind", kinds),
    ):
        constraint = op.f(f"ck_{table}_{name}")
        op.drop_constraint(constraint, table, type_="check")
        op.create_check_constraint(constraint, table, sa.column(column).in_(values))


def _select_at_once() -> None:
    """Its wake is made up for by whoever looks for lost ones."""
    waiting = op.get_bind().execute(sa.text("SELECT id, state FROM jobs WHERE phase = 'finalists'")).all()
    insert = sa.text(
        "INSERT INTO steps (id, job_id, key, kind, phase, queue, payload, state, attempt, max_attempts, fence, done, total, "
        "unit, parts, values, engine_seconds) VALUES (:id, :job, 'select', 'select', 'select', 'cpu', "
        """'{"key": "select", "kind": "select", "cells": [], "network": null}', :state, 0, 3, 0, 0, 0, 'steps', '[]', '{}', 0)"""
    )
    for job, state in waiting:
        of_step = "queued" if state in ("queued", "running") else "cancelled"
        op.get_bind().execute(insert, {"id": uuid7(), "job": job, "state": of_step})
    op.execute("UPDATE jobs SET phase = 'select' WHERE phase = 'finalists'")
