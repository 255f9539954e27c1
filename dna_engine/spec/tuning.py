"""What a tuning is asked to do: short trainings of one network, each by another recipe, that look for a good one. Torch-free."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field

from dna_engine import defaults
from dna_engine.fields import DescribedBy
from dna_engine.images.info import DatasetInfo
from dna_engine.space.architecture import Architecture
from dna_engine.spec.held_out import held_out
from dna_engine.spec.numbers import NUMBERS
from dna_engine.spec.parts import RecipeSpec, Text, Whole, left_open
from dna_engine.spec.search import ResolvedSpec
from dna_engine.spec.training import ResolvedAlone, TrainingSpec, resolved_alone
from dna_engine.spec.transfer import GivenWeights
from dna_engine.spec.tunable import PRESETS, Parameter, Value, check_together, read_search

#: Of one tuning.
MAX_TRIALS = 1000

#: What ends trials early that are no good: those below the median of the others, by successive halving, or nothing.
Pruner = Literal["median", "hyperband", "none"]


class TuningSpec(TrainingSpec):
    """A tuning. Only ``architecture`` and ``dataset`` are required. What is given of the recipe is the same in all trials."""

    trials: Whole = Field(default=20, ge=1, le=MAX_TRIALS, description="Trainings, each by another recipe.")
    epochs: Whole | None = Field(
        default=None, ge=1, le=10_000, description="Of each trial. Default: a third of what a training takes."
    )
    search: Text | Annotated[dict[str, Any], DescribedBy(dict[str, list[Value]])] = Field(
        default="small",
        description=f"What is tried: a preset ({', '.join(PRESETS)}), or fields of the recipe with their values: `[low, high]`, "
        '`[low, high, "log"]`, or the choices.',
    )
    pruner: Pruner = Field(
        default="median",
        description="What ends a trial early: median, when it is worse than half of the others at that epoch; hyperband, by successive "
        "halving in brackets; none.",
    )
    images: Whole | None = Field(
        default=None,
        ge=2,
        le=10_000_000,
        description="Training images that are held out to decide by, by class; of a dataset with validation images, of those. "
        "Default: a fifth, at most 5,000. The test images have no part in a tuning.",
    )


class ResolvedTuning(ResolvedAlone):
    """A tuning with nothing left open; of its recipe, the fields of ``search`` are each trial's own."""

    rate_field: ClassVar[str] = "search.learning_rate"

    job: Literal["tuning"] = Field(default="tuning", description="The kind of job.")
    common: RecipeSpec = Field(
        description="What is written of the recipe; the rest depends on what a trial tries, as the learning rate does on the size of batches."
    )
    trials: Whole = Field(description="Trainings, each by another recipe.")
    search: dict[str, Parameter] = Field(description="What is tried, by field of the recipe.")
    pruner: Pruner = Field(description="What ends a trial early.")
    images: Whole = Field(description="Held out to decide by.")

    @property
    def held_out(self) -> int:
        return self.images

    def of_trial(self, params: Mapping[str, Value]) -> Self:
        """The same with the recipe of a trial."""
        recipe = left_open(self.common.model_copy(update=dict(params)), self.dataset.num_train, augment=self.augment)
        return self.model_validate(self.model_dump(mode="json") | recipe)


def resolve_tuning(
    spec: TuningSpec,
    architecture: Architecture,
    dataset: DatasetInfo,
    search: ResolvedSpec | None = None,
    weights: GivenWeights | None = None,
) -> ResolvedTuning:
    """The spec with every default filled in; see :func:`dna_engine.spec.resolve_training`.

    Raises:
        InvalidSpec: the same, too few images to hold some out, or values that cannot be tried.
    """
    tried = read_search(spec.search, spec, augment=spec.augment)
    images = held_out(spec.images, dataset, share=5, most=5000, to="decide by", at="images")
    epochs = spec.epochs or max(1, round(defaults.epochs(dataset.num_train).retraining / 3))
    lasting = spec.model_copy(update={"epochs": epochs})
    check_together(tried, lasting, dataset.num_train, augment=spec.augment)
    alone = resolved_alone(lasting, architecture, dataset, search, weights)
    written = (spec.model_fields_set | {"epochs"}) - {"start", "distill"}
    own = {
        "name": spec.name or f"{dataset.name}, {spec.trials} trials",
        "common": {name: alone[name] for name in RecipeSpec.model_fields if name in written},
        "trials": spec.trials,
        "search": tried,
        "pruner": spec.pruner,
        "images": images,
        # Who decides by images stops by them too.
        "early_stopping": spec.early_stopping and spec.early_stopping.model_copy(update={"images": images}),
    }
    return ResolvedTuning.model_validate(alone | own)


def found_recipe(tuning: ResolvedTuning, params: Mapping[str, Value]) -> dict[str, Any]:
    """What a training is to be given, by field, to be trained as a trial was, for as long as the training wants."""
    own, written = tuning.of_trial(params), {**tuning.common.model_dump(exclude_none=True), **params}
    warmup = ["warmup_epochs"] if "warmup_epochs" in written else []  # Else it is a share of the epochs.
    return {name: getattr(own, name) for name in ("recipe", "batch_size", "learning_rate", *warmup, *NUMBERS)}
