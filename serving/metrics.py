"""What Prometheus is told, beside the times of KServe's own histograms (``request_preprocess_seconds`` and so on)."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

_BATCHES = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """The counters of a server."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "dna_serve_requests",
            "Requests for an answer, by what came of them.",
            ["model", "outcome"],
            registry=registry,
        )
        self.images = Counter("dna_serve_images", "Images that were answered.", ["model"], registry=registry)
        self.batches = Histogram(
            "dna_serve_batch_images",
            "Images that went through a network together.",
            ["model"],
            buckets=_BATCHES,
            registry=registry,
        )
        self.seconds = Histogram(
            "dna_serve_request_seconds", "From a request that is read to its answer.", ["model"], registry=registry
        )
