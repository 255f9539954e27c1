"""gRPC: KServe's service of the Open Inference Protocol, with errors by their status."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from grpc import StatusCode, aio
from grpc_interceptor import AsyncServerInterceptor
from kserve.errors import InvalidInput, ModelNotFound, ModelNotReady
from kserve.protocol.grpc import grpc_predict_v2_pb2_grpc
from kserve.protocol.grpc.servicer import InferenceServicer

from serving.body import TOGETHER
from serving.errors import Busy
from serving.plane import FixedNetworks, Plane

logger = logging.getLogger("dna.serving.rpc")

#: What each kind of error is called, with its own words.
CODES: Mapping[type[Exception], StatusCode] = {
    InvalidInput: StatusCode.INVALID_ARGUMENT,
    ModelNotFound: StatusCode.NOT_FOUND,
    NotImplementedError: StatusCode.UNIMPLEMENTED,
    ModelNotReady: StatusCode.UNAVAILABLE,
    Busy: StatusCode.UNAVAILABLE,
}


class Answers(AsyncServerInterceptor):
    """Turns errors into statuses, and bounds what requests hold in memory together.

    Args:
        most: bytes of all that are being answered.
    """

    def __init__(self, most: int) -> None:
        self._free = most

    async def intercept(self, method: Any, request: Any, context: Any, method_name: str) -> Any:
        size = request.ByteSize()
        if size > self._free:
            await context.abort(StatusCode.UNAVAILABLE, "The server holds as much as it can; try again in a moment.")
        self._free -= size
        try:
            return await method(request, context)
        except tuple(CODES) as error:
            await context.abort(CODES[type(error)], str(error))
        except Exception:
            logger.exception("A request failed: %s", method_name)
            await context.abort(StatusCode.INTERNAL, "Internal server error.")
        finally:
            self._free += size


@asynccontextmanager
async def answering(plane: Plane, address: str, *, max_request_bytes: int, stop_seconds: float) -> AsyncIterator[None]:
    """The service on an address inside the block; what is being answered at its end has ``stop_seconds`` more."""
    server = aio.server(
        interceptors=(Answers(TOGETHER * max_request_bytes),),
        options=[
            ("grpc.max_receive_message_length", max_request_bytes),
            ("grpc.max_send_message_length", max_request_bytes),
            ("grpc.so_reuseport", 0),  # Two servers on one port would each get some of the requests.
        ],
    )
    servicer = InferenceServicer(plane, FixedNetworks(plane.model_registry))
    grpc_predict_v2_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(servicer, server)
    server.add_insecure_port(address)
    await server.start()
    yield
    await server.stop(stop_seconds)
