# ruff: noqa: N999
"""Networks say by which training, on which dataset, they are as accurate as they say; and those that no search has trained are as accurate, and
cost what was counted, as their own trainings have found.

Revision 0025, written 2026-11-27 05:30:00+00:00.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0025"
down_revision: str | None = "0024"
branch_labels: str | None = None
depends_on: str | None = None

# As ``store.accuracies`` had it when this was written: that of its search, else the best on the images of its search, else the newest.
_JUDGE = """
    UPDATE architectures SET test_accuracy = found.test_accuracy, test_dataset = found.dataset,
        test_training_id = found.training_id
    FROM (
        SELECT DISTINCT ON (network.id) network.id, training.test_accuracy, job.dataset, training.id AS training_id
        FROM trainings AS training
        JOIN jobs AS job ON job.id = training.job_id
        JOIN architectures AS network ON network.id = training.architecture_id
        LEFT JOIN jobs AS search ON search.id = network.search_id
        WHERE training.test_accuracy IS NOT NULL AND training.project_id = network.project_id AND (
            search.id IS NULL OR search.id = training.job_id
            OR (job.resolved #> '{dataset,name}' = search.resolved #> '{dataset,name}'
                AND job.resolved #> '{dataset,version}' = search.resolved #> '{dataset,version}')
        )
        ORDER BY network.id, (training.job_id IS NOT DISTINCT FROM search.id) DESC,
            CASE WHEN search.id IS NOT NULL THEN training.test_accuracy END DESC, training.id DESC
    ) AS found
    WHERE architectures.id = found.id
"""
# Built as they are, with as many classes and for images of the same size, they cost by formula what the training says.
_COUNT = """
    UPDATE architectures SET
        counted_flops = (training.values #>> '{counted,flops}')::bigint,
        counted_params = (training.values #>> '{counted,params}')::bigint
    FROM trainings AS training
    WHERE training.architecture_id = architectures.id AND architectures.counted_flops IS NULL
        AND (training.values #>> '{predicted,flops}')::bigint = architectures.flops
        AND (training.values #>> '{predicted,params}')::bigint = architectures.params
"""


def upgrade() -> None:
    op.add_column("architectures", sa.Column("test_dataset", sa.Text(), nullable=True))
    op.add_column("architectures", sa.Column("test_training_id", sa.Uuid(), nullable=True))
    op.execute(_JUDGE)
    op.execute(_COUNT)


def downgrade() -> None:
    op.drop_column("architectures", "test_training_id")
    op.drop_column("architectures", "test_dataset")
