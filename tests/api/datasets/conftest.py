"""Datasets sent to the service, and a worker that checks them when told to."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from api.settings import ApiSettings
from store.blobs import BlobStore
from store.session import Sessions
from tests.checks import checked
from tests.dna_engine.images.test_arrange import picture

BIRDS = {
    f"{name}/{number}.png": picture(shade + number) for shade, name in ((0, "owl"), (99, "wren")) for number in range(5)
}


def send(
    client: TestClient | httpx.Client,
    archive: io.BytesIO,
    name: str | None = None,
    *,
    file: str = "birds.zip",
    layout: str = "",
    encoding: str = "",
    licence: str = "",
    **headers: str,
) -> httpx.Response:
    told = {"name": name, "layout": layout, "encoding": encoding, "licence": licence}
    return client.post(
        "/datasets",
        files={"file": (file, archive.getvalue())},
        data={field: said for field, said in told.items() if said},
        headers={key.replace("_", "-"): value for key, value in headers.items()},
    )


@dataclass(frozen=True)
class Bench:
    """The service, and a worker that checks what it was sent when told to."""

    client: TestClient
    settings: ApiSettings
    sessions: Sessions
    blobs: BlobStore

    def check(self, made: httpx.Response) -> Any:
        """The dataset as it is then."""
        return checked(self.client, self.sessions, self.blobs, made, self.settings.data_dir / "worker")

    def send(self, archive: io.BytesIO, name: str | None = None, **said: str) -> Any:
        """Sent and checked."""
        return self.check(send(self.client, archive, name, **said))


@pytest.fixture
def bench(client: TestClient, api_settings: ApiSettings, sessions: Sessions, blobs: BlobStore) -> Bench:
    return Bench(client, api_settings, sessions, blobs)
