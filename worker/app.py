"""The Celery application. Messages are only ids and only hints: what is to be done stands in PostgreSQL.

A node has one thread for one step. The thread waits for the engine's process, so ending that process ends the task; Celery's
revoke and time limits are not needed, and the node answers pings while it works.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from celery import Celery

from store.settings import Settings

#: Longer than any step takes: Redis must not hand out a message again while its step runs.
VISIBILITY = timedelta(days=7)

CONNECT_SECONDS = 2.0

#: A Redis that is frozen must not hold up who sends; longer than a consumer asks it to wait for a message.
ANSWER_SECONDS = 5.0


def make_app(settings: Settings) -> Celery:
    """An application on ``settings.redis_url``; connects when first used."""
    app = Celery("dna", broker=settings.redis_url, set_as_current=False)
    app.conf.update(configuration(settings))
    return app


def configuration(settings: Settings) -> dict[str, Any]:
    """Celery's settings."""
    return {
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_ignore_result": True,
        # A message is acknowledged when its step has ended; one whose node died may come again, and is then dropped.
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "worker_prefetch_multiplier": 1,
        "worker_pool": "threads",
        "worker_concurrency": 1,
        # A step whose node loses Redis goes on: its lease is in PostgreSQL.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "worker_send_task_events": False,
        "worker_soft_shutdown_timeout": settings.stop_grace_seconds + 2.0,
        "broker_transport": "worker.transport:Transport",
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_transport_options": {
            "visibility_timeout": VISIBILITY.total_seconds(),
            # Of a sender: the outbox keeps what Redis does not take at once, and tries again.
            "max_retries": 0,
            "socket_connect_timeout": CONNECT_SECONDS,
            "socket_timeout": ANSWER_SECONDS,
        },
    }
