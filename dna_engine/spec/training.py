"""What the training of a network is asked to do. Torch-free: the API validates with it, the engine runs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal

from pydantic import Field

from dna_engine import defaults
from dna_engine.images.info import DatasetInfo
from dna_engine.images.pixels import preprocessing
from dna_engine.space.architecture import Architecture
from dna_engine.spec.parts import JobSpec, RecipeSpec, ResolvedJob, ResolvedRecipe, Text, Whole, left_open

#: Folder of the network in the run folder.
NETWORK = "network"


class TrainingSpec(JobSpec, RecipeSpec):
    """A training. Only ``architecture`` and ``dataset`` are required; everything else has defaults that suit them."""

    architecture: Text = Field(description="Id of a network of `GET /architectures`.")
    start: Literal["scratch"] = Field(
        default="scratch", description="What the weights are before: scratch, drawn at random."
    )
    input_size: Whole | None = Field(
        default=None,
        ge=16,
        le=1024,
        description="Side in pixels that images are resized to. Default: that of the architecture.",
    )


class ResolvedTraining(ResolvedJob, ResolvedRecipe):
    """A training with nothing left open. ``architecture`` is the whole description of the network for this dataset."""

    rate_field: ClassVar[str] = "learning_rate"

    job: Literal["training"] = "training"
    architecture: dict[str, Any]
    start: Literal["scratch"]

    @property
    def networks(self) -> tuple[str, ...]:
        return (NETWORK,)

    @property
    def given(self) -> Mapping[str, Mapping[str, Any]]:
        return {NETWORK: self.architecture}

    @property
    def recipe_of_networks(self) -> ResolvedRecipe:
        return self


def resolve_training(spec: TrainingSpec, architecture: Architecture, dataset: DatasetInfo) -> ResolvedTraining:
    """The spec with every default filled in.

    Args:
        architecture: the network that ``spec`` names. Its classifier and input are made to suit the dataset.
    """
    fitted = replace(
        architecture, num_classes=dataset.num_classes, input_size=spec.input_size or architecture.input_size
    )
    described = fitted.to_json() | {"preprocessing": preprocessing(fitted.input_size, dataset.class_names)}
    rest = left_open(spec, dataset.num_train)
    written = spec.model_dump(include={*RecipeSpec.model_fields, "start", "augment", "seed", "labels"})
    return ResolvedTraining.model_validate(
        written
        | rest
        | {
            "name": spec.name or f"{dataset.name}, {rest['epochs']} epochs",
            "dataset": dataset,
            "input_size": fitted.input_size,
            "flip": defaults.flip(dataset.name) if spec.flip is None else spec.flip,
            "architecture": described,
        }
    )
