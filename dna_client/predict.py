"""Asking what is on a picture: a network, or one of its trainings."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from dna_client.errors import LocalError
from dna_client.models import Prediction
from dna_client.transport import Transport


def predict(transport: Transport, of: str, picture: Path, top_k: int) -> Prediction:
    """What answers at that path; raises as ``Client.predict``."""
    try:
        with picture.open("rb") as file:
            return cast(Prediction, transport.send_form(f"{of}/predict?top_k={top_k}", {}, file, {}))
    except OSError as error:
        raise LocalError(f"{picture} cannot be read: {error.strerror}.") from error
