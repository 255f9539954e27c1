"""What goes out of the routes of teachers."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from dna_engine.catalogue import Teacher, catalogue
from store import tables


class TeacherBlockOut(BaseModel):
    """A stage of a teacher, named by the module that ends it."""

    model_config = ConfigDict(from_attributes=True)

    module: str = Field(description="Where it ends, as timm names it: what `teacher.boundaries` lists.")
    channels: int = Field(description="Of its map.")
    reduction: int = Field(description="Input side over feature side.")
    stride: int = Field(description="Reduction over the previous block's.")


class TeacherOut(BaseModel):
    """A timm model that can supervise a search, or weights of one that were sent."""

    name: str = Field(description="What a search names in `teacher.model`, or what was sent is called.")
    family: str = Field(description="The group of models that timm counts it to.")
    params: int = Field(description="Of the whole model at its native number of classes.")
    pretrained: bool = Field(description="Whether there are weights: timm's, or those that were sent.")
    tags: list[str] = Field(
        description="Of the weights that timm has, its own choice first: a search names others as NAME.TAG.",
        examples=[["a1_in1k", "a2_in1k"]],
    )
    blocks: list[TeacherBlockOut] = Field(description="Where it can be cut, from the input on.")
    model: str = Field(description="Of timm; the name itself, but for weights that were sent.")
    id: UUID | None = Field(description="Of weights that were sent, what a search names in `teacher.from`.")
    num_classes: int | None = Field(description="That weights which were sent answer with.")
    mean: list[float] | None = Field(description="Of the images that they are for, per channel.")
    std: list[float] | None = Field(description="The same.")
    created_at: datetime | None = Field(description="When weights were sent; null of those of timm.")
    created_by: str | None = Field(
        default=None, description="Name of the key that asked for it; null where that was done without a key."
    )
    project: str | None = Field(
        default=None, description="Name of the project that it is of; null of what ships with the service."
    )

    @classmethod
    def of_catalogue(cls, teacher: Teacher) -> TeacherOut:
        return cls(
            **_described(teacher),
            name=teacher.name,
            pretrained=teacher.pretrained,
            tags=list(teacher.tags),
            model=teacher.name,
            id=None,
            num_classes=None,
            mean=None,
            std=None,
            created_at=None,
        )

    @classmethod
    def sent(cls, teacher: tables.Teacher) -> TeacherOut:
        return cls(
            **_described(catalogue()[teacher.model.partition(".")[0]]),
            name=teacher.name,
            pretrained=True,
            tags=[],
            model=teacher.model,
            id=teacher.id,
            num_classes=teacher.num_classes,
            mean=teacher.mean,
            std=teacher.std,
            created_at=teacher.created_at,
            created_by=teacher.created_by,
            project=teacher.project,
        )


def _described(teacher: Teacher) -> dict[str, Any]:
    blocks = [TeacherBlockOut.model_validate(block) for block in teacher.blocks]
    return {"family": teacher.family, "params": teacher.params, "blocks": blocks}
