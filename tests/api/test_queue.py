"""What a request puts into the outbox reaches Redis after the commit, and Redis may be down."""

from __future__ import annotations

import base64
import json
import socket

import redis
from sqlalchemy import select
from starlette.testclient import TestClient

from api.app import create_app
from api.queue import Queue
from api.settings import ApiSettings
from store.outbox import RUN_STEP
from store.session import Sessions, make_engine, make_sessions, transaction
from store.tables import OutboxMessage
from tests.api.conftest import LOCAL


def test_a_new_search_wakes_the_workers(client: TestClient, redis_url: str) -> None:
    search = client.post("/searches", json={"dataset": "digits"}).json()
    with redis.Redis.from_url(redis_url) as connection:
        (message,) = connection.lrange("gpu", 0, -1)
    envelope = json.loads(message)
    assert envelope["headers"]["task"] == RUN_STEP
    assert envelope["content-type"] == "application/json"
    _, arguments, _ = json.loads(base64.b64decode(envelope["body"]))
    assert arguments == {"step_id": search["steps"][0]["id"]}


def test_redis_down_fails_no_request(api_settings: ApiSettings, sessions: Sessions) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # Bound, never listening: connections are refused.
        dead = api_settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{taken.getsockname()[1]}/0"})
        with TestClient(create_app(dead), base_url=LOCAL) as client:
            assert client.post("/searches", json={"dataset": "digits"}).status_code == 201
            ready = client.get("/readyz")
            assert (ready.status_code, ready.json()["redis"]) == (200, False), "who balances load must not leave it out"
            assert any(
                "Redis does not answer the API: jobs are taken" in warning for warning in ready.json()["warnings"]
            )
    with transaction(sessions) as session:
        (message,) = session.scalars(select(OutboxMessage))
        assert message.sent_at is None


def test_a_database_that_goes_away_after_the_request_fails_nothing(redis_url: str) -> None:
    queue = Queue(redis_url, make_sessions(make_engine("postgresql://127.0.0.1:1/dna")))
    assert queue.send_pending() == 0
    queue.close()
