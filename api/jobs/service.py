"""What reading jobs of any kind has in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import Query

from api.errors import Invalid

Labels = Annotated[list[str], Query(max_length=32, description="`key:value`; a job must have all of them.")]


def parse_labels(labels: Sequence[str]) -> dict[str, str]:
    """Labels of a query, each ``key:value``.

    Raises:
        Invalid: one has no colon.
    """
    for label in labels:
        if ":" not in label:
            message = f"Write a label as key:value, not {label!r}"
            raise Invalid(f"{message}.", errors=[{"parameter": "label", "detail": message}])
    return dict(label.split(":", 1) for label in labels)
