"""What a search is asked to do. Torch-free: the API validates with it, the engine runs it.

``SearchSpec`` is what a user writes; only ``dataset`` is required. :func:`dna_engine.spec.resolve` fills in the rest to suit the dataset
and checks that the whole fits together. A resolved spec and its seed determine the ratings and the architecture.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field, field_validator

from dna_engine import defaults
from dna_engine.space import MAX_BLOCKS, CellRef, Space, parse_space
from dna_engine.space.document import SpaceJson
from dna_engine.spec.count import Limit
from dna_engine.spec.parts import AnswersSpec, JobSpec, Part, RecipeSpec, ResolvedNetworks, ResolvedRecipe, Text, Whole
from dna_engine.spec.teacher import ResolvedTeacher, TeacherSpec, gives_head


class Budget(Part):
    """Upper limits; none means no limit of that kind. Default: the middle of the feasible range of flops."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"flops": "350M"}]})

    flops: Limit | None = Field(default=None, description="Multiply-adds at batch 1.")
    params: Limit | None = Field(default=None, description="Trainable parameters.")
    latency_ms: float | None = Field(
        default=None,
        gt=0,
        le=1e9,
        description="Milliseconds at batch 1 of the whole network, by torch on the device of the worker that measures.",
    )

    @property
    def limits(self) -> dict[str, int]:
        """Limits by cost name as integers; latency in nanoseconds."""
        found = {"flops": self.flops, "params": self.params}
        limits = {name: value for name, value in found.items() if value is not None}
        if self.latency_ms is not None:
            limits["latency_ns"] = round(self.latency_ms * 1e6)
        return limits


class DistillSpec(Part):
    """Training of the block supernets."""

    epochs: Whole | None = Field(default=None, ge=1, le=10_000, description="Default: 20, more for few images.")
    batch_size: Whole | None = Field(
        default=None, ge=2, le=65_536, description="Default: 64, down to 16 for fewer than 1,024 images."
    )
    learning_rate: float = Field(default=0.005, gt=0, le=10, description="Adam's, decayed by a cosine to 0.")
    weight_decay: float = Field(default=1e-4, ge=0, le=1, description="Adam's, L2.")
    sampling: Literal["uniform", "fair"] = Field(
        default="fair",
        description="uniform: one path drawn per cell and step. fair: over every window of as many steps as there are "
        "ops, each op of each layer is trained exactly once.",
    )
    loss: Literal["normalized", "plain"] = Field(
        default="normalized",
        description="plain: mean squared distance. normalized: the same over the teacher's variance.",
    )
    width: Literal["adaptors", "teacher"] = Field(
        default="adaptors",
        description="adaptors: cells as built, 1x1 adaptors outside. teacher: first and last width widened to the "
        "teacher's, as the reference implementation does; for comparison only.",
    )


class RateSpec(Part):
    """Rating of every path on held-out training images."""

    images: Whole | None = Field(
        default=None,
        ge=2,
        le=1_000_000,
        description="Held out of the training images to rate paths by, or of the validation images where there are some. Default: a tenth, at most 2,048.",
    )
    batch_size: Whole = Field(default=64, ge=2, le=65_536, description="Of rating; changes no rating.")
    memory_mb: Whole = Field(
        default=512, ge=16, le=1 << 20, description="Bound on the activations of stacked sibling paths."
    )


class SelectSpec(Part):
    """Which networks are looked at whole before one of them wins: ratings of blocks pick, exactly, and a short training decides."""

    finalists: Whole | None = Field(
        default=None,
        ge=0,
        le=16,
        description="So many networks, the best by their ratings within the budget, are trained for a short time from the weights of their "
        "distilled blocks; the least log-loss on the rating images wins. 0: the ratings alone decide. Default: 8.",
    )
    epochs: float | None = Field(
        default=None,
        gt=0,
        le=100,
        description="Passes over the training images in which each is trained. Default: a quarter, more for few images.",
    )
    min_distance: Whole = Field(
        default=1, ge=1, le=8, description="Layers in which each finalist differs at least from those before it."
    )


class RetrainSpec(RecipeSpec):
    """Training of the winner, and of a random network of as many multiply-adds by the same recipe."""

    start: defaults.Start | None = Field(
        default=None,
        description="What the weights are before. scratch: drawn at random, as in the paper. inherited: those of the network's distilled "
        f"blocks, whose adaptors fold into the convolutions behind them. Default: {defaults.START}, but for the recipe paper. The control "
        "starts in the same way.",
    )
    distill: AnswersSpec | None = Field(
        default=None,
        description="Learn from the answers of the teacher too; null: from labels alone. Default: where it was trained, wholly or further, "
        "on the dataset, but for the recipe paper.",
    )
    control: bool = Field(default=True, description="Also train a random network with flops within 3% of the winner's.")
    references: list[Text] = Field(
        default_factory=list,
        max_length=4,
        description="Also train these models of timm, such as efficientnet_b0 or mobilenetv3_small_100, from scratch, by the same recipe on "
        "the same images: what one would take who does not search. Their channels are multiplied so that they cost nearest to what the "
        "winner does, where timm can (EfficientNet, MobileNet, MNASNet, FBNet, LCNet); others are trained as they are.",
    )


class SearchSpec(JobSpec):
    """A search. Only ``dataset`` is required; everything else has defaults that suit the dataset."""

    teacher: TeacherSpec = Field(default=TeacherSpec(), description="What supervises the blocks.")
    space: Text | SpaceJson | None = Field(
        default=None,
        description="A preset (dna-mbconv, dna-mbconv-single, mbconv-small, fused-small, mobilenetv4) or an explicit space. "
        "Default: mbconv-small for images under 64 pixels, else one derived from the teacher's blocks.",
    )
    input_size: Whole | None = Field(
        default=None,
        ge=16,
        le=1024,
        description="Side in pixels that images are resized to. Default: 224, less for images under 64 pixels.",
    )
    budget: Budget = Field(default=Budget(), description="What the network may cost.")
    training: DistillSpec = Field(default=DistillSpec(), description="How cells are distilled.")
    rating: RateSpec = Field(default=RateSpec(), description="How paths are rated.")
    select: SelectSpec = Field(default=SelectSpec(), description="How the winner is found.")
    retrain: RetrainSpec = Field(default=RetrainSpec(), description="How the winner is trained.")
    block_weights: list[Annotated[float, Field(ge=0, le=1e6)]] | None = Field(
        default=None, max_length=MAX_BLOCKS, description="Weight of each block's rating in the sum. Default: all 1."
    )

    @field_validator("block_weights")
    @classmethod
    def _weights_tell(cls, weights: list[float] | None) -> list[float] | None:
        if weights and not any(weights):
            raise ValueError("At least one block must have a weight above 0")
        return weights


class ResolvedDistill(DistillSpec):
    """Nothing of it is left open."""

    epochs: Whole
    batch_size: Whole


class ResolvedRate(RateSpec):
    """Nothing of it is left open."""

    images: Whole
    memory_mb: Whole = 512


class ResolvedSelect(SelectSpec):
    """Nothing of it is left open."""

    finalists: Whole
    epochs: float


class ResolvedRetrain(ResolvedRecipe, RetrainSpec):
    """Nothing of it is left open."""

    start: defaults.Start = "scratch"
    """Left open in specs of versions that knew no other."""


class ResolvedSpec(ResolvedNetworks):
    """A search with nothing left open. ``space`` is explicit, ``dataset`` carries what is known of the images."""

    rate_field: ClassVar[str] = "retrain.learning_rate"

    job: Literal["search"] = Field(default="search", description="The kind of job.")
    teacher: ResolvedTeacher = Field(description="What supervises the blocks.")
    space: SpaceJson = Field(description="The networks among which is searched.")
    budget: Budget = Field(description="What the network may cost.")
    training: ResolvedDistill = Field(description="How cells are distilled.")
    rating: ResolvedRate = Field(description="How paths are rated.")
    select: ResolvedSelect = Field(
        default=ResolvedSelect(finalists=0, epochs=defaults.LEAST_SHARE),
        description="How the winner is found; versions that did not know it let the ratings alone decide.",
    )
    retrain: ResolvedRetrain = Field(description="How the winner is trained.")
    block_weights: list[float] = Field(description="Weight of each block's rating in the sum.")
    times_networks: bool = Field(
        default=False,
        description="Whether layers are measured before anything else, and networks timed whole before one wins: where latency is limited.",
    )
    """Versions that did not know it believed the sum of the layers."""

    @property
    def teacher_size(self) -> int:
        """Side in pixels at which the teacher sees the images."""
        return self.teacher.input_size or self.input_size

    @property
    def held_out(self) -> int:
        return self.rating.images

    @property
    def networks(self) -> tuple[str, ...]:
        return (*self.exported, *self.retrain.references)

    @property
    def exported(self) -> tuple[str, ...]:
        return ("winner", "control") if self.retrain.control else ("winner",)

    def start_of(self, network: str) -> defaults.Began:
        return "scratch" if network in self.retrain.references else self.retrain.start

    @property
    def finalists(self) -> tuple[str, ...]:
        """Names of the networks that are looked at whole, best rating first; there may be fewer within the budget."""
        return tuple(f"finalist-{place}" for place in range(1, self.select.finalists + 1))

    @property
    def inherited_from(self) -> Sequence[CellRef]:
        return self.parsed_space.cells if self.retrain.start == "inherited" else ()

    @property
    def head_from_teacher(self) -> bool:
        return self.retrain.start == "inherited" and gives_head(self.teacher, self.dataset, self.dataset)

    @property
    def recipe_of_networks(self) -> ResolvedRecipe:
        return self.retrain

    @property
    def parsed_space(self) -> Space:
        return _parsed(json.dumps(self.space))


@lru_cache(maxsize=64)
def _parsed(space: str) -> Space:
    """Kept, as how far a search is takes the space dozens of times over."""
    return parse_space(json.loads(space))
