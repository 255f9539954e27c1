"""A database with one of everything that a page shows, as a worker would have left it."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from PIL import Image
from starlette.testclient import TestClient

from dna_engine.events import Log, Metric, Progress
from dna_engine.plans import Phase
from store import events, flow, tunings, workers
from store.blobs import BlobStore
from store.events import Point
from store.session import Sessions, transaction
from store.tables import Job, Worker
from store.workers import Condition
from tests.api.builders import finish, new_training, new_tuning
from tests.checks import run_check
from tests.store.builders import queued, take
from tests.untidy import zipped

#: How long a claimed step stays claimed: longer than any run of the tests.
_LEASE_SECONDS = 86_400.0

ERROR = "The teacher's loss is not finite from step 3 on; try a lower learning rate."


@dataclass(frozen=True)
class Filled:
    """Ids of what there is; every search is on ``digits``.

    Attributes:
        search, other: have succeeded, with other budgets: to be compared.
        running: of which one step is claimed and half done; the others of its phase wait.
        failed: by ``ERROR``.
        queued, cancelled: searches that nobody has begun.
        network, control: of ``search``.
        training: alone, of ``network``, succeeded; ``waiting`` is queued.
        tuning: of ``network``, succeeded.
        dataset: name of an uploaded one, checked, with pictures of the classes ``owl`` and ``wren``.
        key: id of a key; ``webhook`` of a webhook that nobody answers.
    """

    search: str
    other: str
    running: str
    failed: str
    queued: str
    cancelled: str
    network: str
    control: str
    training: str
    waiting: str
    tuning: str
    dataset: str
    key: str
    webhook: str


def fill(client: TestClient, sessions: Sessions, blobs: BlobStore, folder: Path) -> Filled:
    """Makes it through the API, and plays the worker; ``folder`` is where a worker would work."""
    search = _search(client, name="digits on a phone", labels={"team": "vision", "for": "phone"})
    other = _search(client, name="digits on a watch", budget={"flops": "600k"}, retrain={"references": ["lcnet_100"]})
    for found in (search, other):
        _tell(sessions, found)
        finish(sessions, blobs, UUID(found))
    networks = {network["role"]: network["id"] for network in _get(client, f"/searches/{search}")["architectures"]}
    training = new_training(client, networks["winner"], name="the winner again", labels={"team": "vision"})["id"]
    tuning = new_tuning(client, networks["winner"], name="a recipe for the winner", trials=8)["id"]
    for job in (training, tuning):
        finish(sessions, blobs, UUID(job))
    _try(sessions, tuning)
    cancelled = _search(client, name="never begun")
    _post(client, f"/searches/{cancelled}/cancel")
    running = _search(client, name="digits, slowly")
    _run(sessions, blobs, running)
    failed = _search(client, name="digits, too fast")
    _fail(sessions, failed)
    return Filled(
        search=search,
        other=other,
        running=running,
        failed=failed,
        queued=_search(client, name="digits, later"),
        cancelled=cancelled,
        network=networks["winner"],
        control=networks["control"],
        training=training,
        waiting=new_training(client, networks["control"], name="the control again")["id"],
        tuning=tuning,
        dataset=_dataset(client, sessions, blobs, folder),
        key=_post(client, "/keys", name="laptop", project="default", scopes=["read", "run"])["id"],
        webhook=_post(client, "/webhooks", url="http://127.0.0.1:9/", description="The chat of the team")["id"],
    )


def picture(hue: int, seed: int = 0) -> bytes:
    """A PNG of 32 pixels, mostly of that hue (0 to 255)."""
    noise = np.random.default_rng(seed).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    noise[..., 0] = hue
    file = io.BytesIO()
    Image.fromarray(noise, "HSV").convert("RGB").save(file, "PNG")
    return file.getvalue()


def _search(client: TestClient, **fields: Any) -> str:
    return str(_post(client, "/searches", dataset="digits", **fields)["id"])


def _tell(sessions: Sessions, job_id: str) -> None:
    """The losses of its cells and of its winner, and a log, as of a search that went well."""
    with transaction(sessions) as session:
        spec = session.get_one(Job, UUID(job_id)).resolved
        cells = [
            (block, cell)
            for block, described in enumerate(spec["space"]["blocks"], start=1)
            for cell, _ in enumerate(described["cells"], start=1)
        ]
        points = [
            Point(f"distill/b{block}c{cell}/loss", step, block * 0.2 * math.exp(-step / 400) + 0.02 * cell)
            for block, cell in cells
            for step in range(10, 1500, 10)
        ]
        for epoch in range(1, 21):
            points += [
                Point("train/winner/loss", epoch, 2.3 * math.exp(-epoch / 5)),
                Point("train/winner/accuracy", epoch, 1 - 0.9 * math.exp(-epoch / 4)),
                Point("train/control/loss", epoch, 2.3 * math.exp(-epoch / 7)),
                Point("train/control/accuracy", epoch, 1 - 0.9 * math.exp(-epoch / 5)),
            ]
        events.add_points(session, UUID(job_id), points)


def _try(sessions: Sessions, tuning_id: str) -> None:
    """What each trial tried, and how its accuracy rose: the higher the learning rate, the better."""
    with transaction(sessions) as session:
        for row in tunings.trials(session, UUID(tuning_id)):
            planned = row.step.planned
            assert planned.trial is not None
            number, found = planned.trial.number, row.found
            assert found is not None
            params = {
                "learning_rate": 3e-4 * 1.7**number,
                "weight_decay": 0.01 * (1 + number % 3),
                "label_smoothing": 0.1,
            }
            trial = planned.trial.model_copy(update={"params": params})
            row.step.payload = planned.model_copy(update={"trial": trial}).model_dump(mode="json")
            row.step.values = found.model_copy(update={"value": 0.5 + 0.05 * number}).model_dump(mode="json")
            curve = [
                Point(tunings.curve_of(row.step.key), epoch, (0.5 + 0.05 * number) * epoch / 4) for epoch in range(1, 5)
            ]
            events.add_points(session, UUID(tuning_id), curve)


def _run(sessions: Sessions, blobs: BlobStore, job_id: str) -> None:
    """Its teacher is trained; the first cells are half way, told of by another worker."""
    finish(sessions, blobs, UUID(job_id), until=Phase.TEACHER)
    with transaction(sessions) as session:
        worker = _worker(session, "gpu-1")
        step, *_ = queued(session, session.get_one(Job, UUID(job_id)))
        claim = flow.claim(session, step.id, worker, lease_seconds=_LEASE_SECONDS)
        assert claim is not None
        workers.beat(session, worker, current_step_id=step.id)
        cut_off = _worker(session, "gpu-3")
        workers.beat(session, cut_off, current_step_id=None, condition=Condition(redis_answers=False))
        said = [
            Log(message="Distilling half of the cells."),
            Log(level="warning", message="The images are decoded more slowly than the device takes them."),
            *(Metric(series="distill/b1c1/loss", x=x, y=math.exp(-x / 300)) for x in range(10, 500, 10)),
            Progress(done=500, total=1000, eta_seconds=90, parts=["b1c1"]),
        ]
        flow.report(session, claim, said, engine_seconds=60)


def _fail(sessions: Sessions, job_id: str) -> None:
    with transaction(sessions) as session:
        [step] = queued(session, session.get_one(Job, UUID(job_id)))
        claim = take(session, step, _worker(session, "gpu-2"))
        flow.report(session, claim, [Log(level="error", message=ERROR)], engine_seconds=5)
        error = {"code": "diverged", "message": ERROR, "param": None}
        flow.fail(session, claim, error, engine_seconds=5, retry=False)


def _worker(session: Any, hostname: str) -> Worker:
    return workers.register(
        session,
        hostname=hostname,
        pid=4711,
        device="cuda:0",
        device_name="NVIDIA H100 80GB HBM3",
        queues=["gpu"],
        versions={"torch": "2.14.1", "timm": "1.0.31"},
    )


def _dataset(client: TestClient, sessions: Sessions, blobs: BlobStore, folder: Path) -> str:
    """Ten pictures of owls and wrens, blue and red, sent as a zip and checked."""
    files = {
        f"{name}/{number}.png": picture(hue, number)
        for name, hue in (("owl", 160), ("wren", 0))
        for number in range(hue, hue + 10)
    }
    sent = client.post("/datasets", files={"file": ("birds.zip", zipped(files))})
    assert sent.status_code == 202, sent.text
    run_check(sessions, blobs, sent.json()["id"], folder)
    return "birds"


def _post(client: TestClient, path: str, **body: Any) -> Any:
    response = client.post(path, json=body)
    assert response.is_success, response.text
    return response.json()


def _get(client: TestClient, path: str) -> Any:
    response = client.get(path)
    assert response.is_success, response.text
    return response.json()
