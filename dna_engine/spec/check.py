"""What the check of a dataset is asked to do. Torch-free: the API writes it, the engine runs it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dna_engine.images.archive import Limits
from dna_engine.images.layout.reading import Reading
from dna_engine.spec.parts import Part, ResolvedJob, Whole


class ArchiveLimits(Part):
    """How much may come out of an archive."""

    total_bytes: Whole = Field(ge=1)
    entries: Whole = Field(ge=1)

    @property
    def limits(self) -> Limits:
        """With those that are the same everywhere."""
        return Limits(total_bytes=self.total_bytes, entries=self.entries)


class ResolvedCheck(ResolvedJob):
    """A check with nothing left open. ``name`` is the dataset's.

    Attributes:
        version: of the datasets of that name, from 1.
        folder: of the server, absolute.
        url: of shards that lie elsewhere, or a name of timm's; where there is neither, an archive was sent, an input of the step.
        within: folders that links below it must stay in.
        reading: what the sender says of how the images are to be read.
        archive: what may come out of one.
        decoding_bytes: memory that decoding pictures takes at once; one that needs more is refused.
    """

    job: Literal["check"] = "check"
    version: Whole = Field(ge=1)
    folder: str | None = None
    url: str | None = None
    within: list[str] = Field(default_factory=list)
    reading: Reading = Reading()
    archive: ArchiveLimits
    decoding_bytes: Whole = Field(ge=1)

    @property
    def kind(self) -> str:
        """Of the dataset that it may become."""
        if self.url is not None:
            return "shards" if "://" in self.url or self.url.startswith("wds/") else "timm"
        return "upload" if self.folder is None else "folder"

    @property
    def dataset_name(self) -> str:
        return self.name
