"""Settings of the API, beside those it shares with the workers. Each is described where it is defined."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field, PositiveFloat, PositiveInt

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
    max_body_bytes: PositiveInt = Field(default=1 << 20, description="Largest JSON body that is read; more is a 413.")
    max_upload_bytes: PositiveInt = Field(
        default=4 << 30, description="Largest archive of a dataset that is read; it may unpack to four times as much."
    )
    dataset_folders: str = Field(
        default="",
        description="Folders of the server whose datasets may be searched on in place, joined by colons; others are refused.",
    )
    events_poll_seconds: PositiveFloat = Field(
        default=0.25, description="How often a stream of events looks for new ones."
    )
    events_ping_seconds: PositiveFloat = Field(
        default=15.0,
        description="After this long without an event a stream sends a comment, so that proxies keep it open.",
    )
    problems_cached: PositiveInt = Field(
        default=8, description="Finished searches whose ratings are kept parsed in memory, for frontier and select."
    )

    @property
    def allowed_folders(self) -> list[Path]:
        """``dataset_folders``, each as it is on the disk."""
        return [Path(folder).resolve() for folder in self.dataset_folders.split(os.pathsep) if folder]
