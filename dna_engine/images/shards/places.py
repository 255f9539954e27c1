"""Which shards lie at a URL, on any file system that fsspec knows, and in which state.

A URL names a folder, whose shards are those below it, or shards by a pattern: ``s3://bucket/birds/``, ``s3://bucket/birds/*.tar``,
``s3://bucket/birds/train-{000..031}.tar``. Credentials are the environment's, as each file system reads them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs
from pydantic import BaseModel, ConfigDict

from dna_engine.errors import DataError, EngineError
from dna_engine.images.layout.folders import is_clutter

TAR, PARQUET = ".tar", ".parquet"
_PACKED = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")
_MAGIC = frozenset("*?[")
_RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")
#: Shards that one URL may name.
_MOST = 100_000
#: What file systems call the state of a file.
_VERSIONS = ("ETag", "etag", "blob_id", "sha", "md5", "mtime", "LastModified", "last_modified", "updated", "created")

WANTED = "A dataset by URL is a folder of .tar (WebDataset) or .parquet shards, or a pattern that names some."


class Shard(BaseModel):
    """A file of many pictures. ``name`` is its path below the folder that the URL names, ``path`` that of its file system."""

    model_config = ConfigDict(frozen=True)

    path: str
    name: str
    size: int
    version: str


@dataclass(frozen=True)
class Place:
    """The shards at a URL, in the order of their names, all of one kind, and what else lies there."""

    url: str
    shards: Sequence[Shard]
    others: Sequence[str] = ()

    @property
    def suffix(self) -> str:
        return TAR if self.shards[0].name.endswith(TAR) else PARQUET

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the names, sizes and versions of the shards: another when one of them is written anew."""
        digest = hashlib.sha256(self.url.encode())
        for shard in self.shards:
            digest.update(shard.model_dump_json().encode())
        return digest.hexdigest()


def is_url(name: str) -> bool:
    """Whether a dataset of that name is one by URL."""
    return "://" in name


def name_of(url: str) -> str:
    """What a dataset is called where nobody says: the last part of the URL that is no pattern."""
    parts = [part for part in url.rpartition("://")[2].split("/") if part and not set(part) & set("*?[{")]
    name = (parts[-1] if parts else "").removesuffix(TAR).removesuffix(PARQUET)
    return re.sub(r"[^A-Za-z0-9._-]", "-", name).lstrip("._-")[:100] or "shards"


def file_system(url: str) -> AbstractFileSystem:
    """The file system of a URL, the same in all threads of a process. Another process needs its own."""
    return url_to_fs(url)[0]


def look(url: str) -> Place:
    """The shards at a URL.

    Raises:
        DataError: there are none, it cannot be reached, or what lies there is of several kinds.
    """
    with reached(url):
        found = _found(url)
    shards = [shard for shard in found if shard.name.endswith((TAR, PARQUET))]
    if packed := [shard.name for shard in found if shard.name.endswith(_PACKED)]:
        raise wrong(
            f"{packed[0]} is packed, and a picture in it cannot be read without all before it. Store plain .tar files: images hardly "
            "get smaller."
        )
    if not shards:
        raise wrong(f"There are no shards at {url}. {WANTED}")
    if len({shard.name.endswith(TAR) for shard in shards}) > 1:
        raise wrong(
            f"There are both .tar and .parquet files at {url}. Name one kind, such as {url.rstrip('/')}/*.parquet."
        )
    if len(shards) > _MOST:
        raise wrong(
            f"There are {len(shards):,} shards at {url}; at most {_MOST:,} are read. Pack more images into each."
        )
    others = [shard.name for shard in found if not shard.name.endswith((TAR, PARQUET))]
    return Place(url, shards, others)


def _found(url: str) -> list[Shard]:
    """Every file that the URL names, sorted."""
    fs, path = url_to_fs(url)
    fs.invalidate_cache()  # Of listings: what was there an hour ago is not asked for.
    files: dict[str, Mapping[str, Any]] = {}
    for pattern in _expanded(path):
        if _MAGIC & set(pattern):
            files |= fs.glob(pattern, detail=True)
        else:
            files |= fs.find(pattern, detail=True)
            if pattern != path and pattern not in files:
                raise wrong(f"{pattern} is not there, though {url} names it.")
    root = _root(path)
    named = {name: name.removeprefix(root).lstrip("/") or name.rpartition("/")[2] for name in sorted(files)}
    return [
        Shard(path=name, name=named[name], size=int(files[name].get("size") or 0), version=_version(files[name]))
        for name in named
        if files[name].get("type") == "file" and not any(is_clutter(part) for part in named[name].split("/"))
    ]


def _expanded(path: str) -> Iterator[str]:
    """The paths that a range in braces stands for, as WebDataset writes it."""
    if (found := _RANGE.search(path)) is None:
        yield path
        return
    first, last = found.groups()
    if int(last) - int(first) >= _MOST:
        raise wrong(f"{found[0]} names more than {_MOST:,} shards. Pack more images into each.")
    for number in range(int(first), int(last) + 1):
        yield from _expanded(f"{path[: found.start()]}{number:0{len(first)}}{path[found.end() :]}")


def _root(path: str) -> str:
    """The folder before the first pattern; of the path of one file, the folder in which it lies."""
    parts = path.split("/")
    plain = next((depth for depth, part in enumerate(parts) if set(part) & (_MAGIC | {"{"})), None)
    if plain is not None:
        return "/".join(parts[:plain])
    return path.rpartition("/")[0] if path.endswith((TAR, PARQUET)) else path


def _version(about: Mapping[str, Any]) -> str:
    return next((str(about[key]) for key in _VERSIONS if about.get(key)), "")


@contextmanager
def reached(url: str) -> Iterator[None]:
    """Says of whatever a file system raises what to do about it: each has errors of its own."""
    try:
        yield
    except EngineError:
        raise
    except Exception as error:
        raise wrong(_advice(url, error)) from error


def _advice(url: str, error: Exception) -> str:
    scheme = url.partition("://")[0]
    if isinstance(error, ImportError):
        extra = {"s3": "dna-automl[s3]", "s3a": "dna-automl[s3]"}.get(scheme)
        what = f"pip install '{extra}'" if extra else f"install what it names ({error})"
        return f"Reading {scheme}:// needs a library that is not installed here: {what}, on the API and every worker."
    if isinstance(error, FileNotFoundError):
        return f"There is nothing at {url} ({error})."
    if "Credentials" in type(error).__name__:
        return (
            f"There are no credentials to read {url}. Give the API and every worker those of {scheme}:// in their environment "
            "(such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), or FSSPEC_S3_ANON=true for what everybody may read."
        )
    if isinstance(error, PermissionError):
        return f"{url} may not be read with the credentials of the API and the workers ({error}). Allow them to list and read it."
    if isinstance(error, ValueError) and "Protocol not known" in str(error):
        return f"{scheme}:// is no file system that is known here. {WANTED}"
    return (
        f"{url} cannot be read ({type(error).__name__}: {error}). Try again, or look whether the workers can reach it."
    )


def wrong(message: str) -> DataError:
    """What is wrong with a dataset by URL, for who named it."""
    return DataError(message, param="url")
