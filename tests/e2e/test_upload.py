"""A search on images that were sent, run by a worker that shares no folder with the API but the artifacts."""

from __future__ import annotations

from pathlib import Path

from dna_client import Client
from dna_engine.images.albums import ArrayAlbum, open_digits
from store.embedded import Servers
from store.settings import Settings
from tests.conftest import new_database
from tests.dna_client.conftest import running_api
from tests.e2e.service import TINY, machine

#: Of the search, what has nothing to do with where its images come from.
SHORT = {"select": {"finalists": 0}, "retrain": {"epochs": 1, "batch_size": 128, "control": False}}

#: Digits of each class: as many as make the search short.
EACH = 40


def lay_out(album: ArrayAlbum, folder: Path) -> None:
    """Three classes of digits as folders of images."""
    for label in range(3):
        (folder / str(label)).mkdir(parents=True)
        for index in [index for index, own in enumerate(album.labels) if own == label][:EACH]:
            album.picture(index).save(folder / str(label) / f"{index}.png")


def test_a_worker_elsewhere_unpacks_what_was_sent(servers: Servers, migrated: str, tmp_path: Path) -> None:
    (tmp_path / "api").mkdir()
    lay_out(open_digits()[0], tmp_path / "three")
    with new_database(servers.database_url, template=migrated) as database_url:
        settings = Settings(
            database_url=database_url,
            redis_url=servers.redis_url,
            data_dir=tmp_path / "worker",
            artifacts_url=(tmp_path / "api/artifacts").as_uri(),
        )
        with (
            running_api(database_url, servers.redis_url, tmp_path / "api") as url,
            machine(settings),
            Client(url) as client,
        ):
            made = client.create_dataset(tmp_path / "three")
            found = client.wait(client.create_search({**TINY, **SHORT, "dataset": "three"})["id"])
    assert (made["num_classes"], made["num_train"], made["num_test"]) == (3, 96, 24)
    assert found["state"] == "succeeded"
    assert found["spec"]["dataset"]["num_classes"] == 3
    unpacked = tmp_path / "worker/datasets/uploads"
    assert [folder.name for folder in unpacked.glob("[!.]*")] == [made["fingerprint"]]
