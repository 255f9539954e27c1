"""What a search would be: counted, bounded, timed, and not stored."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from api.searches import service
from dna_engine.effort import START_SECONDS
from dna_engine.images.info import DIGITS
from dna_engine.space import get_space
from dna_engine.spec import SearchSpec, resolve
from store import datasets
from store.blobs import BlobStore
from store.session import Sessions, transaction
from store.tables import Step
from tests.api.builders import ENGINE_SECONDS, finish
from tests.store.builders import new_worker


def estimate(client: TestClient, **fields: Any) -> dict[str, Any]:
    response = client.post("/searches/estimate", json={"dataset": "digits", **fields})
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def test_nothing_is_stored(client: TestClient) -> None:
    estimate(client)
    assert client.get("/searches").json()["items"] == []


def test_candidates_are_a_decimal_string(shared: TestClient) -> None:
    spec = {"space": "dna-mbconv", "teacher": {"model": "tf_efficientnet_b0"}, "input_size": 224}
    body = estimate(shared, **spec)
    assert body["candidates"] == "195898498887057408"
    assert body["paths"] == 23_046


def test_an_infeasible_budget_is_an_answer(shared: TestClient) -> None:
    body = estimate(shared, budget={"flops": 1000})
    assert (body["feasible"], body["binding"]) == (False, ["flops"])
    assert body["nearest"] == [{"flops": body["feasible_range"]["flops"][0]}]
    assert "1,000" in body["reason"]
    assert body["spec"]["budget"]["flops"] == 1000
    fine = estimate(shared, budget=body["nearest"][0])
    assert (fine["feasible"], fine["reason"], fine["binding"], fine["nearest"]) == (True, None, [], [])


def test_what_would_take_too_long_to_know_is_not_known(shared: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "SELECTION_STEPS", 10)
    budget = {"flops": 1_000_000, "params": 400_000}
    body = estimate(shared, budget=budget)
    assert (body["feasible"], body["binding"], body["nearest"]) == (None, [], [])
    assert "longer" in body["reason"]
    assert shared.post("/searches", json={"dataset": "digits", "budget": budget}).status_code == 201


def test_what_weakens_the_ratings_is_warned_of(client: TestClient, sessions: Sessions) -> None:
    with transaction(sessions) as session:
        new_worker(session).device = "cuda:0"
    assert estimate(client)["warnings"] == []
    body = estimate(client, space="mbconv-small", teacher={"model": "vit_base_patch16_224"})
    assert body["feasible"]
    assert [warning.split()[0] for warning in body["warnings"]] == ["Most", "Block"]


def test_how_pictures_become_squares_is_shown(client: TestClient, sessions: Sessions) -> None:
    with transaction(sessions) as session:
        datasets.create(
            session, DIGITS.model_copy(update={"name": "panoramas", "aspect_ratios": (4.9, 5.0, 5.1)}), fingerprint="f"
        )
    body = estimate(client, dataset="panoramas")
    assert (body["spec"]["resize"], body["spec"]["background"], body["spec"]["flip"]) == ("squash", "white", True)
    assert any("become squares with their sides made equal" in warning for warning in body["warnings"])
    asked = {"resize": "pad", "background": "#102030", "flip": False, "retrain": {"sampling": "by_class"}}
    spec = estimate(client, dataset="panoramas", **asked)["spec"]
    assert {name: spec[name] for name in ("resize", "background", "flip")} == {
        "resize": "pad",
        "background": "#102030",
        "flip": False,
    }
    assert spec["retrain"]["sampling"] == "by_class"


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("resize", "stretch", "'crop', 'pad' or 'squash'"),
        ("background", "purple", "Write a colour as #rrggbb, such as #808080, or as white, black or grey"),
        ("flip", "no", "boolean"),
    ],
)
def test_what_cannot_be_done_with_pictures_is_refused(shared: TestClient, field: str, value: str, says: str) -> None:
    response = shared.post("/searches/estimate", json={"dataset": "digits", field: value})
    (error,) = response.json()["errors"]
    assert (response.status_code, error["pointer"]) == (422, f"#/{field}")
    assert says in error["detail"]


def test_that_no_worker_is_live_is_warned_of(client: TestClient) -> None:
    (warning,) = estimate(client)["warnings"]
    assert warning == "No worker is live: a job waits until one is started (dna worker, or dna up)."


def test_a_search_of_hours_on_a_cpu_is_warned_of_with_what_takes_minutes(
    client: TestClient, sessions: Sessions
) -> None:
    def hints(**fields: Any) -> list[str]:
        said = estimate(client, teacher={"model": "tf_efficientnet_b7", "weights": "train"}, **fields)["warnings"]
        return [warning for warning in said if "hours" in warning]

    (hint,) = hints(input_size=224)
    assert hint.endswith('"input_size": 64, "teacher": {"model": "resnet18", "weights": "train"}.')
    assert hints(input_size=64) == []
    with transaction(sessions) as session:
        new_worker(session).device = "cuda:0"
    assert hints(input_size=224) == []


def test_steps_and_their_device_time(client: TestClient) -> None:
    body = estimate(client)
    assert [step["kind"] for step in body["steps"]] == [
        "teacher", "distill", "rate", *["finalist"] * 8, "select", "train", "train", "export", "export", "pictures",
    ]  # fmt: skip
    assert body["steps"][1]["cells"] == [str(ref) for ref in get_space("mbconv-small").cells]
    assert [step["networks"] for step in body["steps"]][-3:] == [["winner"], ["control"], []]
    assert {step["basis"] for step in body["steps"]} == {"default"}
    assert abs(body["device_seconds"] - sum(step["device_seconds"] for step in body["steps"])) < 1e-9
    alone = estimate(client, retrain={"control": False})
    assert len(alone["steps"]) == 15
    assert alone["device_seconds"] < body["device_seconds"]
    longer = estimate(client, training={"epochs": 40}, retrain={"epochs": 60}, teacher={"epochs": 60})
    rated = estimate(client, select={"finalists": 0})
    assert "finalist" not in {step["kind"] for step in rated["steps"]}
    assert rated["device_seconds"] < body["device_seconds"]
    assert longer["device_seconds"] > 1.4 * body["device_seconds"]


def test_finished_steps_give_the_rate(client: TestClient, sessions: Sessions, blobs: BlobStore) -> None:
    search = client.post("/searches", json={"dataset": "digits"}).json()["id"]
    finish(sessions, blobs, UUID(search))
    body = estimate(client)
    assert {step["basis"] for step in body["steps"]} == {"measured"}
    seconds = {step["kind"]: step["device_seconds"] for step in body["steps"]}
    # Distillation and rating were split in two: as one step, a start and a pass of the teacher are saved.
    assert ENGINE_SECONDS < seconds.pop("distill") < 2 * ENGINE_SECONDS
    assert ENGINE_SECONDS < seconds.pop("rate") < 2 * ENGINE_SECONDS
    assert seconds == dict.fromkeys(("teacher", "finalist", "select", "train", "export", "pictures"), ENGINE_SECONDS)
    epochs = resolve(SearchSpec(dataset="digits"), DIGITS).retrain.epochs
    assert epochs is not None
    twice = {step["kind"]: step["device_seconds"] for step in estimate(client, retrain={"epochs": 2 * epochs})["steps"]}
    assert twice["train"] == START_SECONDS + 2 * (ENGINE_SECONDS - START_SECONDS)


def test_what_several_devices_took_is_the_time_of_each(
    client: TestClient, sessions: Sessions, blobs: BlobStore
) -> None:
    retrain = {"devices": 2}
    search = client.post("/searches", json={"dataset": "digits", "retrain": retrain}).json()["id"]
    finish(sessions, blobs, UUID(search))
    for fields in ({}, {"retrain": retrain}):
        seconds = {step["kind"]: step["device_seconds"] for step in estimate(client, **fields)["steps"]}
        assert seconds["train"] == START_SECONDS + 2 * (ENGINE_SECONDS - START_SECONDS)


def test_devices_that_no_worker_offers_are_warned_of(client: TestClient, sessions: Sessions) -> None:
    asked = {"retrain": {"devices": 2}}
    with transaction(sessions) as session:
        new_worker(session)
    [said] = estimate(client, **asked)["warnings"]
    assert said.startswith("2 devices are asked for, and no live worker offers more than 1")
    made = client.post("/searches", json={"dataset": "digits", **asked}).json()
    assert (made["warnings"], made["waiting_for"]) == ([said], None)
    with transaction(sessions) as session:
        new_worker(session, queues=["gpu", "gpu2"])
    assert client.get(f"/searches/{made['id']}").json()["warnings"] == []


def finish_quickly(client: TestClient, sessions: Sessions, blobs: BlobStore, seconds: float, **fields: Any) -> None:
    """A search of one epoch whose engine ran so long for each step."""
    quick: dict[str, Any] = {part: {"epochs": 1} for part in ("teacher", "training", "retrain")}
    search = UUID(client.post("/searches", json={"dataset": "digits", **quick, **fields}).json()["id"])
    finish(sessions, blobs, search)
    with transaction(sessions) as session:
        session.execute(update(Step).where(Step.job_id == search).values(engine_seconds=seconds))


def test_quick_steps_do_not_make_a_long_search_look_longer(
    client: TestClient, sessions: Sessions, blobs: BlobStore
) -> None:
    """Of three seconds most is beginning."""
    fresh = estimate(client)
    for _ in range(11):
        finish_quickly(client, sessions, blobs, 3.0, select={"finalists": 1})
    for step, before in zip(estimate(client)["steps"], fresh["steps"], strict=True):
        assert step["kind"] in ("select", "export") or step["device_seconds"] <= before["device_seconds"]
    finish(sessions, blobs, UUID(client.post("/searches", json={"dataset": "digits"}).json()["id"]))
    finish_quickly(client, sessions, blobs, 3.0)
    assert [step["device_seconds"] for step in estimate(client)["steps"] if step["kind"] == "train"] == [
        ENGINE_SECONDS
    ] * 2


def test_quick_steps_show_a_device_that_is_faster_than_the_default(
    client: TestClient, sessions: Sessions, blobs: BlobStore
) -> None:
    fresh = estimate(client)
    finish_quickly(client, sessions, blobs, 0.01)
    body = estimate(client)
    assert {step["basis"] for step in body["steps"]} == {"measured"}
    assert body["device_seconds"] < fresh["device_seconds"] / 2


def test_steps_are_taken_together_by_their_work(client: TestClient, sessions: Sessions, blobs: BlobStore) -> None:
    for seconds in (ENGINE_SECONDS, ENGINE_SECONDS):
        finish_quickly(client, sessions, blobs, seconds)
    finish(sessions, blobs, UUID(client.post("/searches", json={"dataset": "digits"}).json()["id"]))
    seconds = {step["kind"]: step["device_seconds"] for step in estimate(client)["steps"]}
    assert ENGINE_SECONDS < seconds["train"] < 3 * ENGINE_SECONDS
