"""A dataset on its way to the service: an archive as it is, or a folder packed into one."""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from dna_client.errors import LocalError


@contextmanager
def packed(path: Path) -> Iterator[IO[bytes]]:
    """The file, open; a folder becomes a tar of its name, which is gone after the block.

    Raises:
        LocalError: it does not exist or cannot be read.
    """
    try:
        if not path.is_dir():
            with path.open("rb") as file:
                yield file
            return
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / f"{path.resolve().name}.tar"
            with tarfile.open(target, "w", dereference=True) as tar:
                tar.add(path, arcname=".")
            with target.open("rb") as file:
                yield file
    except OSError as error:
        raise LocalError(f"{path} cannot be read: {error.strerror or error}.") from error
