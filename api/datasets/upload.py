"""The form that a dataset is sent or named by."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import IO, Annotated
from uuid import UUID

from fastapi import Depends, Request
from pydantic import Field, ValidationError

from api.deps import ResourcesDep
from api.forms import SentFile, SentName, receive_form, wrong
from api.idempotency import KeyHeader, Once
from dna_engine.images.layout.reading import Reading


class DatasetForm(Reading):
    """Images, in one of four ways: `file`, `upload`, `folder` (with `name`) or `url`; and what is to be said of them."""

    file: SentFile | None = Field(
        default=None,
        description="A zip or tar (plain, gzip, bzip2, xz) of class folders; of `train/`, `val/` and `test/` with class folders; or of "
        "images with a table of their names and labels.",
    )
    upload: UUID | None = Field(
        default=None, description="Instead of a file: the id of one that was sent in pieces, see `POST /uploads`."
    )
    folder: str | None = Field(
        default=None,
        description="Instead of a file: a folder of the server, arranged in the same way, below one that the operator allows, at the "
        "same place on every worker.",
    )
    url: str | None = Field(
        default=None,
        description="Instead of a file: shards that lie elsewhere, as WebDataset (`.tar`) or Parquet, such as `s3://bucket/birds/`, or "
        "a name of timm's, such as `torch/cifar10`; one that the operator allows.",
    )
    name: SentName | None = Field(
        default=None,
        description="What searches call it. Default: the name of the file without its suffix, or the last part of the URL.",
    )


@dataclass(frozen=True)
class Sent:
    """What came: an archive, on this machine's disk by now, one that was sent in pieces, the path of a folder, or a URL; the request's
    idempotency key."""

    archive: IO[bytes] | None
    upload: UUID | None
    filename: str | None
    folder: str | None
    url: str | None
    name: str | None
    reading: Reading
    once: Once


async def receive(
    request: Request,
    resources: ResourcesDep,
    idempotency_key: KeyHeader = None,
) -> AsyncIterator[Sent]:
    """The form of the request.

    Raises:
        ApiError: as :func:`api.forms.receive_form`.
        Invalid: a field is missing or of the wrong kind.
    """
    async with receive_form(request, resources.settings, idempotency_key, DatasetForm) as form:
        folder, url, upload = form.texts["folder"], form.texts["url"], form.texts["upload"]
        if [form.file, folder, url, upload].count(None) != 3:
            raise wrong(
                "file",
                "Send an archive as a file, or one that was sent in pieces, or name a folder of the server or a URL; one of them",
            )
        yield Sent(
            archive=form.file,
            upload=None if upload is None else _id(upload),
            filename=form.filename,
            folder=folder,
            url=url,
            name=form.texts["name"],
            reading=_reading(form.texts),
            once=form.once,
        )


def _reading(texts: Mapping[str, str | None]) -> Reading:
    said = {field: texts[field] for field in Reading.model_fields if texts[field]}
    try:
        return Reading.model_validate(said)
    except ValidationError as error:
        first = error.errors()[0]
        raise wrong(str(first["loc"][0]), first["msg"]) from error


def _id(written: str) -> UUID:
    try:
        return UUID(written)
    except ValueError as error:
        raise wrong("upload", "Not the id of an upload; POST /uploads gives one") from error


SentDep = Annotated[Sent, Depends(receive)]
