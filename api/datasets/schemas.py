"""What goes out of the routes of datasets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from api.jobs.schemas import Failure
from dna_engine.images.check.report import ClassCount, Report
from dna_engine.images.pictures.prepare import WHITE
from store.states import DatasetState
from store.tables import Dataset, Job
from store.waiting import Wait

#: Names of classes that an answer on the whole dataset has; the others are on pages of their own.
NAMES_SHOWN = 100


class DatasetOut(BaseModel):
    """Images to search on. Where they lie is the service's affair. What is counted is null until they were checked."""

    id: UUID = Field(description="Of this version, UUIDv7.")
    name: str = Field(description="What searches call it; several versions may share it.")
    version: int = Field(description="Of the datasets of that name: `name@2` is the second, `name` the newest.")
    state: DatasetState = Field(description="Whether it can be searched on.")
    kind: str = Field(
        description="builtin: ships with the service; folder: class folders of the server; upload: sent as an archive; timm: a name timm knows; shards: files of many pictures at a URL."
    )
    num_classes: int | None = Field(default=None, description="Classes of its images.")
    num_train: int | None = Field(default=None, description="Images to train with.")
    num_val: int | None = Field(
        default=None,
        description="Images given to decide by, beside those to test with. Without, some are held out of those to train with.",
    )
    num_test: int | None = Field(default=None, description="Images to test with.")
    image_size: int | None = Field(default=None, description="Side in pixels as stored.")
    aspect_ratios: tuple[float, float, float] | None = Field(
        default=None,
        description="Width over height: a tenth of the images have less than the first, half less than the second, a tenth more than the "
        "third.",
    )
    white: int = Field(default=WHITE, description="What is white in images of 16 bits of grey.")
    one_way: bool = Field(
        default=False,
        description="Mirrored images of a class look like another's, so that jobs mirror none unless they say `flip`.",
    )
    licence: str | None = Field(
        default=None, description="What may be done with the images, as whoever sent them has said."
    )
    class_names: list[str] = Field(
        default_factory=list,
        description=f"The first {NAMES_SHOWN}; `GET /datasets/{{id}}/classes` has all, with their counts.",
    )
    left_out: list[str] = Field(
        default_factory=list, description="What lay beside the images and is not used, a sentence each."
    )
    warnings: list[str] = Field(
        default_factory=list, description="What makes an accuracy on these images say little, a sentence each."
    )
    fingerprint: str | None = Field(description="Changes when the images do.")
    bytes: int | None = Field(
        default=None,
        description="Of its images as the service keeps them; of `shards` of their index; null where it keeps none, such as of a folder, and until they were checked.",
    )
    progress: float | None = Field(default=None, description="Of the check, 0 to 1, while it is under way.")
    eta_seconds: float | None = Field(
        default=None, description="Until the check is over; null where none runs or it cannot be told."
    )
    waiting_for: str | None = Field(default=None, description="What holds up a check that does not run.")
    queue_position: int | None = Field(
        default=None, description="Place of a check that waits for a worker, 1 for the next of its queue."
    )
    error: Failure | None = Field(description="Why it was rejected.")
    created_at: datetime = Field(description="When it was sent or named.")
    created_by: str | None = Field(
        default=None, description="Name of the key that asked for it; null where that was done without a key."
    )
    project: str | None = Field(
        default=None, description="Name of the project that it is of; null of what ships with the service."
    )

    @classmethod
    def of(
        cls, dataset: Dataset, check: Job | None = None, wait: Wait | None = None, lacking: Sequence[str] = ()
    ) -> DatasetOut:
        """The dataset, with how far its check is while that is under way, and what of it lacks a worker."""
        shown = {name: value for name, value in dataset.info.items() if name in cls.model_fields}
        shown["class_names"] = shown.get("class_names", [])[:NAMES_SHOWN]
        own = ("id", "name", "version", "state", "fingerprint", "error", "created_at", "created_by", "project")
        shown |= {name: getattr(dataset, name) for name in own}
        shown["bytes"] = dataset.archive["size"] if dataset.archive else None
        if check is not None:
            shown |= {"progress": check.progress, "eta_seconds": check.eta_seconds} | vars(wait or Wait())
            shown["warnings"] = [*shown.get("warnings", []), *lacking]
        return cls.model_validate(shown)


class ReportOut(Report):
    """What the check of a dataset has found."""

    num_classes: int = Field(description="How many there are.")
    classes: list[ClassCount] = Field(
        description=f"The first {NAMES_SHOWN}, in the order of their numbers; `GET /datasets/{{id}}/classes` has all."
    )

    @classmethod
    def of(cls, report: dict[str, Any]) -> ReportOut:
        """As it is kept."""
        shown = {**report, "num_classes": len(report["classes"]), "classes": report["classes"][:NAMES_SHOWN]}
        return cls.model_validate(shown)


class SampleOut(BaseModel):
    """A picture of a class, at `url` as a small JPEG."""

    name: str = Field(description="As it was sent.")
    width: int = Field(description="In pixels, as it was sent.")
    height: int = Field(description="In pixels, as it was sent.")
    url: str = Field(description="Path of the picture on this service.")


class Samples(BaseModel):
    """A few pictures of a class."""

    class_name: str = Field(alias="class", serialization_alias="class", description="Name of the class.")
    items: list[SampleOut] = Field(description="Up to ten, spread over the class.")
