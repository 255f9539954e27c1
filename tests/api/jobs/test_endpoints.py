"""What can be done to jobs of all kinds: the same verbs, states and words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
from starlette.testclient import TestClient

from api.settings import ApiSettings
from dna_engine.events import Log, Metric, Progress
from store import flow, jobs
from store.blobs import BlobStore
from store.claims import Claim
from store.session import Sessions, transaction
from tests.api.builders import finish, new_training, new_tuning, winner
from tests.api.conftest import Finished
from tests.api.problems import problem
from tests.store.builders import new_worker, queued, take


@dataclass
class New:
    """A queued job of a kind, and who works on it."""

    client: TestClient
    sessions: Sessions
    blobs: BlobStore
    kind: str
    plural: str
    id: str

    @property
    def path(self) -> str:
        return f"/{self.plural}/{self.id}"

    def get(self) -> dict[str, Any]:
        body: dict[str, Any] = self.client.get(self.path).json()
        return body

    def post(self, verb: str) -> httpx.Response:
        return self.client.post(f"{self.path}/{verb}")

    def claim(self) -> Claim:
        """Its first step, taken by a worker."""
        with transaction(self.sessions) as session:
            [step] = queued(session, jobs.lock(session, UUID(self.id)))
            return take(session, step, new_worker(session))

    def finish(self) -> None:
        finish(self.sessions, self.blobs, UUID(self.id))


@pytest.fixture(params=["search", "training", "tuning"])
def job(request: pytest.FixtureRequest, client: TestClient, sessions: Sessions, blobs: BlobStore) -> New:
    match request.param:
        case "search":
            made = client.post("/searches", json={"dataset": "digits"}).json()
        case "training":
            made = new_training(client, winner(client, sessions, blobs))
        case "tuning":
            made = new_tuning(client, winner(client, sessions, blobs), trials=1)
    plural = {"search": "searches", "training": "trainings", "tuning": "tunings"}[request.param]
    return New(client, sessions, blobs, request.param, plural, made["id"])


def test_a_queued_one_is_cancelled_at_once_and_resumed(job: New) -> None:
    cancelled = job.post("cancel").json()
    assert cancelled == job.get()
    assert (cancelled["state"], cancelled["steps"][0]["state"]) == ("cancelled", "cancelled")
    assert job.post("cancel").json()["state"] == "cancelled"
    resumed = job.post("resume").json()
    assert (resumed["state"], resumed["steps"][0]["state"], resumed["cancel_requested"]) == ("queued", "queued", False)
    refused = problem(job.post("resume"), 409, "illegal_transition")
    assert refused["detail"] == f"The {job.kind} is queued. Only a failed or cancelled one can be resumed."


def test_one_that_runs_is_cancelled_when_its_engine_has_stopped(job: New) -> None:
    claim = job.claim()
    assert job.get()["state"] == "running"
    asked = job.post("cancel").json()
    assert (asked["state"], asked["cancel_requested"]) == ("running", True)
    assert "Cancel it" in problem(job.client.delete(job.path), 409, "illegal_transition")["detail"]
    with transaction(job.sessions) as session:
        flow.stop(session, claim, engine_seconds=1.0)
    assert job.get()["state"] == "cancelled"
    assert job.post("resume").json()["state"] == "queued"
    job.finish()
    assert (job.get()["state"], job.get()["progress"], job.get()["eta_seconds"]) == ("succeeded", 1.0, None)


def test_one_that_has_failed_says_why_and_is_resumed(job: New) -> None:
    claim = job.claim()
    error = {"code": "data_error", "message": "Image 3 is broken.", "param": "dataset"}
    with transaction(job.sessions) as session:
        flow.fail(session, claim, error, engine_seconds=1.0, retry=False)
    failed = job.get()
    assert (failed["state"], failed["error"]) == ("failed", error | {"step": claim.step.key})
    assert failed["steps"][0]["error"] == error | {"step": None}
    assert "has failed" in problem(job.post("cancel"), 409, "illegal_transition")["detail"]
    resumed = job.post("resume").json()
    assert (resumed["state"], resumed["error"], resumed["steps"][0]["attempt"]) == ("queued", None, 0)


def test_one_that_has_succeeded_is_left_as_it_is(finished: Finished, trained: Finished) -> None:
    for kind, done in (("search", finished), ("training", trained)):
        path = f"/{done.kind}/{done.id}"
        said = problem(done.client.post(f"{path}/cancel"), 409, "illegal_transition")["detail"]
        assert said == f"The {kind} has succeeded; there is nothing to cancel."
        said = problem(done.client.post(f"{path}/resume"), 409, "illegal_transition")["detail"]
        assert said == f"The {kind} has succeeded. Only a failed or cancelled one can be resumed."


def test_deleting_takes_the_files_along(job: New, api_settings: ApiSettings) -> None:
    folder = api_settings.data_dir / "artifacts"

    def stored() -> set[str]:
        return {str(path) for path in folder.rglob("*") if path.is_file()}

    before = stored()
    refused = problem(job.client.delete(job.path), 409, "illegal_transition")
    assert refused["detail"] == f"The {job.kind} is queued. Cancel it, then delete it."
    job.finish()
    assert stored() > before or job.kind == "tuning"
    response = job.client.delete(job.path)
    assert (response.status_code, response.content) == (204, b"")
    assert stored() == before
    for method, part in (("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("POST", "/resume"), ("GET", "/events"), ("GET", "/metrics")):  # fmt: skip
        answer = problem(job.client.request(method, f"{job.path}{part}"), 404, "not_found")
        assert answer["detail"] == f"There is no {job.kind} {job.id}."


def test_what_is_reported_is_told_and_kept(job: New) -> None:
    claim = job.claim()
    batch: list[Progress | Metric | Log] = [
        Progress(done=3, total=12, unit="epochs", eta_seconds=9.0),
        Metric(series=f"{claim.step.key}/loss", x=1, y=0.25),
        Metric(series=f"{claim.step.key}/loss", x=2, y=0.125),
        Metric(series="other/loss", x=1, y=1.0),
        Log(message="a line"),
    ]
    with transaction(job.sessions) as session:
        flow.report(session, claim, batch, engine_seconds=1.0)
    shown = job.get()
    assert (shown["steps"][0]["done"], shown["steps"][0]["total"], shown["steps"][0]["unit"]) == (3, 12, "epochs")
    series = job.client.get(f"{job.path}/metrics").json()["series"]
    assert series == {f"{claim.step.key}/loss": [[1, 0.25], [2, 0.125]], "other/loss": [[1, 1.0]]}
    assert list(job.client.get(f"{job.path}/metrics", params={"prefix": "other"}).json()["series"]) == ["other/loss"]
    job.post("cancel")
    with transaction(job.sessions) as session:
        flow.stop(session, claim, engine_seconds=1.0)
    told = job.client.get(f"{job.path}/events").text
    data = [json.loads(line.removeprefix("data: ")) for line in told.split("\n") if line.startswith("data: ")]
    [progress] = [each for each in data if "done" in each]
    assert (progress["done"], progress["phase"], progress["progress"]) == (3, shown["phase"], shown["progress"])
    assert progress["job_eta_seconds"] == shown["eta_seconds"]
    assert [each["message"] for each in data if "message" in each] == ["a line"]
    assert data[-1]["state"] == "cancelled"
    last = told.rstrip("\n").rpartition("id: ")[2]
    over = job.client.get(f"{job.path}/events", headers={"last-event-id": last})
    assert (over.status_code, over.content) == (204, b"")


@pytest.mark.parametrize("kind", ["searches", "trainings", "tunings"])
@pytest.mark.parametrize("wrong", ["x", "0199d3f0-5a34-7c1e-b6a8-0d6f6f3f7a10x", "%00"])
def test_what_is_no_id_leads_nowhere(shared: TestClient, kind: str, wrong: str) -> None:
    for method, part in (("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("POST", "/resume"), ("GET", "/events")):
        problem(shared.request(method, f"/{kind}/{wrong}{part}"), 404, "not_found")


def test_what_was_written_is_shown_and_asks_for_the_same(job: New) -> None:
    renamed = {"name": "called so", "labels": {"team": "vision"}}
    headers = {"content-type": "application/merge-patch+json"}
    job.client.patch(job.path, content=json.dumps(renamed), headers=headers).raise_for_status()
    found = job.get()
    assert renamed.items() <= found["written"].items()
    again = job.client.post(f"/{job.plural}", json=found["written"])
    assert again.status_code == 201, again.text
    assert {**again.json()["spec"], "name": ""} == {**found["spec"], "name": ""} | {"labels": renamed["labels"]}
