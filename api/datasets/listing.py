"""The query of the list of datasets: which are shown."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query

from api.filters import After, Before, OfProject, Part
from api.pagination import Ref
from dna_engine.images.info import Kind
from store.datasets import Which
from store.filters import Period
from store.states import DatasetState


async def _which(
    ref: Ref = None,
    q: Part = None,
    project: OfProject = None,
    state: Annotated[
        list[DatasetState],
        Query(max_length=10, description="Only datasets in these states; of several, where it is given again."),
    ] = [],  # noqa: B006
    kind: Annotated[
        list[Kind],
        Query(max_length=10, description="Only datasets of these kinds; of several, where it is given again."),
    ] = [],  # noqa: B006
    created_after: After = None,
    created_before: Before = None,
) -> Which:
    created = Period(created_after, created_before)
    return Which(ref=ref, part=q, project=project, states=state, kinds=kind, created=created)


WhichDep = Annotated[Which, Depends(_which)]
