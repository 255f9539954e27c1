"""A dataset sent as an archive: accepted at once, checked by a step, then ready or rejected with the reason, and nothing left behind."""

from __future__ import annotations

import io
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import func, select
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import ApiSettings
from store import claims, datasets, keys
from store.blobs import BlobStore
from store.claims import Ask
from store.scratch import scratch_folder
from store.session import Sessions, transaction
from store.tables import Artifact, LooseFile
from tests.api.conftest import LOCAL
from tests.api.datasets.conftest import BIRDS, Bench, send
from tests.api.problems import pointers, problem
from tests.checks import checked, claimed
from tests.dna_engine.images.test_archive import tarred, zipped
from tests.dna_engine.images.test_arrange import picture
from tests.untidy_generated import ENTRIES, hostile
from worker.cleanup import remove_run_folders


def left(settings: ApiSettings) -> list[Path]:
    """Files that an upload left: images and stored archives."""
    return [path for path in settings.data_dir.rglob("*") if path.is_file()]


def test_it_is_accepted_at_once_and_can_be_searched_on_once_it_is_checked(bench: Bench, tmp_path: Path) -> None:
    client = bench.client
    accepted = send(client, zipped(BIRDS))
    assert accepted.status_code == 202
    checking = accepted.json()
    assert accepted.headers["location"] == f"/datasets/{checking['id']}"
    assert (checking["name"], checking["version"], checking["kind"], checking["state"]) == (
        "birds",
        1,
        "upload",
        "checking",
    )
    assert (checking["num_classes"], checking["progress"]) == (None, 0.0)
    refused = problem(client.post("/searches", json={"dataset": "birds"}), 409, "illegal_transition")
    assert refused["detail"].startswith("The dataset birds@1 is being checked. Wait until it is ready")
    made = bench.check(accepted)
    assert (made["state"], made["num_classes"], made["num_train"], made["num_test"], made["image_size"]) == (
        "ready", 2, 8, 2, 10,
    )  # fmt: skip
    assert made["class_names"] == ["owl", "wren"]
    assert client.get("/datasets/birds").json() == made
    search = client.post("/searches", json={"dataset": "birds"})
    assert search.status_code == 201
    assert search.json()["spec"]["dataset"]["version"] == 1
    with transaction(bench.sessions) as session:
        archive = datasets.archive_of(session, made["fingerprint"])
    assert archive is not None
    bench.blobs.fetch(archive, tmp_path / "stored.tar")
    assert (checking["bytes"], made["bytes"]) == (None, (tmp_path / "stored.tar").stat().st_size)
    with tarfile.open(tmp_path / "stored.tar") as tar:
        assert sorted(name.split("/")[:2] for name in tar.getnames())[0] == ["test", "owl"]
        assert len(tar.getnames()) == 10


def test_the_same_images_have_one_fingerprint_however_packed(bench: Bench) -> None:
    first = bench.send(zipped(BIRDS))
    second = bench.send(tarred({f"all/{name}": content for name, content in BIRDS.items()}, "w:gz"), "again")
    assert first["fingerprint"] == second["fingerprint"]


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


def test_another_upload_under_a_name_is_a_new_version(bench: Bench) -> None:
    client = bench.client
    first = bench.send(zipped(BIRDS))
    second = bench.send(zipped({**BIRDS, "owl/9.png": picture(9)}), "birds")
    assert [made["version"] for made in (first, second)] == [1, 2]
    assert client.get("/datasets/birds").json() == client.get("/datasets/birds@2").json() == second
    assert client.get("/datasets/birds@1").json() == first
    problem(client.get("/datasets/birds@3"), 404, "not_found")
    assert [item["id"] for item in client.get("/datasets", params={"ref": "birds"}).json()["items"]] == [
        second["id"],
        first["id"],
    ]
    used = {ref: client.post("/searches", json={"dataset": ref}).json() for ref in ("birds", "birds@1")}
    assert {ref: search["spec"]["dataset"]["version"] for ref, search in used.items()} == {"birds": 2, "birds@1": 1}
    on_first = client.get("/searches", params={"dataset": "birds@1"}).json()["items"]
    assert [search["id"] for search in on_first] == [used["birds@1"]["id"]]
    assert len(client.get("/searches", params={"dataset": "birds"}).json()["items"]) == 2
    problem(send(client, zipped(BIRDS), "digits"), 409, "name_taken")


def test_a_version_that_a_search_has_used_is_not_given_again(bench: Bench) -> None:
    bench.send(zipped(BIRDS))
    search = bench.client.post("/searches", json={"dataset": "birds"}).json()["id"]
    bench.client.post(f"/searches/{search}/cancel")
    assert bench.client.delete("/datasets/birds").status_code == 204
    assert send(bench.client, zipped(BIRDS)).json()["version"] == 2


def test_a_newer_version_that_is_not_ready_is_not_passed_over_in_silence(bench: Bench) -> None:
    bench.send(zipped(BIRDS))
    newer = send(bench.client, zipped({"readme.txt": b"hello"}), "birds")
    waiting = problem(bench.client.post("/searches", json={"dataset": "birds"}), 409, "illegal_transition")
    assert waiting["detail"].endswith("Or name birds@1, which is ready.")
    bench.check(newer)
    rejected = problem(bench.client.post("/searches", json={"dataset": "birds"}), 409, "illegal_transition")
    assert rejected["detail"].startswith("The dataset birds@2 was rejected: There are no class folders with images.")
    assert bench.client.post("/searches", json={"dataset": "birds@1"}).status_code == 201


@pytest.mark.parametrize(
    ("archive", "said"),
    [
        (io.BytesIO(b"no archive"), "neither a zip nor a tar"),
        (zipped({"../../owl/1.png": b""}), "Names must stay inside"),
        (zipped({"readme.txt": b"hello"}), "no class folders"),
        (zipped({**BIRDS, "owl/bad.png": b"not a picture"}), "(1: owl/bad.png: UnidentifiedImageError"),
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
def test_archives_that_are_rejected(bench: Bench, archive: io.BytesIO, said: str) -> None:
    """Nothing of them is kept but the report."""
    rejected = bench.send(archive)
    assert (rejected["state"], rejected["name"]) == ("rejected", "birds")
    assert said in rejected["error"]["message"]
    report = bench.client.get("/datasets/birds/report").json()
    assert report["findings"][0]["level"] == "error"
    assert str(bench.settings.data_dir) not in str((rejected, report))
    assert not [path for path in left(bench.settings) if "artifacts" in path.parts]
    assert bench.client.delete("/datasets/birds").status_code == 204
    problem(bench.client.get("/datasets/birds"), 404, "not_found")


def test_of_hostile_archives_nothing_is_left(
    api_settings: ApiSettings, sessions: Sessions, blobs: BlobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dozen that are made up: no file here or in the store, and no row but the dataset that says why."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    settings, worker = api_settings.model_copy(update={"max_upload_entries": ENTRIES}), api_settings.data_dir / "worker"
    archives = [archive for archive in map(hostile, range(40)) if archive.refused][:12]
    with TestClient(create_app(settings), base_url=LOCAL) as client:
        for number, archive in enumerate(archives):
            made = send(client, io.BytesIO(archive.content), f"hostile-{number}")
            rejected = checked(client, sessions, blobs, made, worker)
            assert (rejected["state"], rejected["error"]["code"]) == ("rejected", "data_error"), archive.kinds
    remove_run_folders(sessions, worker)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    with transaction(sessions) as session:
        assert [session.scalar(select(func.count()).select_from(table)) for table in (LooseFile, Artifact)] == [0, 0]


def test_what_is_left_out_is_told(bench: Bench) -> None:
    client = bench.client
    splits = {f"{split}/{name}": content for name, content in BIRDS.items() for split in ("Train", "Val")}
    unlabelled = {"Test/1.png": next(iter(BIRDS.values()))}
    made = bench.send(zipped({**splits, **unlabelled, "notes.txt": b"hello", ".DS_Store": b"\0"}))
    assert made["left_out"] == [
        "Test/ is left out: its images lie in no class folders, so nothing says what they show. (1: Test/1.png)",
        "Files that are no images are left out. (1: notes.txt)",
    ]
    assert client.get("/datasets/birds").json() == made
    assert client.get("/datasets/digits").json()["left_out"] == []
    estimate = client.post("/searches/estimate", json={"dataset": "birds"}).json()
    assert estimate["warnings"][:2] == made["left_out"]


def test_unequal_classes_are_told_with_the_dataset_and_with_every_search_of_it(bench: Bench) -> None:
    client = bench.client
    one = next(iter(BIRDS.values()))
    files = {f"owl/{n}.png": one for n in range(60)} | {f"wren/{n}.png": one for n in range(5)}
    made = bench.send(zipped(files))
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
    assert "one of them" in missing["detail"]
    problem(client.post("/datasets", data={"folder": "/x"}, files={"file": ("x.zip", b"x")}), 422, "invalid_request")
    text = client.post("/datasets", files={"name": ("birds", b"x")})
    assert problem(text, 422, "invalid_request")["errors"][0]["pointer"] == "#/name"
    many = [("file", (f"{number}.zip", b"x")) for number in range(3)]
    problem(client.post("/datasets", files=many), 400, "bad_request")


@pytest.mark.parametrize(
    ("field", "advice"),
    [
        ("license", "license: There is no such field. Did you mean licence?"),
        ("foo", "foo: There is no such field; there are encoding, file, folder, layout, licence, name, upload, url."),
    ],
)
def test_a_field_that_there_is_not_is_refused_and_nothing_is_kept(bench: Bench, field: str, advice: str) -> None:
    archive = {"file": ("birds.zip", zipped(BIRDS).getvalue())}
    refused = problem(bench.client.post("/datasets", data={field: "x"}, files=archive), 422, "invalid_request")
    assert (refused["detail"], pointers(refused)) == (advice, [f"#/{field}"])
    assert left(bench.settings) == []
    assert [dataset["name"] for dataset in bench.client.get("/datasets").json()["items"]] == ["digits"]


def test_a_field_is_given_once(client: TestClient) -> None:
    twice = problem(client.post("/datasets", data={"name": ["a", "b"], "url": "x"}), 422, "invalid_request")
    assert twice["detail"] == "name: Given 2 times; give it once."


def test_what_is_no_form_is_told_how_one_is_sent(client: TestClient) -> None:
    for said in ({"json": {"name": "birds"}}, {"content": b"PK", "headers": {"Content-Type": "application/zip"}}):
        refused = problem(client.post("/datasets", **said), 415, "unsupported_media_type")  # type: ignore[arg-type]
        assert refused["detail"].startswith("Send a form, Content-Type: multipart/form-data, not application/")
        assert "-F file=@FILE. Its fields are encoding, file, folder" in refused["detail"]


def test_a_repeated_request_is_done_once(client: TestClient) -> None:
    archive = zipped(BIRDS)  # Once: a zip holds the time it was made.
    first, again = (send(client, archive, Idempotency_Key="k") for _ in range(2))
    assert (again.status_code, again.content) == (202, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    other = send(client, zipped({**BIRDS, "owl/9.png": picture(9)}), Idempotency_Key="k")
    problem(other, 422, "idempotency_mismatch")
    renamed = send(client, archive, file="others.zip", Idempotency_Key="k")
    problem(renamed, 422, "idempotency_mismatch")


def small(settings: ApiSettings, **changes: Any) -> ApiSettings:
    return settings.model_copy(update={"max_upload_bytes": 50_000, **changes})


def test_a_large_archive_is_refused_while_it_comes(
    api_settings: ApiSettings, sessions: Sessions, blobs: BlobStore
) -> None:
    with TestClient(create_app(small(api_settings)), base_url=LOCAL, raise_server_exceptions=False) as client:
        bench = Bench(client, api_settings, sessions, blobs)
        assert send(client, zipped(BIRDS)).status_code == 202
        refused = problem(send(client, io.BytesIO(bytes(60_000)), "large"), 413, "payload_too_large")
        assert "50,000 bytes" in refused["detail"]
        bomb = zipped({f"owl/{number}.png": bytes(100_000) for number in range(3)})
        assert "more than 200,000 bytes" in bench.send(bomb, "bomb")["error"]["message"]


def test_nobody_sends_without_a_key(api_settings: ApiSettings, sessions: Sessions) -> None:
    with transaction(sessions) as session:
        _, key = keys.create(session, "uploader")
    settings = small(api_settings, embedded=False)
    with TestClient(create_app(settings), base_url=LOCAL, raise_server_exceptions=False) as client:
        # Refused before the body is read: a body that is too large would be a 413.
        problem(send(client, io.BytesIO(bytes(60_000))), 401, "unauthorized")
        assert send(client, zipped(BIRDS), Authorization=f"Bearer {key}").status_code == 202


def test_a_page_of_another_site_sends_nothing(client: TestClient) -> None:
    problem(send(client, zipped(BIRDS), Origin="https://evil.example"), 403, "forbidden")


def test_deleting(bench: Bench) -> None:
    client = bench.client
    bench.send(zipped(BIRDS))
    search = client.post("/searches", json={"dataset": "birds"}).json()["id"]
    assert search in problem(client.delete("/datasets/birds"), 409, "illegal_transition")["detail"]
    client.post(f"/searches/{search}/cancel")
    assert client.delete("/datasets/birds").status_code == 204
    problem(client.get("/datasets/birds"), 404, "not_found")
    problem(client.delete("/datasets/birds"), 404, "not_found")
    problem(client.delete("/datasets/digits"), 409, "illegal_transition")
    assert not [path for path in left(bench.settings) if "artifacts" in path.parts]
    assert client.get(f"/searches/{search}").json()["spec"]["dataset"]["name"] == "birds"
    gone = problem(client.post(f"/searches/{search}/resume"), 409, "illegal_transition")["detail"]
    assert gone.startswith("The dataset birds@1 was deleted")
    assert "Send the same images again" in gone
    assert client.get(f"/searches/{search}").json()["state"] == "cancelled"
    bench.send(zipped(BIRDS), name="the-same-birds")
    assert client.post(f"/searches/{search}/resume").json()["state"] == "queued"


def test_deleting_while_it_is_checked_stops_the_check(bench: Bench) -> None:
    made = send(bench.client, zipped(BIRDS)).json()
    claim = claimed(bench.sessions, made["id"])
    assert bench.client.delete("/datasets/birds").status_code == 204
    with transaction(bench.sessions) as session:
        assert claims.asked(session, claim) == Ask.STOP
    assert not [path for path in left(bench.settings) if "artifacts" in path.parts]


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


def test_limits_of_the_service_are_those_of_the_check(
    api_settings: ApiSettings, sessions: Sessions, blobs: BlobStore
) -> None:
    few = api_settings.model_copy(update={"max_upload_entries": 11, "decoding_bytes": 10_000})
    large = io.BytesIO()
    Image.new("RGBA", (100, 100)).save(large, "PNG")
    with TestClient(create_app(few), base_url=LOCAL, raise_server_exceptions=False) as client:
        bench = Bench(client, few, sessions, blobs)
        many = bench.send(zipped({**BIRDS, "owl/8.png": picture(), "owl/9.png": picture()}))
        assert "more than 11 files" in many["error"]["message"]
        heavy = bench.send(zipped({**BIRDS, "owl/large.png": large.getvalue()}))
        assert "owl/large.png: decoding it takes 40,0" in heavy["error"]["message"]


def test_what_a_killed_service_left_is_removed_at_the_start(api_settings: ApiSettings) -> None:
    left_behind = api_settings.datasets_dir / ".incoming-0199/unpacked"
    left_behind.mkdir(parents=True)
    with scratch_folder(api_settings.datasets_dir, "incoming") as in_use, TestClient(create_app(api_settings)):
        assert not left_behind.parent.exists()
        assert in_use.exists(), "another service's upload"


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
    def allowing(
        self, api_settings: ApiSettings, tmp_path: Path, sessions: Sessions, blobs: BlobStore
    ) -> Iterator[Bench]:
        folders = f"{tmp_path / 'other'}:{tmp_path / 'srv'}"
        settings = api_settings.model_copy(update={"dataset_folders": folders})
        with TestClient(create_app(settings), base_url=LOCAL, raise_server_exceptions=False) as client:
            yield Bench(client, settings, sessions, blobs)

    @staticmethod
    def refer(allowing: Bench, folder: Path, name: str) -> Any:
        return allowing.check(allowing.client.post("/datasets", data={"folder": str(folder), "name": name}))

    def test_it_is_searched_on_in_place(self, allowing: Bench, images: Path) -> None:
        made = self.refer(allowing, images, "owls")
        assert (made["kind"], made["num_train"], made["num_test"], made["class_names"]) == (
            "folder", 10, 10, ["owl", "wren"],
        )  # fmt: skip
        assert [path.parent.name for path in left(allowing.settings) if "worker" in path.parts] != []
        search = allowing.client.post("/searches", json={"dataset": "owls"})
        assert search.status_code == 201
        assert str(images) not in str(made) + search.text + allowing.client.get("/datasets/owls/report").text
        (images / "train/owl/9.png").write_bytes(picture(9))
        again = self.refer(allowing, images, "owls")
        assert (again["version"], again["fingerprint"] != made["fingerprint"]) == (2, True)

    def test_other_folders_are_refused_whether_they_exist_or_not(
        self, allowing: Bench, client: TestClient, images: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "srv/way-out").symlink_to("/etc")
        for path in ("/etc", "/nowhere", f"{images}/../../../..", str(tmp_path / "srv/way-out"), "srv/birds", ""):
            refused = problem(
                allowing.client.post("/datasets", data={"folder": path, "name": "x"}), 422, "invalid_request"
            )
            assert refused["errors"][0]["pointer"] == "#/folder", path
            assert "DNA_DATASET_FOLDERS" in refused["detail"]
        problem(client.post("/datasets", data={"folder": str(images), "name": "x"}), 422, "invalid_request")

    def test_paths_that_are_none(self, allowing: Bench, tmp_path: Path) -> None:
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
            refused = problem(
                allowing.client.post("/datasets", data={"folder": path, "name": "x"}), 422, "invalid_request"
            )
            assert refused["errors"][0]["pointer"] == "#/folder", path[:50]
            assert len(refused["detail"]) < 500
        missing = allowing.client.post("/datasets", data={"folder": str(tmp_path / "srv/missing"), "name": "x"})
        assert "is no folder" in problem(missing, 422, "invalid_request")["detail"]

    def test_classes_that_are_links(self, allowing: Bench, images: Path, tmp_path: Path) -> None:
        """Followed where they stay in what is allowed, counted in the fingerprint, and refused without a path where not."""
        linked = tmp_path / "srv/linked"
        linked.mkdir()
        for name in ("owl", "wren"):
            (linked / name).symlink_to(images / "train" / name)
        made = self.refer(allowing, linked, "linked")
        assert (made["num_train"], made["class_names"]) == (8, ["owl", "wren"])
        (images / "train/owl/9.png").write_bytes(picture(9))
        assert self.refer(allowing, linked, "changed")["fingerprint"] != made["fingerprint"]
        (tmp_path / "outside").mkdir()
        (linked / "lark").symlink_to(tmp_path / "outside")
        out = self.refer(allowing, linked, "out")
        assert out["error"]["message"].startswith("lark is a link that leads out of the folders that may be used")
        assert str(tmp_path) not in str(out)

    def test_a_picture_that_cannot_be_read_is_named_without_its_path(
        self, allowing: Bench, images: Path, tmp_path: Path
    ) -> None:
        (images / "train/owl/0.png").write_bytes(b"\x89PNG\r\n\x1a\nno picture")
        rejected = self.refer(allowing, images, "x")
        assert rejected["state"] == "rejected"
        assert "train/owl/0.png: " in rejected["error"]["message"]
        assert str(tmp_path) not in str(rejected)

    def test_a_folder_of_class_folders(self, allowing: Bench, images: Path) -> None:
        made = self.refer(allowing, images / "train", "x")
        assert (made["num_train"], made["num_test"], made["class_names"]) == (8, 2, ["owl", "wren"])

    def test_a_folder_that_is_no_dataset(self, allowing: Bench, images: Path) -> None:
        (images / "train/lark").mkdir()
        rejected = self.refer(allowing, images, "x")
        assert rejected["error"]["message"].startswith("The class folder train/lark/ has no images.")
