"""Routes of spaces: list those that have names."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.auth import authenticate
from api.openapi import problems
from api.pagination import Page
from api.spaces.schemas import SpaceOut
from dna_engine.space import SPACES, Space
from dna_engine.space.figures import space_figures

router = APIRouter(
    prefix="/spaces",
    tags=["spaces"],
    dependencies=[Depends(authenticate)],
    responses=problems(401, 403, 422, 503),
)


@router.get("", response_model=Page[SpaceOut])
def list_spaces(
    input_size: Annotated[int, Query(ge=16, le=1024, description="Side in pixels that costs are told for.")] = 224,
    num_classes: Annotated[int, Query(ge=2, le=100_000, description="Classes that costs are told for.")] = 1000,
) -> Page[SpaceOut]:
    """The spaces that a search can name, with what their networks cost."""
    return Page(items=[_shown(space, input_size, num_classes) for space in SPACES.values()], next=None)


def _shown(space: Space, input_size: int, num_classes: int) -> SpaceOut:
    figures = space_figures(space, input_size=input_size, num_classes=num_classes)
    return SpaceOut(**figures, reductions=space.reductions, space=space.to_json())
