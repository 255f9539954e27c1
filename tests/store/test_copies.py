"""Unpacked images that several services share: there as long as one of them needs them."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from dna_engine.images.albums import upload_folder
from store.copies import Copies
from store.session import Sessions, database_id, make_engine, make_sessions, transaction

BIRDS = "b" * 64


def unpacked(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "owl.png").write_text("owl")
    return folder


def not_needed() -> bool:
    return False


def test_a_database_is_known_by_its_id(sessions: Sessions, empty_database_url: str) -> None:
    engine = make_engine(empty_database_url)
    ids = []
    for of in (sessions, sessions, make_sessions(engine)):
        with transaction(of) as session:
            ids.append(database_id(session))
    engine.dispose()
    assert ids[0] == ids[1] != ids[2]
    assert Path(ids[0]).name == ids[0], "it names a folder"


def test_the_last_mark_takes_the_images_along(tmp_path: Path) -> None:
    here, there = Copies(tmp_path, "here"), Copies(tmp_path, "there")
    assert not here.claim(BIRDS)
    here.put(unpacked(tmp_path / "made"), BIRDS)
    assert there.claim(BIRDS)
    assert here.release(BIRDS, needed=not_needed)
    assert (upload_folder(tmp_path, BIRDS) / "owl.png").exists()
    assert (here.claimed(), there.claimed()) == (set(), {BIRDS})
    assert there.release(BIRDS, needed=not_needed)
    assert there.present() == there.claimed() == set()
    assert [path.name for path in tmp_path.iterdir()] == ["uploads"]


def test_what_is_needed_after_all_stays(tmp_path: Path) -> None:
    copies = Copies(tmp_path, "here")
    copies.claim(BIRDS)
    copies.put(unpacked(tmp_path / "made"), BIRDS)
    assert not copies.release(BIRDS, needed=lambda: True)
    assert copies.present() == copies.claimed() == {BIRDS}


def test_a_mark_without_images_goes(tmp_path: Path) -> None:
    """Whoever was killed before it had unpacked them, or after it had moved them away."""
    copies = Copies(tmp_path, "here")
    copies.claim(BIRDS)
    copies.release(BIRDS, needed=not_needed)
    assert copies.claimed() == set()


def test_who_comes_while_images_are_removed_waits_and_finds_none(tmp_path: Path) -> None:
    here, there = Copies(tmp_path, "here"), Copies(tmp_path, "there")
    here.claim(BIRDS)
    here.put(unpacked(tmp_path / "made"), BIRDS)
    found: list[bool] = []
    coming = threading.Thread(target=lambda: found.append(there.claim(BIRDS)))

    def needed() -> bool:
        coming.start()
        coming.join(0.2)  # Long enough for who does not wait.
        return False

    assert here.release(BIRDS, needed=needed)
    coming.join()
    assert found == [False]
    assert (there.claimed(), there.present()) == ({BIRDS}, set())


def test_images_of_earlier_versions_belong_to_nobody(tmp_path: Path) -> None:
    unpacked(upload_folder(tmp_path, BIRDS))
    here, there = Copies(tmp_path, "here"), Copies(tmp_path, "there")
    assert here.unclaimed() == {BIRDS}
    assert there.claim(BIRDS)
    assert here.unclaimed() == set()


def test_images_that_another_step_has_just_put_there(tmp_path: Path) -> None:
    copies = Copies(tmp_path, "here")
    copies.claim(BIRDS)
    for name in ("one", "two"):
        copies.put(unpacked(tmp_path / name), BIRDS)
    upload_folder(tmp_path, "c" * 64).symlink_to(tmp_path / "nowhere")
    with pytest.raises(NotADirectoryError):
        copies.put(unpacked(tmp_path / "three"), "c" * 64)
