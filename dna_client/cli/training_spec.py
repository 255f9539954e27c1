"""A training as options write it: what ``dna training create`` takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import typer

from dna_client.cli.options import Patience, RecipeName, TeacherWeight, Temperature, positive
from dna_client.cli.spec import At, SpecOptions
from dna_client.errors import LocalError


@dataclass(frozen=True, kw_only=True)
class TrainingOptions(SpecOptions):
    """The options of a training, beside those of any job."""

    architecture: Annotated[
        str | None,
        At("architecture"),
        typer.Argument(
            help="Network to train: its id, the beginning or end of it, SEARCH/winner or SEARCH/control, a published one (dna-a to "
            "dna-d), or a JSON file of one.",
            metavar="ARCHITECTURE",
        ),
    ] = None
    recipe: Annotated[RecipeName, At("recipe")] = None
    patience: Annotated[Patience, At("early_stopping.patience")] = None
    epochs: Annotated[int | None, At("epochs"), typer.Option(help="Epochs of training.", min=1, metavar="N")] = None
    batch_size: Annotated[int | None, At("batch_size"), typer.Option(help="Images in a batch.", min=2, metavar="N")] = (
        None
    )
    learning_rate: Annotated[
        float | None,
        At("learning_rate"),
        typer.Option(help="Its peak; by default by the batch.", parser=positive, metavar="RATE"),
    ] = None
    weight_decay: Annotated[
        float | None,
        At("weight_decay"),
        typer.Option(
            help="Of weights, not of biases and norms; by default the recipe's.", min=0, max=1, metavar="SHARE"
        ),
    ] = None
    label_smoothing: Annotated[
        float | None,
        At("label_smoothing"),
        typer.Option(
            help="Share of each target that all classes have; by default the recipe's.",
            min=0,
            max=1,
            metavar="SHARE",
        ),
    ] = None
    augment: Annotated[
        bool | None, At("augment"), typer.Option(help="Random shifts or crops of training images, and flips, or none.")
    ] = None
    sampling: Annotated[
        str | None,
        At("sampling"),
        typer.Option(help="uniform: every image once an epoch; by_class: of every class as many."),
    ] = None
    devices: Annotated[
        int | None,
        At("devices"),
        typer.Option(
            help="GPUs of one worker that train it together (dna worker --devices-per-step).", min=1, metavar="N"
        ),
    ] = None
    start: Annotated[
        str | None,
        At("start"),
        typer.Option(
            help="What the weights are before: scratch, or inherited, those of the network's distilled blocks."
        ),
    ] = None
    start_from: Annotated[
        str | None,
        At("start.training"),
        typer.Option(
            help="Begin with the weights of another training, SEARCH/winner among them; the network is then that of the training.",
            metavar="TRAINING",
        ),
    ] = None
    head: Annotated[
        str | None,
        At("start.head"),
        typer.Option(
            help="With --start-from. auto: the classifier is kept where the class names are the same; new: it is drawn anew."
        ),
    ] = None
    backbone_learning_rate: Annotated[
        float | None,
        At("backbone_learning_rate"),
        typer.Option(
            help="Peak of the layers before the classifier, where these begin with weights.",
            parser=positive,
            metavar="RATE",
        ),
    ] = None
    head_epochs: Annotated[
        int | None,
        At("head_epochs"),
        typer.Option(help="First epochs, in which the classifier alone is trained.", min=0, metavar="N"),
    ] = None
    teacher_weight: Annotated[TeacherWeight, At("distill.weight")] = None
    temperature: Annotated[Temperature, At("distill.temperature")] = None

    def request(self) -> dict[str, Any]:
        """The body of ``POST /trainings``, but that its architecture and the training to start from are as a person names them.

        Raises:
            LocalError: no network or no dataset is named, or the file cannot be read.
        """
        body = super().request()
        if not {"architecture", "from"} & set(body) and not isinstance(body.get("start"), dict):
            raise LocalError(
                "Name the network: SEARCH/winner for the one that a search found, or an id; or --start-from a training."
            )
        return body
