"""The one task: a step waits."""

from __future__ import annotations

import logging
from collections.abc import Callable
from uuid import UUID

from celery import Celery, Task

from store.outbox import RUN_STEP

logger = logging.getLogger("dna.worker.tasks")


def register(app: Celery, run: Callable[[UUID, str], None]) -> None:
    """Adds the task to the application. ``run`` claims what is next in the queue that the message came by, or finds that there is nothing to do."""

    @app.task(name=RUN_STEP, bind=True)  # type: ignore[untyped-decorator]
    def run_step(task: Task, step_id: object) -> None:
        """Acknowledges and drops what names no step: a forged message must not come again."""
        try:
            parsed = UUID(str(step_id))
        except ValueError:
            logger.warning("Dropped a message whose step id is malformed: %.80r", step_id)
            return
        run(parsed, task.request.delivery_info["routing_key"])
