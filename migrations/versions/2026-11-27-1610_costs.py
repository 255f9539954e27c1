# ruff: noqa: N999
"""How fast devices distil is measured anew: what a cell costs counts its maps and parameters too, so what was measured before is of another unit.

Revision 0029, written 2026-11-27 16:10:00+00:00.
"""

from __future__ import annotations

from alembic import op

revision: str = "0029"
down_revision: str | None = "0028"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    _forget()


def downgrade() -> None:
    """As the version before would measure it, so what this one has measured is forgotten too."""
    _forget()


def _forget() -> None:
    op.execute(
        "UPDATE attempts SET work = NULL FROM steps "
        "WHERE steps.id = attempts.step_id AND steps.kind = 'distill' AND attempts.work IS NOT NULL"
    )
