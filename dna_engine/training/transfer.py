"""A network begins with the weights that another training of it has left, on images of whatever size and classes."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from dna_engine.errors import InvalidSpec
from dna_engine.training.network import classifiers


def take_weights(model: nn.Module, path: Path, *, head: bool) -> None:
    """Loads all weights and statistics of a safetensors file into a network of the same layers.

    Args:
        model: changed in place. Its last layer stays as it was drawn without ``head``.
        head: whether the classifier is taken too, whose classes must then be the same.

    Raises:
        InvalidSpec: the file is damaged, or of another network.
    """
    own = {id(parameter) for classifier in classifiers(model) for parameter in classifier.parameters()}
    last = {name for name, parameter in model.named_parameters() if id(parameter) in own}
    try:
        weights = {name: tensor for name, tensor in load_file(path).items() if head or name not in last}
        missing, unknown = model.load_state_dict(weights, strict=False)
    except (OSError, SafetensorError, RuntimeError) as error:
        raise InvalidSpec(f"The weights to start from cannot be taken: {str(error)[:500]}", param="start") from error
    if unknown or {*missing} != (set() if head else last):
        raise InvalidSpec(
            f"The weights to start from are of another network: {', '.join([*missing, *unknown][:3])} and others differ.",
            param="start",
        )
