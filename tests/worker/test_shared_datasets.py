"""Two services, each with its database, on one machine: they share the images they unpack, and neither takes them from the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dna_engine.images import arrange
from dna_engine.images.albums import upload_folder
from dna_engine.images.info import DatasetInfo
from dna_engine.spec import SearchSpec, resolve
from store import datasets, searches
from store.embedded import Servers
from store.session import transaction
from store.states import StepState
from tests.conftest import new_database
from tests.worker.conftest import Bench, Stage
from tests.worker.test_datasets import stored
from tests.worker.test_supervisor import supervised
from worker.cleanup import remove_datasets
from worker.datasets import lay_down
from worker.settings import WorkerSettings
from worker.slot import Slot, open_slot

Wait = Callable[[Callable[[], bool]], None]


@pytest.fixture
def worker_settings(worker_settings: WorkerSettings, tmp_path: Path) -> WorkerSettings:
    return worker_settings.model_copy(update={"datasets": tmp_path / "datasets"})


@pytest.fixture
def other_slot(worker_settings: WorkerSettings, servers: Servers, migrated: str, tmp_path: Path) -> Iterator[Slot]:
    """Of another service, with the same datasets folder."""
    with new_database(servers.database_url, template=migrated) as url:
        of_it = {"database_url": url, "data_dir": tmp_path / "other"}
        with open_slot(worker_settings.model_copy(update=of_it), Stage("cpu", "A processor"), ["gpu"]) as slot:
            yield slot


@pytest.fixture
def birds(slot: Slot, other_slot: Slot, tmp_path: Path) -> DatasetInfo:
    """The same images, uploaded to both."""
    (info, _), (same, _) = stored(slot, tmp_path / "sent"), stored(other_slot, tmp_path / "sent again")
    assert same.location == info.location
    return info


def unpack(slot: Slot, info: DatasetInfo) -> None:
    lay_down(info, slot.sessions, slot.blobs, slot.settings.datasets_dir)


def tidy(slot: Slot) -> None:
    remove_datasets(slot.sessions, slot.settings.datasets_dir)


def delete(slot: Slot) -> None:
    with transaction(slot.sessions) as session:
        datasets.delete(session, datasets.find(session, "birds"))


def test_images_go_with_the_last_service_that_needs_them(slot: Slot, other_slot: Slot, birds: DatasetInfo) -> None:
    unpack(slot, birds)
    images = upload_folder(slot.settings.datasets_dir, birds.location)
    before = images.stat().st_ino
    unpack(other_slot, birds)
    delete(slot)
    tidy(slot)
    tidy(slot)
    assert images.stat().st_ino == before, "the one copy"
    assert arrange.fingerprint(images) == birds.location
    delete(other_slot)
    tidy(slot)
    assert images.exists(), "what another service has marked is that one's to remove"
    tidy(other_slot)
    assert not images.exists()


def test_a_dataset_counts_before_any_step_needs_it(slot: Slot, other_slot: Slot, birds: DatasetInfo) -> None:
    """Also where an earlier version unpacked the images and marked nothing."""
    arrange_like_an_earlier_version(slot, birds)
    images = upload_folder(slot.settings.datasets_dir, birds.location)
    tidy(slot)
    tidy(other_slot)
    delete(slot)
    tidy(slot)
    assert images.exists()
    delete(other_slot)
    tidy(other_slot)
    assert not images.exists()


def arrange_like_an_earlier_version(slot: Slot, info: DatasetInfo) -> None:
    elsewhere = slot.settings.data_dir / "elsewhere"
    lay_down(info, slot.sessions, slot.blobs, elsewhere)
    (slot.settings.datasets_dir / "uploads").mkdir(parents=True)
    upload_folder(elsewhere, info.location).rename(upload_folder(slot.settings.datasets_dir, info.location))


def test_a_step_goes_on_when_another_service_deletes_the_dataset(
    slot: Slot, other_slot: Slot, birds: DatasetInfo, wait_for: Wait
) -> None:
    unpack(slot, birds)
    other = Bench(other_slot)
    with transaction(other_slot.sessions) as session:
        spec = SearchSpec.model_validate({"dataset": "birds"})
        other.job_id = searches.create(session, spec, resolve(spec, birds), max_attempts=1).id
    with supervised(other, "looking", wait_for):
        delete(slot)
        tidy(slot)
        (other_slot.settings.data_dir / "runs" / str(other.job_id) / "look").touch()
    assert (other.step.state, other.step.values) == (StepState.SUCCEEDED, {"pictures": 10})
