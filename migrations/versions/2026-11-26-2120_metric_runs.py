# ruff: noqa: N999
"""Series are thinned by runs of their points: what each thirty-two that follow one another come to.

Revision 0016, written 2026-11-26 21:20:00+00:00.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels: str | None = None
depends_on: str | None = None

_FIGURES = ("start_y", "last", "last_y", "low_x", "low_y", "high_x", "high_y")

_FILL = """
    INSERT INTO metric_runs (job_id, series, start, start_y, last, last_y, low_x, low_y, high_x, high_y, points)
    SELECT job_id, series, min(x), (array_agg(y ORDER BY x))[1], max(x), (array_agg(y ORDER BY x DESC))[1],
        (array_agg(x ORDER BY y, x))[1], min(y), (array_agg(x ORDER BY y DESC, x))[1], max(y), count(*)
    FROM (
        SELECT job_id, series, x, y, (row_number() OVER (PARTITION BY job_id, series ORDER BY x) - 1) / 32 AS run FROM metrics
    ) AS placed
    GROUP BY job_id, series, run
"""


def upgrade() -> None:
    op.create_table(
        "metric_runs",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("start", sa.Double(), nullable=False),
        *(sa.Column(name, sa.Double(), nullable=False) for name in _FIGURES),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_metric_runs_job_id_jobs"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", "series", "start", name=op.f("pk_metric_runs")),
    )
    op.execute(_FILL)


def downgrade() -> None:
    op.drop_table("metric_runs")
