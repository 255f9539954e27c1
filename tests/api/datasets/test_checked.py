"""What is read of a dataset that was checked: report, classes page by page, pictures, events."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from starlette.testclient import TestClient

from api.datasets.schemas import NAMES_SHOWN
from store import datasets, flow
from store.session import transaction
from tests.api.datasets.conftest import BIRDS, Bench, send
from tests.api.problems import problem
from tests.checks import claimed
from tests.dna_engine.images.test_archive import zipped


def test_the_report_is_kept_and_shown(bench: Bench) -> None:
    made = send(bench.client, zipped(BIRDS))
    problem(bench.client.get("/datasets/birds/report"), 409, "conflict")
    problem(bench.client.get("/datasets/birds/samples", params={"class": "owl"}), 409, "conflict")
    bench.check(made)
    report = bench.client.get("/datasets/birds/report").json()
    assert report["splits"] == {"train": 8, "test": 2}
    assert report["classes"] == [{"name": name, "images": {"train": 4, "test": 1}} for name in ("owl", "wren")]
    assert (report["num_classes"], report["modes"], report["formats"]) == (2, {"RGB": 10}, {"PNG": 10})
    assert report["sizes"]["histogram"] == [{"start": 8, "end": 16, "images": 10}]
    assert {finding["code"] for finding in report["findings"]} == {"few_test_images", "tiny_classes"}


def test_pictures_of_a_class_are_small_jpegs_of_the_services_own(bench: Bench) -> None:
    bench.send(zipped({**BIRDS, "owl/x.html.png": BIRDS["owl/0.png"]}))
    samples = bench.client.get("/datasets/birds/samples", params={"class": "owl"}).json()
    assert samples["class"] == "owl"
    assert len(samples["items"]) == 5
    assert {(sample["width"], sample["height"]) for sample in samples["items"]} == {(12, 10)}
    answer = bench.client.get(samples["items"][0]["url"])
    assert Image.open(io.BytesIO(answer.content)).format == "JPEG"
    assert (answer.headers["content-type"], answer.headers["x-content-type-options"]) == ("image/jpeg", "nosniff")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["content-disposition"].startswith("inline")
    again = bench.client.get(samples["items"][0]["url"], headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304
    problem(bench.client.get("/datasets/birds/samples", params={"class": "lark"}), 404, "not_found")
    problem(bench.client.get("/datasets/birds/samples/0/99"), 404, "not_found")
    problem(bench.client.get("/datasets/birds/samples/7/0"), 404, "not_found")


def test_a_thousand_classes_come_in_pages(bench: Bench) -> None:
    one = BIRDS["owl/0.png"]
    made = bench.send(zipped({f"c{label:04}/{n}.png": one for label in range(1000) for n in range(2)}))
    assert (made["num_classes"], len(made["class_names"])) == (1000, NAMES_SHOWN)
    listed = bench.client.get("/datasets", params={"limit": 1}).json()["items"][0]
    assert len(listed["class_names"]) == NAMES_SHOWN
    report = bench.client.get("/datasets/birds/report")
    assert (report.json()["num_classes"], len(report.json()["classes"])) == (1000, NAMES_SHOWN)
    assert len(report.content) < 20_000
    names, cursor = [], None
    while cursor or not names:
        page = bench.client.get(
            "/datasets/birds/classes", params={"limit": 200} | ({"cursor": cursor} if cursor else {})
        ).json()
        names += [item["name"] for item in page["items"]]
        cursor = page["next"]
    assert names == [f"c{label:04}" for label in range(1000)]
    problem(bench.client.get("/datasets/birds/classes", params={"cursor": "eA"}), 422, "invalid_request")


def test_its_events_are_those_of_a_job(bench: Bench) -> None:
    made = send(bench.client, zipped(BIRDS))
    bench.check(made)
    text = bench.client.get("/datasets/birds/events").text
    assert [line.removeprefix("event: ") for line in text.splitlines() if line.startswith("event:")] == [
        "state", "state", "step", "step", "state",
    ]  # fmt: skip
    last = text.rpartition("id: ")[2].strip()
    assert bench.client.get("/datasets/birds/events", headers={"Last-Event-ID": last}).status_code == 204
    assert bench.client.get("/datasets/digits/events").status_code == 204


def test_how_far_it_is_is_told_while_it_is_checked(bench: Bench) -> None:
    made = send(bench.client, zipped(BIRDS)).json()
    assert made["waiting_for"].startswith("a worker; none is live")
    claimed(bench.sessions, made["id"])
    seen = bench.client.get("/datasets/birds").json()
    assert (seen["state"], seen["progress"], seen["waiting_for"]) == ("checking", 0.0, None)
    assert 'dna_checks{state="running"} 1.0' in bench.client.get("/metrics").text


def test_what_ships_with_the_service_was_never_checked_and_is_shown(client: TestClient) -> None:
    problem(client.get("/datasets/digits/report"), 404, "not_found")
    counted = client.get("/datasets/digits/classes").json()["items"]
    assert [item["name"] for item in counted] == list("0123456789")
    assert sum(item["images"]["train"] for item in counted) == client.get("/datasets/digits").json()["num_train"]
    samples = client.get("/datasets/digits/samples", params={"class": "3"}).json()["items"]
    answers = [client.get(sample["url"]) for sample in samples]
    assert {answer.headers["content-type"] for answer in answers} == {"image/jpeg"}
    assert len({answer.content for answer in answers}) == 10
    problem(client.get("/datasets/digits/samples", params={"class": "11"}), 404, "not_found")
    problem(client.get("/datasets/digits/samples/0/99"), 404, "not_found")


@pytest.mark.parametrize("crashes", [1, 3])
def test_a_check_whose_worker_is_lost_is_done_again_or_given_up(bench: Bench, crashes: int) -> None:
    made = send(bench.client, zipped(BIRDS))
    for _ in range(crashes):
        claim = claimed(bench.sessions, made.json()["id"])
        error = {"code": "worker_lost", "message": "The worker was lost.", "param": None}
        with transaction(bench.sessions) as session:
            flow.fail(session, claim, error, engine_seconds=1.0, retry=True)
    if crashes == 1:
        assert bench.check(made)["state"] == "ready"
        return
    seen = bench.client.get("/datasets/birds").json()
    assert (seen["state"], seen["error"]["code"]) == ("rejected", "worker_lost")
    with transaction(bench.sessions) as session:
        datasets.delete(session, datasets.find(session, "birds"))
