"""A dataset sent as an archive: checked before it exists, refused with the reason, and nothing left behind."""

from __future__ import annotations

import io
import socket
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import ApiSettings
from store import datasets, keys
from store.blobs import BlobStore
from store.scratch import scratch_folder
from store.session import Sessions, transaction
from tests.api.conftest import LOCAL
from tests.api.problems import problem
from tests.dna_engine.images.test_archive import tarred, zipped
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
    **headers: str,
) -> httpx.Response:
    return client.post(
        "/datasets",
        files={"file": (file, archive.getvalue())},
        data={field: said for field, said in (("name", name), ("layout", layout), ("encoding", encoding)) if said},
        headers={key.replace("_", "-"): value for key, value in headers.items()},
    )


def left(settings: ApiSettings) -> list[Path]:
    """Files that an upload left: images and stored archives."""
    return [path for path in settings.data_dir.rglob("*") if path.is_file()]


def test_it_can_be_searched_on_at_once(
    client: TestClient, api_settings: ApiSettings, sessions: Sessions, blobs: BlobStore, tmp_path: Path
) -> None:
    response = send(client, zipped(BIRDS))
    assert response.status_code == 201
    made = response.json()
    assert response.headers["location"] == f"/datasets/{made['id']}"
    assert (made["name"], made["kind"], made["state"]) == ("birds", "upload", "ready")
    assert (made["num_classes"], made["num_train"], made["num_test"], made["image_size"]) == (2, 8, 2, 10)
    assert made["class_names"] == ["owl", "wren"]
    assert client.get("/datasets/birds").json() == made
    assert client.post("/searches", json={"dataset": "birds"}).status_code == 201
    with transaction(sessions) as session:
        archive = datasets.archive_of(session, made["fingerprint"])
    assert archive is not None
    blobs.fetch(archive, tmp_path / "stored.tar")
    with tarfile.open(tmp_path / "stored.tar") as tar:
        assert sorted(name.split("/")[:2] for name in tar.getnames())[0] == ["test", "owl"]
        assert len(tar.getnames()) == 10
    assert not list(api_settings.datasets_dir.glob(".incoming*"))


def test_the_same_images_have_one_fingerprint_however_packed(client: TestClient, api_settings: ApiSettings) -> None:
    first = send(client, zipped(BIRDS)).json()
    second = send(client, tarred({f"all/{name}": content for name, content in BIRDS.items()}, "w:gz"), "again").json()
    assert first["fingerprint"] == second["fingerprint"]
    assert len(list((api_settings.datasets_dir / "uploads").glob("[!.]*"))) == 1


@pytest.mark.parametrize(
    ("file", "name", "said"),
    [("birds.tar.gz", None, "birds"), ("Birds.ZIP", None, "Birds"), ("x.tgz", "my.birds-2", "my.birds-2")],
)
def test_names(client: TestClient, file: str, name: str | None, said: str) -> None:
    assert send(client, zipped(BIRDS), name, file=file).json()["name"] == said


@pytest.mark.parametrize("name", ["a/b", "..", "ü", "x" * 101, " "])
def test_names_that_are_none(client: TestClient, api_settings: ApiSettings, name: str) -> None:
    refused = problem(send(client, zipped(BIRDS), name), 422, "invalid_request")
    assert refused["errors"][0]["pointer"] == "#/name"
    assert left(api_settings) == []


def test_a_name_is_given_once(client: TestClient) -> None:
    send(client, zipped(BIRDS))
    problem(send(client, zipped(BIRDS)), 409, "name_taken")
    problem(send(client, zipped(BIRDS), "digits"), 409, "name_taken")


@pytest.mark.parametrize(
    ("archive", "said"),
    [
        (io.BytesIO(b"no archive"), "neither a zip nor a tar"),
        (zipped({"../../owl/1.png": b""}), "Names must stay inside"),
        (zipped({"readme.txt": b"hello"}), "no class folders"),
        (zipped({**BIRDS, "owl/bad.png": b"not a picture"}), "1 of 11 files cannot be used as images (owl/bad.png: "),
        (zipped({name: content for name, content in BIRDS.items() if "owl" in name}), "one class folder"),
        (
            zipped({f"train/{name}": content for name, content in BIRDS.items() if "owl" in name}),
            "at least two are needed",
        ),
        (zipped({**BIRDS, "lark/1.png": picture()}), "The class 'lark' has one image"),
        (
            zipped({**BIRDS, "lark/1.heic": b"ftypheic"}),
            "The class folder lark/ has no images: lark/1.heic cannot be used",
        ),
        (zipped({**BIRDS, "lark/": b""}), "The class folder lark/ has no images"),
    ],
)
def test_archives_that_are_refused(
    client: TestClient, api_settings: ApiSettings, archive: io.BytesIO, said: str
) -> None:
    refused = problem(send(client, archive), 422, "data_error")
    assert said in refused["detail"]
    assert str(api_settings.data_dir) not in refused["detail"]
    assert refused["errors"][0]["pointer"] == "#/file"
    assert left(api_settings) == []
    problem(client.get("/datasets/birds"), 404, "not_found")


def test_what_is_left_out_is_told(client: TestClient) -> None:
    splits = {f"{split}/{name}": content for name, content in BIRDS.items() for split in ("Train", "Val")}
    unlabelled = {"Test/1.png": next(iter(BIRDS.values()))}
    made = send(client, zipped({**splits, **unlabelled, "notes.txt": b"hello", ".DS_Store": b"\0"})).json()
    assert made["left_out"] == [
        "Test/ is left out: its images lie in no class folders, so nothing says what they show. (1: Test/1.png)",
        "Files that are no images are left out. (1: notes.txt)",
    ]
    assert client.get("/datasets/birds").json() == made
    assert client.get("/datasets/digits").json()["left_out"] == []
    estimate = client.post("/searches/estimate", json={"dataset": "birds"}).json()
    assert estimate["warnings"][:2] == made["left_out"]


def test_unequal_classes_are_told_with_the_dataset_and_with_every_search_of_it(client: TestClient) -> None:
    one = next(iter(BIRDS.values()))
    files = {f"owl/{n}.png": one for n in range(60)} | {f"wren/{n}.png": one for n in range(5)}
    made = send(client, zipped(files)).json()
    assert [sentence.split(":")[0] for sentence in made["warnings"]] == [
        "The classes are unequal",
        "There are few test images",
    ]
    assert client.get("/datasets/birds").json()["warnings"] == made["warnings"]
    assert client.get("/datasets/digits").json()["warnings"] == []
    estimate = client.post("/searches/estimate", json={"dataset": "birds"}).json()
    assert estimate["warnings"][:2] == made["warnings"]


def test_forms_that_are_none(client: TestClient) -> None:
    missing = problem(client.post("/datasets", data={"name": "birds"}), 422, "invalid_request")
    assert missing["errors"][0]["pointer"] == "#/file"
    assert "one of the two" in missing["detail"]
    problem(client.post("/datasets", data={"folder": "/x"}, files={"file": ("x.zip", b"x")}), 422, "invalid_request")
    text = client.post("/datasets", files={"name": ("birds", b"x")})
    assert problem(text, 422, "invalid_request")["errors"][0]["pointer"] == "#/name"
    problem(client.post("/datasets", json={"name": "birds"}), 422, "invalid_request")
    many = [("file", (f"{number}.zip", b"x")) for number in range(3)]
    problem(client.post("/datasets", files=many), 400, "bad_request")


def test_a_repeated_request_is_done_once(client: TestClient) -> None:
    archive = zipped(BIRDS)  # Once: a zip holds the time it was made.
    first, again = (send(client, archive, Idempotency_Key="k") for _ in range(2))
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    other = send(client, zipped({**BIRDS, "owl/9.png": picture(9)}), Idempotency_Key="k")
    problem(other, 422, "idempotency_mismatch")
    renamed = send(client, archive, file="others.zip", Idempotency_Key="k")
    problem(renamed, 422, "idempotency_mismatch")


def small(settings: ApiSettings, **changes: Any) -> ApiSettings:
    return settings.model_copy(update={"max_upload_bytes": 50_000, **changes})


def test_a_large_archive_is_refused_while_it_comes(api_settings: ApiSettings) -> None:
    with TestClient(create_app(small(api_settings)), base_url=LOCAL, raise_server_exceptions=False) as client:
        assert send(client, zipped(BIRDS)).status_code == 201
        refused = problem(send(client, io.BytesIO(bytes(60_000)), "large"), 413, "payload_too_large")
        assert "50,000 bytes" in refused["detail"]
        bomb = zipped({f"owl/{number}.png": bytes(100_000) for number in range(3)})
        assert "more than 200,000 bytes" in problem(send(client, bomb, "bomb"), 422, "data_error")["detail"]


def test_nobody_sends_without_a_key(api_settings: ApiSettings, sessions: Sessions) -> None:
    with transaction(sessions) as session:
        _, key = keys.create(session, "uploader")
    settings = small(api_settings, embedded=False)
    with TestClient(create_app(settings), base_url=LOCAL, raise_server_exceptions=False) as client:
        # Refused before the body is read: a body that is too large would be a 413.
        problem(send(client, io.BytesIO(bytes(60_000))), 401, "unauthorized")
        assert send(client, zipped(BIRDS), Authorization=f"Bearer {key}").status_code == 201


def test_a_page_of_another_site_sends_nothing(client: TestClient) -> None:
    problem(send(client, zipped(BIRDS), Origin="https://evil.example"), 403, "forbidden")


def test_deleting(client: TestClient, api_settings: ApiSettings) -> None:
    send(client, zipped(BIRDS))
    search = client.post("/searches", json={"dataset": "birds"}).json()["id"]
    assert search in problem(client.delete("/datasets/birds"), 409, "illegal_transition")["detail"]
    client.post(f"/searches/{search}/cancel")
    assert client.delete("/datasets/birds").status_code == 204
    problem(client.get("/datasets/birds"), 404, "not_found")
    problem(client.delete("/datasets/birds"), 404, "not_found")
    problem(client.delete("/datasets/digits"), 409, "illegal_transition")
    assert not [path for path in left(api_settings) if "artifacts" in path.parts]
    assert client.get(f"/searches/{search}").json()["spec"]["dataset"]["name"] == "birds"
    assert send(client, zipped(BIRDS)).status_code == 201


@pytest.mark.parametrize(
    "charset", ["unicode_escape", "punycode", "undefined", "idna", "utf-16", "zlib", "no-such-charset"]
)
def test_charsets_that_are_none_of_forms(client: TestClient, charset: str) -> None:
    kind = f"multipart/form-data; boundary=x; charset={charset}"
    body = b'--x\r\nContent-Disposition: form-data; name="folder"\r\n\r\n/srv/\\ud800\r\n--x--\r\n'
    refused = problem(client.post("/datasets", content=body, headers={"Content-Type": kind}), 400, "bad_request")
    assert refused["detail"] == "Send the form in UTF-8, and name no other charset."
    kind = "multipart/form-data; boundary=x; charset=UTF-8"
    problem(client.post("/datasets", content=body, headers={"Content-Type": kind}), 422, "invalid_request")


def test_an_archive_of_many_entries(api_settings: ApiSettings) -> None:
    few = api_settings.model_copy(update={"max_upload_entries": 9})
    with TestClient(create_app(few), base_url=LOCAL, raise_server_exceptions=False) as client:
        assert "more than 9 files" in problem(send(client, zipped(BIRDS)), 422, "data_error")["detail"]


def test_pictures_that_take_much_memory(api_settings: ApiSettings) -> None:
    small = api_settings.model_copy(update={"decoding_bytes": 10_000})
    large = io.BytesIO()
    Image.new("RGBA", (100, 100)).save(large, "PNG")
    with TestClient(create_app(small), base_url=LOCAL, raise_server_exceptions=False) as client:
        refused = problem(send(client, zipped({**BIRDS, "owl/large.png": large.getvalue()})), 422, "data_error")
        assert "1 of 11 files cannot be used as images (owl/large.png: decoding it takes 40,026" in refused["detail"]
        assert send(client, zipped(BIRDS)).status_code == 201


def test_what_a_killed_service_left_is_removed_at_the_start(api_settings: ApiSettings) -> None:
    left_behind = api_settings.datasets_dir / ".incoming-0199/unpacked"
    left_behind.mkdir(parents=True)
    with scratch_folder(api_settings.datasets_dir, "incoming") as in_use, TestClient(create_app(api_settings)):
        assert not left_behind.parent.exists()
        assert in_use.exists(), "another service's upload"


def test_work_ends_when_the_sender_goes(server: httpx.Client, api_settings: ApiSettings) -> None:
    """Thousands of pictures, and a client that sends them and leaves."""
    shades = [picture(shade) for shade in range(250)]
    many = zipped({f"{'ab'[number % 2]}/{number}.png": shades[number % 250] for number in range(6000)}).getvalue()
    request = server.build_request("POST", "/datasets", files={"file": ("many.zip", many)})
    head = f"POST /datasets HTTP/1.1\r\nHost: {server.base_url.netloc.decode()}\r\n" + "".join(
        f"{name}: {request.headers[name]}\r\n" for name in ("content-type", "content-length")
    )
    address = (server.base_url.host, server.base_url.port)
    with socket.create_connection(address) as connection:
        connection.sendall(head.encode() + b"\r\n" + request.read())
        wait_for(lambda: list(api_settings.datasets_dir.glob(".incoming-*")))
    wait_for(lambda: not list(api_settings.datasets_dir.glob(".incoming-*")))
    problem(server.get("/datasets/many"), 404, "not_found")
    assert left(api_settings) == []
    wait_for(lambda: 'route="/datasets",status="400"' in server.get("/metrics").text)
    assert 'status="500"' not in server.get("/metrics").text


def wait_for(what: Callable[[], object]) -> None:
    while not what():  # The test's time limit ends it.
        time.sleep(0.01)


class TestFolderOfTheServer:
    """By reference: nothing is copied, and only where the operator allows it."""

    @pytest.fixture
    def images(self, tmp_path: Path) -> Path:
        for name, content in BIRDS.items():
            for split in ("train", "val"):
                path = tmp_path / "srv/birds" / split / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        return tmp_path / "srv/birds"

    @pytest.fixture
    def allowing(self, api_settings: ApiSettings, tmp_path: Path) -> Iterator[TestClient]:
        folders = f"{tmp_path / 'other'}:{tmp_path / 'srv'}"
        settings = api_settings.model_copy(update={"dataset_folders": folders})
        with TestClient(create_app(settings), base_url=LOCAL, raise_server_exceptions=False) as client:
            yield client

    def test_it_is_searched_on_in_place(self, allowing: TestClient, api_settings: ApiSettings, images: Path) -> None:
        response = allowing.post("/datasets", data={"folder": str(images), "name": "owls"})
        assert response.status_code == 201, response.text
        made = response.json()
        assert (made["kind"], made["num_train"], made["num_test"], made["class_names"]) == (
            "folder", 10, 10, ["owl", "wren"],
        )  # fmt: skip
        assert left(api_settings) == []
        search = allowing.post("/searches", json={"dataset": "owls"})
        assert search.status_code == 201
        assert str(images) not in response.text + search.text
        (images / "train/owl/9.png").write_bytes(picture(9))
        again = allowing.post("/datasets", data={"folder": str(images), "name": "more"}).json()
        assert again["fingerprint"] != made["fingerprint"]
        problem(allowing.post("/datasets", data={"folder": str(images), "name": "more"}), 409, "name_taken")

    def test_other_folders_are_refused_whether_they_exist_or_not(
        self, allowing: TestClient, client: TestClient, images: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "srv/way-out").symlink_to("/etc")
        for path in ("/etc", "/nowhere", f"{images}/../../../..", str(tmp_path / "srv/way-out"), "srv/birds", ""):
            refused = problem(allowing.post("/datasets", data={"folder": path, "name": "x"}), 422, "invalid_request")
            assert refused["errors"][0]["pointer"] == "#/folder", path
            assert "DNA_DATASET_FOLDERS" in refused["detail"]
        problem(client.post("/datasets", data={"folder": str(images), "name": "x"}), 422, "invalid_request")

    def test_paths_that_are_none(self, allowing: TestClient, tmp_path: Path) -> None:
        (tmp_path / "srv").mkdir()
        (tmp_path / "srv/circle").symlink_to("circle")
        inside = str(tmp_path / "srv/circle")
        for path in (
            "/srv/\0x",
            f"{tmp_path}/srv/\0",
            inside,
            f"{inside}/deeper",
            "/" + 300_000 * "a",
            20_000 * "/a",
            "~",
        ):
            refused = problem(allowing.post("/datasets", data={"folder": path, "name": "x"}), 422, "invalid_request")
            assert refused["errors"][0]["pointer"] == "#/folder", path[:50]
            assert len(refused["detail"]) < 500
        missing = allowing.post("/datasets", data={"folder": str(tmp_path / "srv/missing"), "name": "x"})
        assert "is no folder" in problem(missing, 422, "invalid_request")["detail"]

    def test_classes_that_are_links(self, allowing: TestClient, images: Path, tmp_path: Path) -> None:
        """Followed where they stay in what is allowed, counted in the fingerprint, and refused without a path where not."""
        linked = tmp_path / "srv/linked"
        linked.mkdir()
        for name in ("owl", "wren"):
            (linked / name).symlink_to(images / "train" / name)
        made = allowing.post("/datasets", data={"folder": str(linked), "name": "linked"}).json()
        assert (made["num_train"], made["class_names"]) == (8, ["owl", "wren"])
        (images / "train/owl/9.png").write_bytes(picture(9))
        changed = allowing.post("/datasets", data={"folder": str(linked), "name": "changed"}).json()
        assert changed["fingerprint"] != made["fingerprint"]
        (tmp_path / "outside").mkdir()
        (linked / "lark").symlink_to(tmp_path / "outside")
        out = allowing.post("/datasets", data={"folder": str(linked), "name": "out"})
        detail = problem(out, 422, "data_error")["detail"]
        assert detail.startswith("lark is a link that leads out of the folders that may be used")
        assert str(tmp_path) not in out.text

    def test_a_picture_that_cannot_be_read_is_named_without_its_path(
        self, allowing: TestClient, images: Path, tmp_path: Path
    ) -> None:
        (images / "train/owl/0.png").write_bytes(b"\x89PNG\r\n\x1a\nno picture")
        refused = allowing.post("/datasets", data={"folder": str(images), "name": "x"})
        assert problem(refused, 422, "data_error")["detail"].startswith("train/owl/0.png cannot be read as an image")
        assert str(tmp_path) not in refused.text

    def test_a_folder_of_class_folders(self, allowing: TestClient, images: Path) -> None:
        made = allowing.post("/datasets", data={"folder": str(images / "train"), "name": "x"}).json()
        assert (made["num_train"], made["num_test"], made["class_names"]) == (8, 2, ["owl", "wren"])

    def test_a_folder_that_is_no_dataset(self, allowing: TestClient, images: Path) -> None:
        (images / "train/lark").mkdir()
        refused = problem(allowing.post("/datasets", data={"folder": str(images), "name": "x"}), 422, "data_error")
        assert refused["detail"].startswith("The class folder train/lark/ has no images.")
        assert refused["errors"][0]["pointer"] == "#/folder"
