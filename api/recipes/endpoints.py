"""Routes of recipes: list the table."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from api.auth import authenticate
from api.openapi import problems
from api.pagination import Page
from api.recipes.schemas import RecipeOut
from dna_engine.recipes import RECIPES

router = APIRouter(
    prefix="/recipes",
    tags=["recipes"],
    dependencies=[Depends(authenticate)],
    responses=problems(401, 403, 503),
)


@router.get("", response_model=Page[RecipeOut])
def list_recipes() -> Page[RecipeOut]:
    """The recipes that a training can name, what each does, and when it is taken where none is named."""
    return Page(items=[RecipeOut.of(name) for name in RECIPES], next=None)
