"""What reading jobs of any kind has in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, Query

from api.errors import Invalid
from api.pagination import Ref
from store.jobs import Filter
from store.states import JobState


async def _filter(
    ref: Ref = None,
    state: Annotated[JobState | None, Query(description="Only jobs in this state.")] = None,
    dataset: Annotated[str | None, Query(max_length=200, description="Only jobs on the dataset of this name.")] = None,
    label: Annotated[list[str], Query(max_length=32, description="`key:value`; a job must have all of them.")] = [],  # noqa: B006
) -> Filter:
    """Which jobs a list is to show, by its query."""
    return Filter(ref=ref, state=state, dataset=dataset, labels=parse_labels(label))


JobFilter = Annotated[Filter, Depends(_filter)]


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
