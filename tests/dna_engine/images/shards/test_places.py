"""Which shards a URL names, wherever they lie, and what is said where it names none."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from s3fs import S3FileSystem

from dna_engine.errors import DataError
from dna_engine.images.shards.album import open_shards, survey_url
from dna_engine.images.shards.places import look
from tests.dna_engine.images.shards.made import table, tar, web_dataset


def names(url: str) -> list[str]:
    return [shard.name for shard in look(url).shards]


def touched(folder: Path, *files: str) -> Path:
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).touch()
    return folder


def test_folders_and_patterns(tmp_path: Path) -> None:
    touched(tmp_path, "b-1.tar", "b-0.tar", "b-2.tar", "more/b-0.tar", ".git/x.tar", "notes.txt")
    url = tmp_path.as_uri()
    assert names(url) == names(f"{url}/") == ["b-0.tar", "b-1.tar", "b-2.tar", "more/b-0.tar"]
    assert names(f"{url}/*.tar") == ["b-0.tar", "b-1.tar", "b-2.tar"]
    assert names(f"{url}/b-{{1..2}}.tar") == ["b-1.tar", "b-2.tar"]
    assert names(f"{url}/more/b-0.tar") == ["b-0.tar"]
    assert look(url).others == ["notes.txt"]


@pytest.mark.parametrize(
    ("files", "below", "said"),
    [
        ([], "birds", "There is nothing at|There are no shards at"),
        (["a.txt"], "", "There are no shards at"),
        (["a.tar", "b.parquet"], "", r"both \.tar and \.parquet"),
        (["a.tar.gz"], "", r"a\.tar\.gz is packed"),
        (["b-0.tar"], "b-{0..1}.tar", "b-1.tar is not there"),
        ([], "b-{0..999999}.tar", "names more than 100,000 shards"),
    ],
)
def test_what_names_none(tmp_path: Path, files: list[str], below: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        look(f"{touched(tmp_path, *files).as_uri()}/{below}")


def test_a_file_system_that_nobody_knows() -> None:
    with pytest.raises(DataError, match="floppy:// is no file system that is known here"):
        look("floppy://a/birds/")


def test_a_library_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    S3FileSystem.clear_instance_cache()
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, "s3", raising=False)
    with pytest.raises(DataError, match=r"pip install 'dna-automl\[s3\]', on the API and every worker"):
        look("s3://sets/birds/")


def test_parquet_without_its_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DNA_DATASETS", str(tmp_path / "kept"))
    table(tmp_path / "birds.parquet", [0, 1] * 4)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(DataError, match=r"pip install 'dna-automl\[parquet\]'"):
        survey_url((tmp_path / "birds.parquet").as_uri())


def test_shards_in_s3(s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of both kinds, over HTTP; one that is written anew is noticed by the same process."""
    monkeypatch.setenv("DNA_DATASETS", str(tmp_path / "kept"))
    s3.put(str(tar(tmp_path / "a.tar", web_dataset())), "sets/birds/a.tar")
    s3.put(str(table(tmp_path / "a.parquet", [0, 1] * 5)), "sets/rows/a.parquet")
    for url in ("s3://sets/birds/", "s3://sets/rows/*.parquet"):
        info = survey_url(url)
        train, test, _ = open_shards(info.location)
        assert (len(train.labels), len(test.labels), train.picture(3).size) == (8, 2, (12, 10))
        assert train.distant
    s3.put(str(tar(tmp_path / "a.tar", web_dataset(first=1))), "sets/birds/a.tar")
    assert survey_url("s3://sets/birds/").location != info.location


def test_an_s3_that_does_not_let_one_in(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"There is nothing at|There are no shards at"):
        look("s3://nobodys/birds/")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    S3FileSystem.clear_instance_cache()
    with pytest.raises(DataError, match="There are no credentials to read s3://sets/birds/") as refused:
        look("s3://sets/birds/")
    assert "AWS_ACCESS_KEY_ID" in refused.value.message
