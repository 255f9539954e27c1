"""Settings of the API, beside those it shares with the workers. Each is described where it is defined."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from store.settings import Settings


class ApiSettings(Settings):
    """What the HTTP service needs to know; ``DNA_API_HOST`` sets ``api_host``, and so on."""

    api_host: str = Field(default="127.0.0.1", description="Address the API listens on.")
    api_port: int = Field(default=8000, ge=0, le=65_535, description="Port the API listens on; 0 takes a free one.")
    embedded: bool = Field(
        default=False,
        description="The service runs on one machine for one person, as dna up starts it: no key is needed on a loopback "
        "address. On any other address keys are needed all the same.",
    )
    accepted_key_seconds: NonNegativeFloat = Field(
        default=5.0,
        description="For so long a key that was accepted is not looked up again: one that is revoked or changed in another process "
        "(dna key revoke, update) opens as before until then. 0: each request looks.",
    )
    max_body_bytes: PositiveInt = Field(default=1 << 20, description="Largest JSON body that is read; more is a 413.")
    max_upload_bytes: PositiveInt = Field(
        default=4 << 30, description="Largest archive of a dataset that is read; it may unpack to four times as much."
    )
    max_picture_bytes: PositiveInt = Field(
        default=20 << 20, description="Largest picture that a network is tried on; more is a 413."
    )
    body_idle_seconds: PositiveFloat = Field(
        default=30.0, description="A body of which nothing comes for this long is given up with a 408."
    )
    body_bytes_per_second: PositiveInt = Field(
        default=1000,
        description="Least rate at which a body may arrive, beside the time that it may be idle; a slower one is a 408 too.",
    )
    max_upload_entries: PositiveInt = Field(
        default=200_000,
        description="Files and folders that one archive of a dataset may hold; each takes about half a kilobyte of memory.",
    )
    decoding_bytes: PositiveInt = Field(
        default=200_000_000,
        description="Memory that decoding pictures of a dataset takes at once, whoever sends them, and one to try a network on; what "
        "needs more is refused.",
    )
    dataset_folders: str = Field(
        default="",
        description="Folders of the server whose datasets may be searched on in place, joined by colons; others are refused.",
    )
    dataset_urls: str = Field(
        default="",
        description="Beginnings of URLs and of timm's names that datasets may be made of, joined by spaces, such as s3://bucket/sets/ "
        "torch/ hfds/org/; others are refused.",
    )
    events_poll_seconds: PositiveFloat = Field(
        default=0.25, description="How often it is looked for new events, once for all streams of the process."
    )
    events_ping_seconds: PositiveFloat = Field(
        default=15.0,
        description="After this long without an event a stream sends a comment, so that proxies keep it open.",
    )
    changes_seconds: PositiveFloat = Field(
        default=1.0,
        description="How often it is looked what has changed in any job, once for all streams of the process; a job is told of as often at most.",
    )
    webhooks_most: PositiveInt = Field(
        default=20, description="Webhooks that are kept of a project at most; beyond it a 409."
    )
    heavy_at_once: PositiveInt = Field(
        default=2,
        description="Requests that compute (create, estimate, select, ratings, frontier, metrics) run so many at once.",
    )
    heavy_waiting: NonNegativeInt = Field(
        default=16, description="So many of them wait for their turn; beyond it the answer is a 503 with Retry-After."
    )
    uploads_at_once: PositiveInt = Field(
        default=8,
        description="Archives, and pictures to try networks on, that are received at once; beyond it a 503 with Retry-After.",
    )
    predictions_at_once: PositiveInt = Field(
        default=2,
        description="Pictures that networks are tried on at once; others that were received wait for their turn.",
    )
    predictions_per_minute: PositiveInt = Field(
        default=120,
        description="Pictures that one caller (a key; anybody, where none is needed) may try networks on in a minute; beyond it the answer "
        "is a 429 with Retry-After.",
    )
    networks_cached_bytes: NonNegativeInt = Field(
        default=256 << 20,
        description="ONNX files of networks that were tried last are kept loaded, up to so many bytes of them.",
    )
    answers_cached_bytes: NonNegativeInt = Field(
        default=32 << 20,
        description="Answers to GET of searches that were asked for last are kept, up to so many bytes of them, until what they tell of has "
        "changed. 0: none.",
    )
    problems_cached: PositiveInt = Field(
        default=8, description="Finished searches whose ratings are kept parsed in memory, for frontier and select."
    )

    @property
    def allowed_folders(self) -> list[Path]:
        """``dataset_folders``, each as it is on the disk."""
        return [Path(folder).resolve() for folder in self.dataset_folders.split(os.pathsep) if folder]

    @property
    def allowed_urls(self) -> list[str]:
        """``dataset_urls``, one by one."""
        return self.dataset_urls.split()
