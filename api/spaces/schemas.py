"""What goes out of the routes of spaces."""

from __future__ import annotations

from pydantic import BaseModel, Field

from dna_engine.space.document import SpaceJson

Span = tuple[int, int]


class SpaceOut(BaseModel):
    """A space that has a name, what it holds, and what its networks cost."""

    name: str = Field(description="What a search names in `space`.")
    networks: str = Field(description="How many there are, as a decimal string.", examples=["4572288"])
    paths: int = Field(description="Of all cells, each of which is rated.")
    paths_per_block: list[int] = Field(description="Of all cells of each block.")
    reductions: list[int] = Field(
        description="Input side over the side of each block's map, as its teacher must have them."
    )
    flops: Span = Field(description="Smallest and largest of its networks, in multiply-adds at the size asked for.")
    params: Span = Field(description="Smallest and largest of its networks.")
    space: SpaceJson = Field(description="The space itself, as a search takes it: a beginning for one of one's own.")
