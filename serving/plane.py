"""Requests over REST as KServe takes them in: its DataPlane, but that tensors behind the JSON stay as they arrive.

KServe's own makes a Python list of every number of such a tensor: a third of a second for eight images of 224 pixels.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from kserve import InferInput, InferRequest
from kserve.errors import InvalidInput
from kserve.protocol.dataplane import DataPlane
from kserve.protocol.model_repository_extension import ModelRepositoryExtension
from kserve.protocol.rest.v2_datamodels import InferenceRequest
from pydantic import ValidationError

#: Bytes of the body that are JSON; what comes behind is the tensors.
LENGTH = "inference-header-content-length"


class Plane(DataPlane):  # type: ignore[misc]  # KServe has no types.
    """What the routes of REST and gRPC ask."""

    def metadata(self) -> dict[str, Any]:
        return {"name": "dna-automl", "version": version("dna-automl"), "extensions": ["binary_tensor_data"]}

    def decode(
        self,
        body: Any,
        headers: Mapping[str, str],
        protocol_version: str = "",  # noqa: ARG002  There is one.
        model_name: str = "",
    ) -> tuple[InferRequest, dict[str, Any]]:
        """The request in a body, whatever its Content-Type says.

        Raises:
            InvalidInput: it is none; says why.
        """
        if headers.get("content-encoding", "identity") != "identity":
            raise InvalidInput("Send the body as it is: it is not decompressed here.")
        if isinstance(body, bytes):
            return from_bytes(body, headers.get(LENGTH), model_name), {}
        return InferRequest.from_inference_request(body, model_name), {}


class FixedNetworks(ModelRepositoryExtension):  # type: ignore[misc]
    """Whoever can ask cannot load or take away: what is served is said when the server is started."""

    async def load(self, model_name: str) -> None:
        raise NotImplementedError("Networks are loaded when the server starts.")

    async def unload(self, model_name: str) -> None:
        raise NotImplementedError("Networks are served until the server stops.")


def from_bytes(body: bytes, length: str | None, model: str) -> InferRequest:
    """The request in a body of JSON with the data of tensors behind it.

    Args:
        length: of the JSON, as the header says it; None: there is nothing else.

    Raises:
        InvalidInput: it is none; says why.
    """
    if length is not None and not (length.isdecimal() and int(length) <= len(body)):
        raise InvalidInput(f"{LENGTH} says how many of the {len(body):,} bytes are JSON, not {length[:100]}.")
    end = len(body) if length is None else int(length)
    try:
        document = json.loads(body[:end])
        binary = _take_sizes(document)
        asked = InferenceRequest.model_validate(document)
    except ValidationError as error:
        raise InvalidInput(said(error.errors(include_input=False, include_url=False))) from error
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"The body is not JSON: {str(error)[:200]}.") from error
    request: InferRequest = InferRequest.from_inference_request(asked, model)
    _attach(request.inputs, binary, memoryview(body)[end:])
    return request


def said(errors: Any) -> str:
    """What is wrong with a request, in a line."""
    first = errors[0]
    if first["type"] == "json_invalid":
        return f"The body is not JSON: {first['ctx']['error']}."
    where = ".".join(str(part)[:100] for part in first["loc"] if part not in ("body", "InferenceRequest"))
    return f"{where}: {first['msg']}." if where else f"{first['msg']}."


def _take_sizes(document: Any) -> list[int | None]:
    """How many bytes each input has behind the JSON; those get empty data, for the protocol's model wants some."""
    sizes: list[int | None] = []
    inputs = document.get("inputs") if isinstance(document, dict) else None
    for tensor in inputs if isinstance(inputs, list) else ():
        parameters = tensor.get("parameters") if isinstance(tensor, dict) else None
        size = parameters.get("binary_data_size") if isinstance(parameters, dict) else None
        if size is not None and not (isinstance(size, int) and size >= 0):
            raise InvalidInput("binary_data_size is a number of bytes.")
        sizes.append(size)
        if size is not None and tensor.setdefault("data", []):
            raise InvalidInput("An input has its data in the JSON or behind it, not both.")
    return sizes


def _attach(inputs: list[InferInput], sizes: list[int | None], data: memoryview) -> None:
    if sum(size or 0 for size in sizes) != len(data):
        raise InvalidInput(f"{len(data):,} bytes follow the JSON, not as many as binary_data_size says.")
    for tensor, size in zip(inputs, sizes, strict=True):
        if size is not None:
            tensor._raw_data, data = data[:size], data[size:]
