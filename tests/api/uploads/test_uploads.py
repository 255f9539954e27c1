"""Files in pieces: taken up where they broke, one writer at a time, each its owner's; and a dataset of what has arrived."""

from __future__ import annotations

import base64
import errno
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.errors import NotFound
from api.settings import ApiSettings
from api.uploads import endpoints
from api.uploads.files import FOLDER, Begun, Incoming, Uploads
from store import keys
from store.blobs import BlobStore
from store.session import Sessions, transaction
from tests.api.conftest import LOCAL
from tests.api.datasets.conftest import BIRDS
from tests.api.problems import problem
from tests.checks import checked
from tests.dna_engine.images.test_archive import zipped

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

TUS = {"Tus-Resumable": "1.0.0"}
PIECE = {**TUS, "Content-Type": "application/offset+octet-stream"}
ARCHIVE = zipped(BIRDS).getvalue()


def begin(client: TestClient | httpx.Client, length: int = len(ARCHIVE), **headers: str) -> str:
    name = base64.b64encode(b"birds.zip").decode()
    said = {**TUS, "Upload-Length": str(length), "Upload-Metadata": f"filename {name}"}
    answer = client.post("/uploads", headers=said | {key.replace("_", "-"): value for key, value in headers.items()})
    assert answer.status_code == 201, answer.text
    return answer.headers["location"]


def append(client: TestClient | httpx.Client, path: str, content: bytes, at: int) -> httpx.Response:
    return client.patch(path, content=content, headers={**PIECE, "Upload-Offset": str(at)})


def offset(client: TestClient | httpx.Client, path: str) -> int:
    answer = client.head(path, headers=TUS)
    assert answer.status_code == 200
    return int(answer.headers["upload-offset"])


def test_a_dataset_of_a_file_that_came_in_pieces(
    client: TestClient, api_settings: ApiSettings, sessions: Sessions, blobs: BlobStore
) -> None:
    path, half = begin(client), len(ARCHIVE) // 2
    assert append(client, path, ARCHIVE[:half], 0).headers["upload-offset"] == str(half)
    form = {"upload": path.rpartition("/")[2]}
    refused = problem(client.post("/datasets", data=form), 409, "conflict")
    assert f"{half:,} of {len(ARCHIVE):,} bytes have arrived" in refused["detail"]
    assert offset(client, path) == half
    assert append(client, path, ARCHIVE[half:], half).status_code == 204
    made = client.post("/datasets", data=form, headers={"Idempotency-Key": "k"})
    assert checked(client, sessions, blobs, made, api_settings.data_dir / "worker")["state"] == "ready"
    assert made.json()["name"] == "birds"
    assert not list((api_settings.datasets_dir / FOLDER).iterdir()), "what has become a dataset is not kept twice"
    assert client.post("/datasets", data=form, headers={"Idempotency-Key": "k"}).content == made.content
    problem(client.post("/datasets", data=form), 404, "not_found")


def test_what_does_not_fit_is_refused_and_changes_nothing(client: TestClient) -> None:
    path = begin(client, 10)
    assert append(client, path, b"12345", 0).status_code == 204
    problem(append(client, path, b"x", 0), 409, "conflict")
    problem(append(client, path, b"x", 9), 409, "conflict")
    problem(append(client, path, b"678901", 5), 400, "malformed_json")
    problem(client.patch(path, content=b"x", headers={**TUS, "Upload-Offset": "5"}), 415, "unsupported_media_type")
    problem(client.patch(path, content=b"x", headers={"Upload-Offset": "5"}), 412, "wrong_version")
    problem(client.post("/uploads", headers={"Upload-Length": "5"}), 412, "wrong_version")
    problem(client.post("/uploads", headers={**TUS, "Upload-Length": "0"}), 422, "invalid_request")
    too_long = {**TUS, "Upload-Length": str(1 << 50)}
    problem(client.post("/uploads", headers=too_long), 413, "payload_too_large")
    metadata = {**TUS, "Upload-Length": "5", "Upload-Metadata": "filename not base64"}
    problem(client.post("/uploads", headers=metadata), 422, "invalid_request")
    problem(client.post("/datasets", data={"upload": "x", "name": "x"}), 422, "invalid_request")


def test_what_is_given_up_is_gone(client: TestClient, api_settings: ApiSettings) -> None:
    path = begin(client)
    assert client.delete(path, headers=TUS).status_code == 204
    assert client.head(path, headers=TUS).status_code == 404
    assert not list((api_settings.datasets_dir / FOLDER).iterdir())


def test_what_nobody_goes_on_with_is_removed_when_another_begins(client: TestClient, api_settings: ApiSettings) -> None:
    old, young = begin(client), begin(client)
    for path in (api_settings.datasets_dir / FOLDER).glob(f"{old.rpartition('/')[2]}*"):
        past = time.time() - api_settings.orphan_hours * 3600 - 1
        os.utime(path, (past, past))
    begin(client)
    assert client.head(old, headers=TUS).status_code == 404
    assert offset(client, young) == 0


def test_one_begun_twice_under_a_key_is_one(client: TestClient) -> None:
    assert begin(client, Idempotency_Key="k") == begin(client, Idempotency_Key="k")
    assert begin(client) != begin(client)


def test_clients_are_told_what_is_spoken(client: TestClient, api_settings: ApiSettings) -> None:
    answer = client.options("/uploads")
    assert (answer.status_code, answer.headers["tus-version"]) == (204, "1.0.0")
    assert answer.headers["tus-max-size"] == str(api_settings.max_upload_bytes)


def test_each_file_is_its_owners(api_settings: ApiSettings, sessions: Sessions) -> None:
    with transaction(sessions) as session:
        bearers = [f"Bearer {keys.create(session, name)[1]}" for name in ("one", "other")]
    settings = api_settings.model_copy(update={"embedded": False})
    with TestClient(create_app(settings), base_url=LOCAL, raise_server_exceptions=False) as client:
        path = begin(client, Authorization=bearers[0])
        assert client.head(path, headers={**TUS, "Authorization": bearers[0]}).status_code == 200
        assert client.head(path, headers={**TUS, "Authorization": bearers[1]}).status_code == 404
        form = {"upload": path.rpartition("/")[2], "name": "x"}
        problem(client.post("/datasets", data=form, headers={"Authorization": bearers[1]}), 404, "not_found")
        problem(client.patch(path, content=b"x", headers={**PIECE, "Upload-Offset": "0"}), 401, "unauthorized")


@contextmanager
def cut_off(server: httpx.Client, path: str, content: bytes, *, of: int) -> Iterator[None]:
    """A request that has said ``content`` of a piece, and breaks off at the end of the block."""
    headers = {**PIECE, "Host": server.base_url.netloc.decode(), "Upload-Offset": "0", "Content-Length": str(of)}
    head = f"PATCH {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
    with socket.create_connection((server.base_url.host, server.base_url.port)) as connection:
        connection.sendall(head.encode() + content)
        yield


def test_what_came_before_the_connection_broke_stays(server: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoints, "_HELD", 1)
    path, half = begin(server), len(ARCHIVE) // 2
    with cut_off(server, path, ARCHIVE[:half], of=len(ARCHIVE)):
        wait_for(lambda: offset(server, path) == half)
    wait_for(lambda: append(server, path, ARCHIVE[half:], half).status_code == 204)
    assert offset(server, path) == len(ARCHIVE)


def test_another_writer_is_kept_out(server: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoints, "_HELD", 1)
    path = begin(server)
    with cut_off(server, path, b"x", of=100):
        wait_for(lambda: offset(server, path) == 1)
        problem(append(server, path, b"y", 1), 423, "locked")
    wait_for(lambda: append(server, path, b"y", 1).status_code == 204)


def test_no_more_is_held_at_once_than_may_be(server: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a piece is, what is held before it is written does not grow with it."""
    monkeypatch.setattr(endpoints, "_HELD", 100_000)
    written: list[int] = []
    open_at = endpoints.Uploads.open_at

    @contextmanager
    def watched(self: endpoints.Uploads, incoming: Incoming, offset: int) -> Iterator[_Watched]:
        with open_at(self, incoming, offset) as file:
            yield _Watched(file, written)

    monkeypatch.setattr(endpoints.Uploads, "open_at", watched)
    path = begin(server, 5_000_000)
    assert append(server, path, bytes(5_000_000), 0).headers["upload-offset"] == "5000000"
    assert sum(written) == 5_000_000
    assert max(written) < 1_000_000


class _Full(FileIO):
    """A file on a disk that takes five bytes, is full once, and then has room again."""

    said = 0

    def write(self, content: ReadableBuffer, /) -> int:
        self.said += 1
        if self.said == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(bytes(content)[: 5 if self.said == 1 else None])


def test_what_a_full_disk_has_taken_is_not_written_twice(
    client: TestClient, api_settings: ApiSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoints, "_HELD", 1)
    monkeypatch.setattr(Incoming, "opened", lambda incoming: _Full(incoming.path, "r+b"))
    path = begin(client, 10)
    problem(append(client, path, b"0123456789", 0), 507, "disk_full")
    assert (api_settings.datasets_dir / FOLDER / path.rpartition("/")[2]).read_bytes() == b"0123456789"


def test_what_is_given_up_while_it_is_sent_is_said_to_be_gone(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path)
    begun = uploads.begin(Begun(owner="me", length=10, filename=None))
    with uploads.open_at(begun, 0) as file:
        uploads.remove(begun.id)
        file.write(b"01234")
    with pytest.raises(NotFound):
        _ = begun.offset
    with pytest.raises(NotFound), uploads.open_at(begun, 5):
        pass
    assert not list((tmp_path / FOLDER).iterdir())


class _Watched:
    """A file that remembers how much was written at once."""

    def __init__(self, file: FileIO, written: list[int]) -> None:
        self._file, self._written = file, written

    def write(self, content: bytes) -> int:
        self._written.append(len(content))
        return self._file.write(content)


def wait_for(what: Callable[[], object]) -> None:
    while not what():  # The test's time limit ends it.
        time.sleep(0.01)
