"""What goes out of the routes of teachers."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class TeacherBlockOut(BaseModel):
    """A stage of a teacher, named by the module that ends it."""

    model_config = ConfigDict(from_attributes=True)

    module: str
    channels: int
    reduction: int = Field(description="Input side over feature side.")
    stride: int = Field(description="Reduction over the previous block's.")


class TeacherOut(BaseModel):
    """A timm model that can supervise a search."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    family: str
    params: int
    pretrained: bool = Field(description="Whether timm has weights for it.")
    tags: list[str] = Field(
        description="Of the weights that timm has, its own choice first: a search names others as NAME.TAG.",
        examples=[["a1_in1k", "a2_in1k"]],
    )
    blocks: list[TeacherBlockOut]
