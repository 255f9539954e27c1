"""A timm model and its weights: of timm, of a file, or drawn at random."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import timm
import torch
from huggingface_hub import try_to_load_from_cache
from safetensors import SafetensorError
from safetensors.torch import load_file
from timm.models import PretrainedCfg
from torch import nn

from dna_engine.errors import TeacherError

#: The only file of a model on the hub that is ever read: never a pickle.
_WEIGHTS = "model.safetensors"


def build(
    name: str, *, num_classes: int | None = None, weights: Path | None = None, pretrained: bool = False
) -> nn.Module:
    """A timm model, with random weights, timm's own, or those of a safetensors file (of any number of classes).

    Raises:
        TeacherError: the weights cannot be had or do not fit the model.
    """
    if weights is not None:
        return _from_file(name, weights)
    classes = {} if num_classes is None else {"num_classes": num_classes}
    if not pretrained:
        return _created(name, **classes)
    try:
        return _created(name, pretrained=True, pretrained_cfg_overlay={"hf_hub_filename": _WEIGHTS}, **classes)
    except (OSError, RuntimeError, ValueError) as error:
        raise TeacherError(
            f"The pretrained weights of {name} could not be downloaded ({type(error).__name__}: {error}). Allow access "
            "to the model hub.",
            param="teacher.weights",
        ) from error


def native_config(name: str) -> PretrainedCfg:
    """What timm knows of the weights it offers for a model: normalisation, name of the classifier, hub id."""
    config = timm.get_pretrained_cfg(name)
    assert config is not None
    return config


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where timm's weights of a model come from.

    Attributes:
        tag: of the weights, such as ``a1_in1k``.
        hub: the model on the hub that holds them.
        revision: the commit of it that was read; None where they were not read from the hub.
    """

    tag: str | None = None
    hub: str | None = None
    revision: str | None = None


def origin(name: str) -> Origin:
    """Where the weights came from that :func:`downloaded` has just read."""
    config = native_config(name)
    hub, _, asked = (config.hf_hub_id or "").partition("@")
    file = try_to_load_from_cache(hub, _WEIGHTS, revision=asked or None) if hub else None
    # The cache of the hub keeps a file in snapshots/COMMIT/.
    revision = Path(file).parent.name if isinstance(file, str) else None
    return Origin(tag=config.tag or None, hub=hub or None, revision=revision)


def _created(name: str, **options: Any) -> nn.Module:
    model = timm.create_model(name, **options)
    assert isinstance(model, nn.Module)
    return model


def _from_file(name: str, path: Path) -> nn.Module:
    try:
        state = load_file(path)
    except (OSError, SafetensorError) as error:
        raise TeacherError(f"{path} cannot be read as safetensors: {error}.", param="teacher.weights") from error
    classifier = native_config(name).classifier
    first = classifier[0] if isinstance(classifier, tuple | list) else classifier
    bias = state.get(f"{first}.bias")
    model = _created(name, num_classes=0 if bias is None else len(bias))
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        reason = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
        raise TeacherError(f"{path} does not hold the weights of {name}: {reason}", param="teacher.weights") from error
    return model


#: Where there is no GPU, a teacher that is trained on the search's images within minutes.
SMALL = "resnet18"


def downloaded(name: str, device: torch.device) -> nn.Module:
    """The model with timm's weights.

    Raises:
        TeacherError: they cannot be had; says how to do without them on this device.
    """
    try:
        return build(name, pretrained=True)
    except TeacherError as error:
        raise TeacherError(f"{error.message} {_without_download(device)}", param=error.param) from error


def _without_download(device: torch.device) -> str:
    if device.type == "cpu":
        return (
            f'Or train a small teacher on the images of the search: teacher.model "{SMALL}" and teacher.weights "train" '
            f"(--teacher {SMALL} --weights train)."
        )
    return 'Or train the teacher on the images of the search: teacher.weights "train" (--weights train).'
