"""Pictures of a search: shown by a browser, safe there, and missing for a reason."""

from __future__ import annotations

from uuid import UUID

import pytest
from starlette.testclient import TestClient

from dna_engine.plans import Phase
from store.blobs import BlobStore
from store.session import Sessions
from tests.api.builders import FEW_TRIED, finish
from tests.api.conftest import Finished
from tests.api.problems import problem


@pytest.mark.parametrize("picture", ["loss", "features", "frontier"])
def test_a_browser_shows_it_and_runs_nothing_in_it(finished: Finished, picture: str) -> None:
    response = finished.get(f"/pictures/{picture}")
    assert (response.status_code, response.headers["content-type"]) == (200, "image/svg+xml")
    assert response.content == f"content of pictures/{picture}.svg".encode()
    assert response.headers["content-disposition"] == f'inline; filename="{picture}-{finished.id}.svg"'
    # A picture holds pictures, written into it, and styles. Nothing comes from elsewhere, and no script runs.
    assert (
        response.headers["content-security-policy"]
        == "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
    )
    again = finished.client.get(
        f"/searches/{finished.id}/pictures/{picture}", headers={"If-None-Match": response.headers["etag"]}
    )
    assert again.status_code == 304


def test_there_are_no_others(finished: Finished) -> None:
    problem(finished.get("/pictures/teacher"), 404, "not_found")
    problem(finished.client.get(f"/searches/{UUID(int=1)}/pictures/loss"), 404, "not_found")


def test_before_they_are_drawn(client: TestClient, sessions: Sessions, blobs: BlobStore) -> None:
    search = client.post("/searches", json=FEW_TRIED).json()["id"]
    finish(sessions, blobs, UUID(search), until=Phase.SELECT)
    assert "in phase train" in problem(client.get(f"/searches/{search}/pictures/loss"), 409, "conflict")["detail"]
    client.post(f"/searches/{search}/cancel")
    assert "cancelled" in problem(client.get(f"/searches/{search}/pictures/loss"), 404, "not_found")["detail"]
