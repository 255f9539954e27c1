"""The service as it runs: an API process, worker processes, real servers, and a search small enough for a test."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from store.settings import Settings
from tests.dna_client.conftest import running_api

#: Two blocks, two cells in the first, two ops; a few seconds for each step.
SPEC: dict[str, Any] = {
    "dataset": "digits",
    "input_size": 16,
    "teacher": {"epochs": 1},
    "space": {
        "name": "tiny",
        "ops": ["mb3_3x3", "mb6_3x3"],
        "blocks": [
            {"stride": 2, "cells": [{"depth": 1, "width": 16}, {"depth": 2, "width": 16}]},
            {"stride": 2, "cells": [{"depth": 2, "width": 24}]},
        ],
        "stem_width": 16,
        "first_width": 8,
        "head_width": 64,
    },
    "training": {"epochs": 1, "batch_size": 64},
    "rating": {"images": 64},
    "retrain": {"epochs": 1},
}


class Service:
    """An API and one machine's worker; ``start_worker`` and ``kill_worker`` as often as a test likes."""

    def __init__(self, url: str, environment: dict[str, str]) -> None:
        self.http = httpx.Client(base_url=url, timeout=30)
        self.environment = environment
        self.worker: subprocess.Popen[bytes] | None = None

    def start_worker(self) -> None:
        command = [sys.executable, "-m", "worker"]
        self.worker = subprocess.Popen(command, env=self.environment, start_new_session=True)

    def kill_worker(self) -> None:
        """SIGKILL of the worker and its nodes, as when the machine runs out of memory."""
        assert self.worker is not None
        os.killpg(self.worker.pid, signal.SIGKILL)
        self.worker.wait(10)

    def stop_worker(self) -> None:
        if self.worker is not None and self.worker.poll() is None:
            self.worker.terminate()
            self.worker.wait(20)

    def post(self, spec: dict[str, Any]) -> str:
        answer = self.http.post("/searches", json=spec)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def search(self, search_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.http.get(f"/searches/{search_id}").raise_for_status().json()
        return answer

    def wait(self, search_id: str, *, state: str = "succeeded", seconds: float = 120) -> dict[str, Any]:
        """The search once it is in that state; fails when it ends in another."""
        deadline = time.monotonic() + seconds
        while (search := self.search(search_id))["state"] != state:
            assert search["state"] in {"queued", "running"}, search["error"]
            assert time.monotonic() < deadline, f"{search['state']}, {search['phase']}"
            time.sleep(0.1)
        return search

    def ratings(self, search_id: str) -> list[dict[str, Any]]:
        """Every candidate's rating, through all pages."""
        items: list[dict[str, Any]] = []
        query: dict[str, Any] = {"limit": 100}
        while True:
            page = self.http.get(f"/searches/{search_id}/ratings", params=query).raise_for_status().json()
            items += page["items"]
            if page["next"] is None:
                return items
            query["cursor"] = page["next"]


@pytest.fixture
def service(settings: Settings, tmp_path: Path) -> Iterator[Service]:
    assert settings.database_url is not None
    assert settings.redis_url is not None
    environment = os.environ | {
        "DNA_DATABASE_URL": settings.database_url,
        "DNA_REDIS_URL": settings.redis_url,
        "DNA_DATA_DIR": str(tmp_path),
        "DNA_DEVICE": "cpu",
        "DNA_LEASE_SECONDS": "4",
        "DNA_LEASE_RENEW_SECONDS": "1",
        "DNA_REAP_SECONDS": "0.5",
        "DNA_CHECKPOINT_SECONDS": "0.2",
    }
    with running_api(settings.database_url, settings.redis_url, tmp_path) as url:
        service = Service(url, environment)
        yield service
        service.stop_worker()
        service.http.close()
