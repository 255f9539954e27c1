"""What goes out of the routes of recipes."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from dna_engine.fields import DescribedBy
from dna_engine.recipes import ALIASES, RECIPES, Name, default_range
from dna_engine.spec.numbers import NumbersSpec


class RecipeOut(BaseModel):
    """A row of the table of recipes."""

    name: str = Field(description="What `recipe` of a training or of a search's `retrain` names.", examples=["quick"])
    about: str = Field(description="For what it is.")
    aliases: list[str] = Field(description="Older names of it, which are read too.")
    numbers: Annotated[dict[str, Any], DescribedBy(NumbersSpec)] = Field(
        description="What it does, by field: each may be written anew beside the name. 0, false or null: not at all."
    )
    imagenet_epochs: int | None = Field(
        description="Its epochs on ImageNet; on fewer images fewer, with the fourth root of their number. Null: 25 or 30, more for few images."
    )
    default_from: int | None = Field(
        description="Training images from which on it is taken where none is named; null where it never is."
    )
    default_below: int | None = Field(description="And below how many; null: any number.")

    @classmethod
    def of(cls, name: Name) -> RecipeOut:
        recipe, span = RECIPES[name], default_range(name)
        return cls(
            name=name,
            about=recipe.about,
            aliases=[alias for alias, meant in ALIASES.items() if meant == name],
            numbers=vars(recipe.numbers),
            imagenet_epochs=recipe.imagenet_epochs,
            default_from=span[0] if span else None,
            default_below=span[1] if span else None,
        )


class RecipeChoice(BaseModel):
    """By which recipe networks are trained, and why by that."""

    name: str = Field(description="A row of `GET /recipes`.")
    why: str = Field(description="In a sentence: it was asked for, or it is the default for so many images.")
