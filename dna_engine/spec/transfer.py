"""What the training of a network takes of one that was trained before: its weights. Torch-free."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from dna_engine import defaults
from dna_engine.errors import InvalidSpec
from dna_engine.images.info import DatasetInfo
from dna_engine.space.architecture import Architecture
from dna_engine.spec.parts import Part, Text
from dna_engine.spec.teacher import same_classes


class FromTraining(Part):
    """A network begins with the weights that another training has left."""

    training: Text = Field(
        description="Id of a training of `GET /trainings` that has succeeded: one made alone, or that of a search's winner or control."
    )
    head: Literal["auto", "new"] = Field(
        default="auto",
        description="auto: the classifier is kept where the class names are the same in the same order. new: it is drawn anew, as where names "
        "such as 0, 1, 2 mean other classes.",
    )


class GivenWeights(Part):
    """Weights that there were before the training.

    Attributes:
        training: that has left them.
        architecture: of the network that they are of, as ``architecture.json`` has it.
        dataset: that it was trained on.
        sha256: of the file.
    """

    training: str
    architecture: dict[str, Any]
    dataset: DatasetInfo
    sha256: str


class Transferred(Part):
    """The weights that a training begins with."""

    training: str = Field(description="Id of the one that has left them.")
    dataset: str = Field(description="Name of what it was trained on.")
    keeps_head: bool = Field(
        description="Whether the classifier is taken too: where the classes are the same in the same order."
    )
    sha256: str = Field(description="Of their file, in hexadecimal.")


def transferred(
    given: GivenWeights, architecture: Architecture, dataset: DatasetInfo, *, new_head: bool = False
) -> Transferred:
    """What a network takes of them.

    Args:
        new_head: whether their classifier is left behind whatever its classes are.
        architecture: of the network; its classifier and input size may be others.
        dataset: that it is to be trained on.

    Raises:
        InvalidSpec: they are of another network.
    """
    if _built(Architecture.from_json(given.architecture)) != _built(architecture):
        raise InvalidSpec(
            f"The training {given.training} is of another network, whose weights do not fit this one: leave architecture out to go on "
            "with that network, or start from scratch.",
            param="architecture",
        )
    return Transferred(
        training=given.training,
        dataset=given.dataset.name,
        keeps_head=not new_head and same_classes(given.dataset, dataset),
        sha256=given.sha256,
    )


def _built(architecture: Architecture) -> dict[str, Any]:
    """All that its layers before the classifier are built of."""
    built: dict[str, Any] = architecture.to_json()["timm"] | {"act_layer": architecture.activation}
    return {name: value for name, value in built.items() if name != "num_classes"}


def check_kept(
    begins: defaults.Began, epochs: int, *, head_epochs: int | None, backbone_learning_rate: float | None
) -> None:
    """Looks whether there are layers to be kept or changed slowly, and an epoch left for the whole network.

    Raises:
        InvalidSpec: there is none.
    """
    asked = {"backbone_learning_rate": backbone_learning_rate, "head_epochs": head_epochs or None}
    if begins == "scratch" and (names := [name for name, value in asked.items() if value is not None]):
        raise InvalidSpec(
            f"A network that starts from scratch has no layers to be kept: leave {names[0]} out, or start from a training.",
            param=names[0],
        )
    if head_epochs is not None and head_epochs >= epochs:
        raise InvalidSpec(
            f"Of {epochs} epochs the head alone is trained in {epochs - 1} at most: at least one is for the whole network.",
            param="head_epochs",
        )
