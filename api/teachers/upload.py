"""The form that weights of a teacher are sent by."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import IO, Annotated

from fastapi import Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from api.deps import ResourcesDep
from api.forms import SentFile, SentName, receive_form, wrong
from api.idempotency import KeyHeader, Once

#: What a normalisation may hold: far beyond what images are, and safely within 32 bits.
_SMALLEST, _LARGEST = 1e-6, 1e6
_NUMBERS = "three numbers, for red, green and blue, such as 0.485,0.456,0.406"


class TeacherForm(BaseModel):
    """Weights of a model of timm, and what is to be said of them."""

    model_config = ConfigDict(extra="forbid")

    file: SentFile = Field(description="A safetensors file with all tensors of the model, and nothing else.")
    model: str = Field(
        description="The timm model that the weights are of, such as `resnet50` or `resnet50.a1_in1k`.",
    )
    name: SentName | None = Field(
        default=None, description="What searches call it. Default: the name of the file without its suffix."
    )
    mean: str | None = Field(
        default=None,
        description=f"Normalisation of the images that the weights are for, (x / 255 - mean) / std: {_NUMBERS}. Default: that of timm's "
        "weights of this name.",
    )
    std: str | None = Field(default=None, description=f"The same: {_NUMBERS}, each above 0.")


@dataclass(frozen=True)
class Sent:
    """What came: weights, on this machine's disk by now, and what is said of them; the request's idempotency key."""

    weights: IO[bytes]
    filename: str
    name: str | None
    model: str
    mean: Sequence[float] | None
    std: Sequence[float] | None
    once: Once


async def receive(request: Request, resources: ResourcesDep, idempotency_key: KeyHeader = None) -> AsyncIterator[Sent]:
    """The form of the request.

    Raises:
        ApiError: as :func:`api.forms.receive_form`.
        Invalid: a field is missing, or says no numbers.
    """
    async with receive_form(request, resources.settings, idempotency_key, TeacherForm) as form:
        if form.file is None:
            raise wrong("file", "Send the weights as a safetensors file")
        if not form.texts["model"]:
            raise wrong("model", "Name the timm model that the weights are of; GET /teachers lists them")
        yield Sent(
            weights=form.file,
            filename=form.filename or "",
            name=form.texts["name"],
            model=form.texts["model"],
            mean=_numbers("mean", form.texts["mean"], above=-math.inf),
            std=_numbers("std", form.texts["std"], above=0.0),
            once=form.once,
        )


SentDep = Annotated[Sent, Depends(receive)]


def _numbers(field: str, text: str | None, *, above: float) -> Sequence[float] | None:
    if not text:
        return None
    try:
        numbers = [float(part) for part in text[:200].split(",")]
    except ValueError as error:
        raise wrong(field, f"Write {_NUMBERS}") from error
    if len(numbers) != 3 or not all(max(above, -_LARGEST) + _SMALLEST < number < _LARGEST for number in numbers):
        raise wrong(field, f"Write {_NUMBERS}{'; each above 0' if above == 0 else ''}")
    return numbers
