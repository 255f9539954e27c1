"""What a request brings, as images that a network takes: a tensor as it is, or picture files. Every refusal is an ``InvalidInput``."""

from __future__ import annotations

import asyncio
import base64
import binascii
import math
import struct
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from kserve import InferInput, InferRequest
from kserve.errors import InvalidInput

from dna_engine.answer import as_input
from dna_engine.errors import DataError
from dna_engine.images.pictures.file import HeldFile
from serving.runtime import Images

#: Names of the two inputs, of which a request has one.
TENSOR, PICTURES = "images", "image"


@dataclass(frozen=True)
class Limits:
    """Of one request: ``images`` that it may bring, ``picture`` bytes of each file, ``memory`` bytes that decoding each may take."""

    images: int
    picture: int
    memory: int


class Inputs:
    """Reads the input of requests for one network.

    Args:
        size: height and width of its images; -1 where it takes any.
        how: how pictures are prepared for it; None: it takes tensors only.
        pool: where pictures are decoded, and numbers read that came as text.
    """

    def __init__(
        self, size: tuple[int, ...], how: Mapping[str, Any] | None, limits: Limits, pool: ThreadPoolExecutor
    ) -> None:
        self._size, self._how, self._limits, self._pool = size, how, limits, pool

    @property
    def types(self) -> list[dict[str, Any]]:
        """As the protocol's metadata describes them."""
        tensor = {"name": TENSOR, "datatype": "FP32", "shape": [-1, 3, *self._size]}
        pictures = {"name": PICTURES, "datatype": "BYTES", "shape": [-1]}
        return [tensor] if self._how is None else [tensor, pictures]

    def choose(self, request: InferRequest) -> tuple[InferInput, int]:
        """The input of a request, and how many images it says it has.

        Raises:
            InvalidInput: it is none of :attr:`types`.
        """
        known = {kind["name"]: kind for kind in self.types}
        if len(request.inputs) != 1 or (given := request.inputs[0]).name not in known:
            names = ", ".join(str(one.name)[:100] for one in request.inputs[:9])
            raise InvalidInput(f"Send one input, {' or '.join(known)}, not {names or 'none'}.")
        kind = known[given.name]
        if given.datatype != kind["datatype"]:
            raise InvalidInput(f"The datatype of {given.name} is {kind['datatype']}, not {given.datatype[:100]}.")
        _refuse_shape(given, kind["shape"])
        if given.shape[0] > self._limits.images:
            raise InvalidInput(f"A request may bring {self._limits.images} images, not {given.shape[0]}: send several.")
        return given, given.shape[0]

    async def read(self, given: InferInput) -> Images:
        """The images (N, 3, S, S) of an input that was chosen.

        Raises:
            InvalidInput: what it holds is not what it says, or no picture; says why.
        """
        loop = asyncio.get_running_loop()
        if given.name == TENSOR:
            binary = given._raw_data is not None
            return _values(given) if binary else await loop.run_in_executor(self._pool, _values, given)
        files = [_content(element) for element in _values(given).reshape(-1)]
        prepared = [loop.run_in_executor(self._pool, self._prepare, number, file) for number, file in enumerate(files)]
        return np.stack(await asyncio.gather(*prepared))

    def _prepare(self, number: int, content: bytes) -> Images:
        if len(content) > self._limits.picture:
            raise InvalidInput(f"Picture {number + 1} has {len(content):,} bytes, more than {self._limits.picture:,}.")
        assert self._how is not None
        try:
            return as_input(HeldFile(f"Picture {number + 1}", content), self._how, memory=self._limits.memory)
        except DataError as error:
            raise InvalidInput(error.message) from error


def _refuse_shape(given: InferInput, shape: list[int]) -> None:
    """One dimension more is taken for pictures: a batch of one element each."""
    found = list(given.shape)
    alike = len(found) == len(shape) or (given.name == PICTURES and found[1:] == [1])
    if not alike or any(want not in (-1, side) or side < 1 for side, want in zip(found, shape, strict=False)):
        wanted = ", ".join("any" if side == -1 else str(side) for side in shape)
        raise InvalidInput(f"The shape of {given.name} is [{wanted}], not {str(found)[:100]}.")


def _values(given: InferInput) -> np.ndarray[Any, Any]:
    """The numbers of a tensor, or the elements of one of bytes."""
    try:
        return np.ascontiguousarray(given.as_numpy())
    except (ValueError, TypeError, OverflowError, struct.error) as error:
        wanted = f"{math.prod(given.shape):,} values of {given.datatype}"
        raise InvalidInput(
            f"The data of {given.name} is not {wanted}, as its shape says: {str(error)[:200]}."
        ) from error


def _content(element: object) -> bytes:
    """The bytes of a picture: as they are, or as JSON has them, in base64."""
    if isinstance(element, bytes):
        return element
    try:
        return base64.b64decode(element, validate=True) if isinstance(element, str) else _refuse(element)
    except binascii.Error as error:
        raise InvalidInput(f"A picture in JSON is written in base64, and this is not: {error}.") from error


def _refuse(element: object) -> bytes:
    raise InvalidInput(f"A picture in JSON is a text in base64, not {type(element).__name__}.")
