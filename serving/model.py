"""A found network as KServe serves it: prepares what a request brings, computes it in a batch, answers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from kserve import InferRequest, InferResponse, Model
from kserve.errors import InvalidInput

from serving.batches import Batcher, Places
from serving.errors import Busy
from serving.inputs import Inputs, Limits
from serving.metrics import Metrics
from serving.network import Network
from serving.outputs import Outputs
from serving.runtime import Images, Logits, Session
from serving.settings import ServingSettings


@dataclass(frozen=True)
class Rooms:
    """What the networks of a server share: where pictures are decoded, where batches are computed, who is told.

    Attributes:
        at_once: batches that are computed at the same time.
    """

    pictures: ThreadPoolExecutor
    batches: ThreadPoolExecutor
    at_once: int
    metrics: Metrics

    @classmethod
    def of(cls, settings: ServingSettings, metrics: Metrics) -> Rooms:
        """As the settings say, on the cores of this process."""
        at_once = max(1, settings.cores // settings.threads)
        pictures = ThreadPoolExecutor(settings.cores, "picture")
        return cls(pictures, ThreadPoolExecutor(at_once, "batch"), at_once, metrics)


class ServedNetwork(Model):  # type: ignore[misc]  # KServe has no types.
    """One network, under its name.

    Raises:
        CannotServe: its file cannot be loaded.
    """

    def __init__(self, network: Network, settings: ServingSettings, rooms: Rooms) -> None:
        super().__init__(network.name)
        session = Session(network, settings.threads)
        classes = network.how["classes"] if network.how else [*map(str, range(session.classes))]
        limits = Limits(settings.serve_max_waiting, settings.max_picture_bytes, settings.decoding_bytes)
        self._inputs = Inputs(session.size, network.how, limits, rooms.pictures)
        self._outputs = Outputs(network.name, classes)
        self._metrics = rooms.metrics
        self._places = Places(settings.serve_max_waiting)
        self._batcher = Batcher(
            session.run,
            rooms.batches,
            largest=settings.serve_max_batch,
            at_once=rooms.at_once,
            tell=rooms.metrics.batches.labels(network.name).observe,
        )
        self.load()

    def get_input_types(self) -> list[dict[str, Any]]:
        return self._inputs.types

    def get_output_types(self) -> list[dict[str, Any]]:
        return self._outputs.types

    async def __call__(self, body: InferRequest, headers: Any = None) -> Any:  # noqa: ARG002
        """As KServe's models are called: the response, and headers for it.

        Raises:
            InvalidInput: the request is at fault; says how.
            Busy: there is no place for its images.
        """
        with self._told():
            given, images = self._inputs.choose(body)
            with self._places.taken(images):
                response = await super().__call__((body, given))
        self._metrics.images.labels(self.name).inc(images)
        return response

    async def preprocess(self, payload: Any, _headers: Any = None) -> tuple[InferRequest, Images]:
        request, given = payload
        return request, await self._inputs.read(given)

    async def predict(self, payload: Any, _headers: Any = None) -> tuple[InferRequest, Logits]:
        request, images = payload
        return request, await self._batcher(images)

    async def postprocess(self, result: Any, _headers: Any = None) -> InferResponse:
        return self._outputs.response(*result)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Tells what came of a request, and how long it took."""
        outcome, began = "failed", time.perf_counter()
        try:
            yield
            outcome = "answered"
        except InvalidInput:
            outcome = "refused"
            raise
        except Busy:
            outcome = "busy"
            raise
        finally:
            self._metrics.requests.labels(self.name, outcome).inc()
            self._metrics.seconds.labels(self.name).observe(time.perf_counter() - began)
