"""Alive and ready."""

from __future__ import annotations

import io
import shutil
import zipfile

from anyio import to_thread
from PIL import Image
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import ApiSettings
from store.migrate import downgrade
from store.session import Sessions, transaction
from tests.api.conftest import LOCAL
from tests.api.problems import problem
from tests.conftest import SmallDisk
from tests.store.builders import new_worker


def test_ready_says_what_it_looked_at(client: TestClient, sessions: Sessions) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    ready = client.get("/readyz").json()
    assert ready | {"warnings": []} == {
        "database": True, "migrations": True, "redis": True, "files": True, "workers": 0, "warnings": [],
    }  # fmt: skip
    assert [warning[:17] for warning in ready["warnings"]] == ["No worker is live"]
    with transaction(sessions) as session:
        new_worker(session, queues=["gpu"])
    ready = client.get("/readyz").json()
    assert [warning[:34] for warning in ready["warnings"]] == ["No live worker takes the queue cpu"]
    with transaction(sessions) as session:
        new_worker(session, queues=["cpu"])
    ready = client.get("/readyz").json()
    assert (ready["workers"], ready["warnings"]) == (2, [])


def test_files_that_cannot_be_reached_are_not_ready(client: TestClient, api_settings: ApiSettings) -> None:
    """A file where the folder of the datasets would be: as where a disk is not mounted."""
    shutil.rmtree(api_settings.datasets_dir, ignore_errors=True)
    api_settings.datasets_dir.parent.mkdir(parents=True, exist_ok=True)
    api_settings.datasets_dir.touch()
    body = problem(client.get("/readyz"), 503, "unavailable")
    assert body["detail"] == "Not ready: files."
    assert body["checks"]["warnings"][-1].startswith("Nothing can be written to the datasets (DNA_DATASETS)")
    assert body["checks"] | {"warnings": [], "workers": 0} == {
        "database": True, "migrations": True, "redis": True, "files": False, "workers": 0, "warnings": [],
    }  # fmt: skip


def test_a_disk_that_is_full_is_told_and_the_service_stays_up(api_settings: ApiSettings, small_disk: SmallDisk) -> None:
    settings = api_settings.model_copy(update={"data_dir": small_disk.folder})
    with TestClient(create_app(settings), base_url=LOCAL, raise_server_exceptions=False) as client:
        sent = {"file": ("birds.zip", small_zip())}
        with small_disk.full():
            ready = client.get("/readyz")
            [said] = [warning for warning in ready.json()["warnings"] if "full" in warning]
            assert ready.status_code == 200
            assert said.startswith(
                "The disk of the datasets (DNA_DATASETS) and the artifacts (DNA_ARTIFACTS_URL) is full: 0 bytes left."
            )
            problem(client.post("/datasets", files=sent), 507, "disk_full")
            assert client.get("/datasets").status_code == 200
            left = [path for path in small_disk.folder.rglob("*") if path.is_file()]
            assert [path.name for path in left] == ["fill"], "nothing half-written"
        assert client.post("/datasets", files=sent).status_code in (201, 202)


def small_zip() -> bytes:
    """Two classes of pictures of one pixel."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name in ("a/1.png", "a/2.png", "b/1.png", "b/2.png"):
            picture = io.BytesIO()
            Image.new("RGB", (1, 1)).save(picture, "PNG")
            archive.writestr(name, picture.getvalue())
    return held.getvalue()


def test_another_schema_is_not_ready(client: TestClient, api_settings: ApiSettings) -> None:
    assert api_settings.database_url is not None
    downgrade(api_settings.database_url, "base")
    body = problem(client.get("/readyz"), 503, "unavailable")
    assert body["checks"] == {
        "database": True,
        "migrations": False,
        "redis": True,
        "files": True,
        "workers": 0,
        "warnings": [],
    }
    assert "migrations" in body["detail"]
    assert client.get("/healthz").status_code == 200


def test_health_needs_no_thread_and_readiness_none_of_the_others(client: TestClient) -> None:
    """All threads that requests share are taken, as by requests that hang."""

    def take() -> float:
        limiter = to_thread.current_default_thread_limiter()
        taken, limiter.total_tokens = limiter.total_tokens, 0
        return taken

    def give_back(tokens: float) -> None:
        to_thread.current_default_thread_limiter().total_tokens = tokens

    assert client.portal is not None
    tokens = client.portal.call(take)
    try:
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code == 200
    finally:
        client.portal.call(give_back, tokens)
