"""Settings of the inference server, beside those it shares with the service. Each is described where it is defined."""

from __future__ import annotations

import os

from pydantic import Field, NonNegativeInt, PositiveInt

from store.settings import Settings


class ServingSettings(Settings):
    """What the inference server needs to know; ``DNA_SERVE_PORT`` sets ``serve_port``, and so on."""

    serve_host: str = Field(default="127.0.0.1", description="Address that both protocols listen on.")
    serve_port: int = Field(default=8080, ge=0, le=65_535, description="Port of REST; 0 takes a free one.")
    serve_grpc_port: int = Field(default=8081, ge=0, le=65_535, description="Port of gRPC; 0 takes a free one.")
    serve_max_batch: PositiveInt = Field(
        default=4,
        description="Images that go through a network at once: of one request, or of several that wait. Of more than a few the layers "
        "leave the cache of a core, and each image takes longer.",
    )
    serve_max_waiting: PositiveInt = Field(
        default=128,
        description="Images that a network may have in hand, those it computes included, and that a request may bring; beyond it the "
        "answer is a 503.",
    )
    serve_threads: NonNegativeInt = Field(
        default=0,
        description="Threads that compute one batch; as many batches run at once as the cores allow. 0: all cores for one batch.",
    )
    serve_max_request_bytes: PositiveInt = Field(
        default=64 << 20, description="Largest request that is read; more is a 413. All together hold 8 times as much."
    )
    serve_stop_seconds: NonNegativeInt = Field(
        default=10, description="How long requests may take that are being answered when the server is told to stop."
    )
    max_picture_bytes: PositiveInt = Field(default=20 << 20, description="Largest picture that is read.")
    decoding_bytes: PositiveInt = Field(
        default=200_000_000,
        description="Memory that decoding one picture may take; one is decoded on each core. What needs more is refused.",
    )

    @property
    def cores(self) -> int:
        """Those that this process may use."""
        return len(os.sched_getaffinity(0))

    @property
    def threads(self) -> int:
        """``serve_threads``, or all cores."""
        return self.serve_threads or self.cores
