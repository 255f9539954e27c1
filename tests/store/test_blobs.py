"""Stored bytes: whole or not at all, checked when read, on disk and in memory alike."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from pathlib import Path

import fsspec
import pytest

from store.blobs import CHUNK, BlobStore
from store.errors import CorruptArtifact

CONTENT = bytes(range(256)) * (CHUNK // 256 * 2) + b"the end"


@pytest.fixture(params=["file", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return tmp_path.as_uri() if request.param == "file" else f"memory://{tmp_path.name}"


def files(url: str) -> list[str]:
    filesystem, root = fsspec.url_to_fs(url)
    return [str(name) for name in filesystem.find(root)]


def test_what_was_written_is_read(url: str) -> None:
    blobs = BlobStore(url)
    blob = blobs.write(io.BytesIO(CONTENT))
    assert (blob.size, blob.sha256) == (len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    assert b"".join(blobs.read(blob)) == CONTENT
    assert b"".join(BlobStore(url).read(blob)) == CONTENT
    assert [name for name in files(url) if not name.endswith(blob.location)] == []


def test_an_empty_file(url: str) -> None:
    blobs = BlobStore(url)
    assert list(blobs.read(blobs.write(io.BytesIO()))) == []


@pytest.mark.parametrize(("start", "stop"), [(0, 10), (CHUNK - 1, CHUNK + 1), (5, 5), (0, len(CONTENT))])
def test_ranges(url: str, start: int, stop: int) -> None:
    blobs = BlobStore(url)
    blob = blobs.write(io.BytesIO(CONTENT))
    assert b"".join(blobs.read_range(blob, start, stop)) == CONTENT[start:stop]


@pytest.mark.parametrize("damage", [CONTENT[:-1], CONTENT[:-1] + b"?", b"", CONTENT + b"more"])
def test_a_changed_file_never_arrives_complete(url: str, damage: bytes, tmp_path: Path) -> None:
    blobs = BlobStore(url)
    blob = blobs.write(io.BytesIO(CONTENT))
    filesystem, root = fsspec.url_to_fs(url)
    filesystem.pipe_file(f"{root}/{blob.location}", damage)
    arrived: list[bytes] = []
    with pytest.raises(CorruptArtifact, match=str(blob.id)):
        arrived.extend(blobs.read(blob))
    assert sum(map(len, arrived)) < len(CONTENT)
    with pytest.raises(CorruptArtifact):
        blobs.fetch(blob, tmp_path / "out" / "file")
    assert not (tmp_path / "out" / "file").exists()


def test_a_range_of_a_file_of_another_size_is_refused(url: str) -> None:
    blobs = BlobStore(url)
    blob = blobs.write(io.BytesIO(CONTENT))
    with pytest.raises(CorruptArtifact, match="size"):
        list(blobs.read_range(replace(blob, size=1), 0, 1))


def test_missing_files_and_deletion(url: str) -> None:
    blobs = BlobStore(url)
    blob = blobs.write(io.BytesIO(b"x"))
    blobs.delete(blob.location)
    blobs.delete(blob.location)
    with pytest.raises(CorruptArtifact, match="missing"):
        list(blobs.read(blob))
    with pytest.raises(CorruptArtifact, match="missing"):
        list(blobs.read_range(blob, 0, 1))


def test_a_write_that_breaks_off_leaves_nothing(url: str) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                raise OSError("The upload ended early.")
            return super().read(10)

    with pytest.raises(OSError, match="ended early"):
        BlobStore(url).write(Broken(CONTENT))
    assert files(url) == []


def test_fetch_and_write_file(url: str, tmp_path: Path) -> None:
    blobs = BlobStore(url)
    source, target = tmp_path / "in.bin", tmp_path / "deep" / "out.bin"
    source.write_bytes(CONTENT)
    blobs.fetch(blobs.write_file(source), target)
    assert target.read_bytes() == CONTENT
    assert [path.name for path in target.parent.iterdir()] == ["out.bin"]
