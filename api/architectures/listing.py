"""The query of the list of networks: which are shown."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from api.filters import After, Before, OfProject
from api.pagination import Ref
from dna_engine.spec.count import Count
from store.architecture_lists import Which
from store.filters import Period, Span
from store.states import Role

_Least = Annotated[Count | None, Query(description="This many at least, such as 5000000 or 5M.")]
_Most = Annotated[Count | None, Query(description="This many at most.")]
_Ms = Annotated[float | None, Query(ge=0, le=1e9, description="Milliseconds, of networks of searches that measured.")]
_Share = Annotated[float | None, Query(ge=0, le=1, description="Of its `test_accuracy`.")]

_Roles = Annotated[
    list[Role], Query(max_length=10, description="Only networks of these roles; of several, where it is given again.")
]


async def _which(
    search: Annotated[UUID | None, Query(description="Only networks of this search.")] = None,
    role: _Roles = [],  # noqa: B006
    dataset: Annotated[
        str | None, Query(max_length=200, description="Only networks that were found or trained on this dataset.")
    ] = None,
    ref: Ref = None,
    q: Annotated[
        str | None, Query(max_length=200, description="Part of its name or of its search's, whatever the case.")
    ] = None,
    project: OfProject = None,
    created_after: After = None,
    created_before: Before = None,
    flops_min: _Least = None,
    flops_max: _Most = None,
    params_min: _Least = None,
    params_max: _Most = None,
    latency_ms_min: _Ms = None,
    latency_ms_max: _Ms = None,
    accuracy_min: _Share = None,
    accuracy_max: _Share = None,
) -> Which:
    return Which(
        search_id=search,
        roles=role,
        dataset=dataset,
        flops=Span(flops_min, flops_max),
        params=Span(params_min, params_max),
        latency_ns=Span(_nanoseconds(latency_ms_min), _nanoseconds(latency_ms_max)),
        created=Period(created_after, created_before),
        part=q,
        project=project,
        accuracy=Span(accuracy_min, accuracy_max),
        ref=ref,
    )


def _nanoseconds(milliseconds: float | None) -> int | None:
    return None if milliseconds is None else round(milliseconds * 1e6)


WhichDep = Annotated[Which, Depends(_which)]
