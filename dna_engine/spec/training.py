"""What the training of a network is asked to do. Torch-free: the API validates with it, the engine runs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from dna_engine import defaults
from dna_engine.catalogue import get_teacher
from dna_engine.errors import InvalidSpec
from dna_engine.images.info import DatasetInfo
from dna_engine.images.pictures.pixels import Look, preprocessing
from dna_engine.space import CellRef, Space, parse_space
from dna_engine.space.architecture import Architecture
from dna_engine.space.document import GivenJson, NetworkJson, SpaceJson
from dna_engine.spec.held_out import held_out
from dna_engine.spec.parts import (
    JobSpec,
    RecipeSpec,
    ResolvedNetworks,
    ResolvedRecipe,
    StoppingSpec,
    Text,
    Whole,
    learned_from,
    left_open,
    start_of,
)
from dna_engine.spec.search import ResolvedSpec
from dna_engine.spec.teacher import ResolvedTeacher, check_answers, gives_head
from dna_engine.spec.transfer import FromTraining, GivenWeights, Transferred, check_kept, transferred

#: Folder of the network in the run folder.
NETWORK = "network"


class TrainingSpec(JobSpec, RecipeSpec):
    """A training. Only ``dataset``, and ``architecture`` or a training to start from, are required; everything else has defaults that
    suit them.
    """

    start: defaults.Start | FromTraining | None = Field(
        default=None,
        description="What the weights are before. scratch: drawn at random. inherited: those of the network's distilled blocks, whose "
        'adaptors fold into the convolutions behind them; its head is new, or the teacher\'s where that can be. {"training": ID}: those '
        "that another training of the same network has left; its head is new where the classes are others. Default: scratch.",
    )
    architecture: Text | GivenJson | None = Field(
        default=None,
        validate_default=True,
        description="Id of a network of `GET /architectures`, the name of one that was given or published (dna-a, dna-b, dna-c, dna-d), or an "
        "architecture JSON, which is kept as `POST /architectures` keeps it. Default: that of the training that `start` names.",
    )
    backbone_learning_rate: float | None = Field(
        default=None,
        gt=0,
        le=10,
        description="Peak of the layers before the classifier, where they do not start from scratch. Default: the learning rate of all.",
    )
    head_epochs: Whole | None = Field(
        default=None,
        ge=0,
        le=10_000,
        description="First epochs, in which the classifier alone is trained, where the rest does not start from scratch. Default: 0.",
    )
    input_size: Whole | None = Field(
        default=None,
        ge=16,
        le=1024,
        description="Side in pixels that images are resized to. Default: that of the architecture.",
    )

    @field_validator("architecture")
    @classmethod
    def _network_is_named(cls, value: Any, info: ValidationInfo) -> Any:
        """By itself, or by the training to start from."""
        if value is None and not isinstance(info.data.get("start"), FromTraining):
            raise PydanticCustomError("missing", "Name the network, or a training to start from")
        return value


class ResolvedAlone(ResolvedNetworks, ResolvedRecipe):
    """That of a job about one network that there is: ``architecture`` is the whole description of it for this dataset."""

    rate_field: ClassVar[str] = "learning_rate"

    architecture: NetworkJson = Field(description="The network, for this dataset.")
    space: SpaceJson | None = Field(
        default=None, description="Of the search that found the network, where it begins with its distilled blocks."
    )
    teacher: ResolvedTeacher | None = Field(
        default=None, description="Of that search, where its answers are learned from, or its head may be taken."
    )
    transferred: Transferred | None = Field(
        default=None, description="What it begins with, where that is another training's weights."
    )
    backbone_learning_rate: float | None = Field(
        default=None, description="Of the layers before the classifier; null for the rate of all."
    )
    head_epochs: Whole = Field(default=0, description="First epochs, in which the classifier alone is trained.")

    @property
    def networks(self) -> tuple[str, ...]:
        return (NETWORK,)

    @property
    def held_out(self) -> int:
        return (self.early_stopping.images or 0) if self.early_stopping else 0

    @property
    def given(self) -> Mapping[str, Mapping[str, Any]]:
        return {NETWORK: self.architecture}

    @property
    def inherited_from(self) -> Sequence[CellRef]:
        return _cells(Architecture.from_json(self.architecture)) if self.start == "inherited" else ()

    @property
    def head_from_teacher(self) -> bool:
        return (
            self.start == "inherited"
            and self.teacher is not None
            and get_teacher(self.teacher.model).classifies(self.teacher.boundaries[-1])
        )

    @property
    def parsed_space(self) -> Space:
        assert self.space is not None
        return parse_space(self.space)

    @property
    def recipe_of_networks(self) -> ResolvedRecipe:
        return self


class ResolvedTraining(ResolvedAlone):
    """A training with nothing left open."""

    job: Literal["training"] = Field(default="training", description="The kind of job.")


def resolve_training(
    spec: TrainingSpec,
    architecture: Architecture,
    dataset: DatasetInfo,
    search: ResolvedSpec | None = None,
    weights: GivenWeights | None = None,
) -> ResolvedTraining:
    """The spec with every default filled in.

    Args:
        architecture: the network that ``spec`` names. Its classifier and input are made to suit the dataset.
        search: the one that has found it.
        weights: of the training that ``start`` names.

    Raises:
        InvalidSpec: parts that do not fit together, or the search has nothing of what is asked for.
    """
    return ResolvedTraining.model_validate(resolved_alone(spec, architecture, dataset, search, weights))


def resolved_alone(
    spec: TrainingSpec,
    architecture: Architecture,
    dataset: DatasetInfo,
    search: ResolvedSpec | None,
    weights: GivenWeights | None,
) -> dict[str, Any]:
    """What :class:`ResolvedAlone` says, by field; see :func:`resolve_training`."""
    fitted = replace(
        architecture, num_classes=dataset.num_classes, input_size=spec.input_size or architecture.input_size
    )
    look = Look(fit=spec.resize or defaults.resize(dataset), background=spec.background, white=dataset.white)
    described = fitted.to_json() | {"preprocessing": preprocessing(fitted.input_size, dataset.class_names, look)}
    rest = left_open(spec, dataset.num_train, augment=spec.augment)
    written = spec.model_dump(
        include={*RecipeSpec.model_fields, "augment", "background", "int8_loss", "seed", "labels"}
    )
    return (
        written
        | rest
        | _begun(spec, fitted, dataset, search, weights, rest)
        | {
            "name": spec.name or f"{dataset.name}, {rest['epochs']} epoch{'' if rest['epochs'] == 1 else 's'}",
            "dataset": dataset,
            "input_size": fitted.input_size,
            "early_stopping": _stopping(spec, dataset),
            "flip": defaults.flip(dataset) if spec.flip is None else spec.flip,
            "resize": look.fit,
            "architecture": described,
        }
    )


def _begun(
    spec: TrainingSpec,
    architecture: Architecture,
    dataset: DatasetInfo,
    search: ResolvedSpec | None,
    weights: GivenWeights | None,
    recipe: Mapping[str, Any],
) -> dict[str, Any]:
    """How the network begins, what it takes for that, and how fast what it takes may change, by field of the resolved spec."""
    taken = _taken(spec, search, dataset)
    if weights is not None and isinstance(spec.start, FromTraining):
        given = transferred(weights, architecture, dataset, new_head=spec.start.head == "new")
        taken |= {"start": "transferred", "transferred": given}
    check_kept(
        taken["start"],
        recipe["epochs"],
        head_epochs=spec.head_epochs,
        backbone_learning_rate=spec.backbone_learning_rate,
    )
    return taken | {"backbone_learning_rate": spec.backbone_learning_rate, "head_epochs": spec.head_epochs or 0}


def _stopping(spec: TrainingSpec, dataset: DatasetInfo) -> StoppingSpec | None:
    if spec.early_stopping is None:
        return None
    asked = spec.early_stopping.images
    images = held_out(asked, dataset, share=10, most=2048, to="stop by", at="early_stopping.images")
    return spec.early_stopping.model_copy(update={"images": images})


def _taken(spec: TrainingSpec, search: ResolvedSpec | None, dataset: DatasetInfo) -> dict[str, Any]:
    """What it takes of the search that found its network, by field of the resolved spec."""
    asked = None if isinstance(spec.start, FromTraining) else spec.start
    if search is None:
        if asked == "inherited" or learned_from(spec.distill) is not None:
            raise InvalidSpec(
                "No search is known that found this network, so that it has no distilled blocks and no teacher. Leave start and distill out.",
                param="start" if asked == "inherited" else "distill",
            )
        return {"start": "scratch", "distill": None}
    answers = learned_from(spec.distill)
    taken: dict[str, Any] = {"start": start_of(asked, search.training.width), "distill": answers}
    inherits = taken["start"] == "inherited"
    if inherits:
        taken["space"] = search.space
    check_answers(spec, search.teacher, search.dataset, dataset)
    if answers is not None or (inherits and gives_head(search.teacher, search.dataset, dataset)):
        # Whatever size the network has, the teacher sees the images as it did in its search.
        taken["teacher"] = search.teacher.model_copy(update={"input_size": search.teacher_size})
    return taken


def _cells(architecture: Architecture) -> list[CellRef]:
    """The cells that its blocks were chosen from."""
    return [CellRef(number, choice.cell) for number, choice in enumerate(architecture.blocks, start=1)]
