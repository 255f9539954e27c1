"""Uploaded images on a machine that has never seen them: unpacked once, from what was stored."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

import pytest

from dna_engine.checking import KEPT
from dna_engine.images import albums, arrange
from dna_engine.images.archive import pack
from dna_engine.images.check.report import Report
from dna_engine.images.info import DIGITS, DatasetInfo
from dna_engine.images.layout.layout import read_layout
from dna_engine.plans.results import Checked
from store import datasets
from store.blobs import Blob, BlobStore
from store.errors import CorruptArtifact
from store.session import database_id, transaction
from tests.dna_engine.images.test_arrange import write
from worker.datasets import keep, lay_down
from worker.run_folder import MissingFile
from worker.slot import Slot


def stored(slot: Slot, folder: Path) -> tuple[DatasetInfo, Blob]:
    """A dataset as the service keeps it, nothing of it unpacked here."""
    files = [f"{name}/{number}.png" for name in ("owl", "wren") for number in range(5)]
    arrange.arrange(read_layout(write(folder / "in", *files)), folder / "images")
    pack(folder / "images", folder / "archive.tar")
    blob = slot.blobs.write_file(folder / "archive.tar")
    fingerprint = arrange.fingerprint(folder / "images")
    info = albums.describe_folder("birds", "upload", fingerprint, read_layout(folder / "images"))
    with transaction(slot.sessions) as session:
        datasets.create(session, info, fingerprint=fingerprint, archive=blob)
    return info, blob


def laid_down(slot: Slot, info: DatasetInfo, root: Path) -> None:
    lay_down(info, slot.sessions, slot.blobs, root)


def test_the_images_are_those_that_were_sent(slot: Slot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info, _ = stored(slot, tmp_path)
    root = tmp_path / "elsewhere"
    laid_down(slot, info, root)
    assert arrange.fingerprint(albums.upload_folder(root, info.location)) == info.location
    monkeypatch.setenv("DNA_DATASETS", str(root))
    train, test, _ = albums.open_upload(info.location)
    assert (len(train.labels), len(test.labels)) == (8, 2)
    assert [path.name for path in root.iterdir()] == ["uploads"], "nothing is left of the unpacking"


def test_what_keeps_the_images_from_their_place_is_said(slot: Slot, tmp_path: Path) -> None:
    info, _ = stored(slot, tmp_path)
    place = albums.upload_folder(tmp_path / "elsewhere", info.location)
    place.parent.mkdir(parents=True)
    place.symlink_to(tmp_path / "nowhere")
    with pytest.raises(NotADirectoryError):
        laid_down(slot, info, tmp_path / "elsewhere")


def test_it_is_done_once(slot: Slot, tmp_path: Path) -> None:
    info, blob = stored(slot, tmp_path)
    laid_down(slot, info, tmp_path / "elsewhere")
    slot.blobs.delete(blob.location)
    laid_down(slot, info, tmp_path / "elsewhere")
    with pytest.raises(CorruptArtifact):
        laid_down(slot, info, tmp_path / "another")
    assert not (tmp_path / "another/uploads" / info.location).exists()
    assert not list((tmp_path / "another").glob(".unpacking*"))


class Fetched:
    """Stored files whose first reader takes long enough for another to come."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs
        self._again = threading.Event()
        self.times = 0

    def fetch(self, blob: Blob, target: Path) -> None:
        self.times += 1
        if self.times > 1:
            self._again.set()
        self._again.wait(0.5)
        self._blobs.fetch(blob, target)


def test_two_workers_of_a_machine_unpack_once(slot: Slot, tmp_path: Path) -> None:
    info, _ = stored(slot, tmp_path)
    root, fetched = tmp_path / "elsewhere", Fetched(slot.blobs)

    def lay() -> None:
        lay_down(info, slot.sessions, cast(BlobStore, fetched), root)

    with ThreadPoolExecutor(2) as both:
        for done in [both.submit(lay), both.submit(lay)]:
            done.result()
    assert fetched.times == 1
    assert arrange.fingerprint(albums.upload_folder(root, info.location)) == info.location


def test_who_was_killed_unpacking_keeps_nobody(slot: Slot, tmp_path: Path) -> None:
    info, _ = stored(slot, tmp_path)
    root = tmp_path / "elsewhere"
    with transaction(slot.sessions) as session:
        database = database_id(session)
    holds = f"from store.copies import Copies; from pathlib import Path; copies = Copies(Path({str(root)!r}), {database!r}); "
    holds += f"copies.claim({info.location!r})\nwith copies.alone({info.location!r}): print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", holds], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(laid_down, slot, info, root)
            with pytest.raises(TimeoutError):
                waiting.result(0.2)
            other.kill()
            waiting.result()
    assert arrange.fingerprint(albums.upload_folder(root, info.location)) == info.location


def test_images_that_were_checked_here_need_no_unpacking(slot: Slot, tmp_path: Path) -> None:
    info, blob = stored(slot, tmp_path)
    (tmp_path / "images").rename(tmp_path / KEPT)
    root = tmp_path / "elsewhere"
    for _ in range(2):  # Another upload of the same images finds them there.
        keep(
            Checked(info=info, fingerprint=info.location, report=Report(splits={}, classes=[])),
            tmp_path,
            slot.sessions,
            root,
        )
    slot.blobs.delete(blob.location)
    laid_down(slot, info, root)
    assert arrange.fingerprint(albums.upload_folder(root, info.location)) == info.location


def test_what_is_no_longer_stored(slot: Slot, tmp_path: Path) -> None:
    info, _ = stored(slot, tmp_path)
    with pytest.raises(MissingFile, match="birds is no longer stored; upload it again"):
        laid_down(slot, info.model_copy(update={"location": "f" * 64}), tmp_path / "elsewhere")


def test_other_kinds_are_left_to_the_engine(slot: Slot, tmp_path: Path) -> None:
    laid_down(slot, DIGITS, tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere").exists()
