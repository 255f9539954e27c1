"""One reader for what is uploaded, for folders of a server and for the command line: from an archive or a folder to its layout. Torch-free."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import IO

from pydantic import BaseModel, ConfigDict, Field

from dna_engine.images.archive import Limits, unpack
from dna_engine.images.check.report import Findings
from dna_engine.images.info import Arrangement
from dna_engine.images.layout.layout import Layout, read_layout
from dna_engine.images.pictures.kinds import is_wanted


class Reading(BaseModel):
    """What people can say of their images, and of how they are to be read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    layout: Arrangement = Field(
        default="auto",
        description="auto: folders are understood by what they look like and are called; classes: those at the top are the classes, "
        "with all that lies below them.",
    )
    encoding: str | None = Field(
        default=None,
        max_length=100,
        description="In which encoding the names of an archive are that do not say theirs, such as cp932 (Shift-JIS) or gb18030 (GBK). "
        "Default: it is found out where there is one answer, and asked for where there are several.",
    )
    licence: str | None = Field(
        default=None,
        max_length=1000,
        description="What may be done with the images, such as CC BY 4.0; the card of a network that is trained on them says it.",
    )


def read_archive(
    archive: IO[bytes],
    target: Path,
    reading: Reading,
    *,
    limits: Limits,
    stopped: Callable[[], bool] = lambda: False,
) -> Layout:
    """The dataset in an archive, unpacked below ``target``, a new folder.

    Raises:
        DataError: it is no archive, it is not safe to unpack, or holds no dataset.
        Interrupted: ``stopped`` said so.
    """
    found = Findings(
        unpack(archive, target, wanted=is_wanted, limits=limits, encoding=reading.encoding, stopped=stopped)
    )
    layout = read_layout(target, reading.layout)
    found.take(layout.findings)
    return replace(layout, findings=found.all())
