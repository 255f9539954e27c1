"""Series one by one: which there are, and all points of one, page by page."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from starlette.testclient import TestClient

from store import events
from store.events import Point
from store.session import Sessions, transaction
from tests.api.problems import problem


def test_series_are_listed_and_read_by_stretches(client: TestClient, sessions: Sessions) -> None:
    search = client.post("/searches", json={"dataset": "digits"}).json()["id"]
    path = f"/searches/{search}/metrics"
    with transaction(sessions) as session:
        several = [Point("a/loss", x, x / 10) for x in range(5)] + [Point("a/lr", 0.5, 1.0), Point("b", -1.5, 2.0)]
        events.add_points(session, UUID(search), several)

    def items(kind: str, limit: int, **params: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            response = client.get(f"{path}/{kind}", params={"limit": limit, **params, **cursor})
            assert response.status_code == 200, response.text
            page = response.json()
            found += page["items"]
            if page["next"] is None:
                return found
            cursor = {"cursor": page["next"]}

    for limit in (1, 2, 50):
        assert items("series", limit) == [
            {"name": "a/loss", "points": 5, "first": 0.0, "last": 4.0},
            {"name": "a/lr", "points": 1, "first": 0.5, "last": 0.5},
            {"name": "b", "points": 1, "first": -1.5, "last": -1.5},
        ]
        assert [series["name"] for series in items("series", limit, prefix="a/")] == ["a/loss", "a/lr"]
        assert [point["x"] for point in items("points", limit, series="a/loss")] == [0, 1, 2, 3, 4]
        assert items("points", limit, series="a/loss", x_min=1, x_max=2) == [{"x": 1, "y": 0.1}, {"x": 2, "y": 0.2}]
        assert items("points", limit, series="b", x_min=0) == []
    stretch = client.get(path, params={"prefix": "a/", "x_min": 0.5, "x_max": 2}).json()["series"]
    assert stretch == {"a/loss": [[1, 0.1], [2, 0.2]], "a/lr": [[0.5, 1]]}
    unknown = problem(client.get(f"{path}/points", params={"series": "a/los"}), 404, "not_found")
    assert unknown["detail"] == (
        "There is no series 'a/los'. Did you mean a/loss? The list /metrics/series has those that there are."
    )
    cursor = client.get(f"{path}/points", params={"series": "a/loss", "limit": 1}).json()["next"]
    other = client.get(f"{path}/points", params={"series": "b", "cursor": cursor})
    assert "another series" in problem(other, 422, "invalid_request")["detail"]
    cursor = client.get(f"{path}/series", params={"limit": 1}).json()["next"]
    problem(client.get(f"{path}/series", params={"prefix": "a", "cursor": cursor}), 422, "invalid_request")
    problem(client.get(f"{path}/points"), 422, "invalid_request")
