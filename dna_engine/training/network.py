"""A chosen architecture as the timm EfficientNet that it describes, and what is counted on it."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, cast

import torch
from safetensors.torch import load_file
from timm.models._efficientnet_builder import decode_arch_def
from timm.models.efficientnet import EfficientNet
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from dna_engine.space.architecture import Architecture
from dna_engine.space.cost import Cost


def build(architecture: Architecture, *, dropout: float = 0.0, drop_path: float = 0.0) -> EfficientNet:
    """The network, freshly initialised, on the default device.

    Args:
        architecture: what to build.
        dropout: before the classifier, in training.
        drop_path: rate of the deepest residual branch (stochastic depth), rising linearly from 0 at the first.
    """
    return EfficientNet(
        decode_arch_def(architecture.arch_def()),  # type: ignore[no-untyped-call]
        num_classes=architecture.num_classes,
        num_features=architecture.head_width,
        in_chans=architecture.in_chans,
        stem_size=architecture.stem_width,
        act_layer=architecture.activation,
        drop_rate=dropout,
        drop_path_rate=drop_path,
    )


def calm_classifier(model: nn.Module) -> None:
    """Brings the weights of an untrained timm classifier down to a uniform +-1 / sqrt(features), where they are larger.

    timm's EfficientNets draw them in +-1 / sqrt(classes), which suits ImageNet's 1,000. With 5 classes the logits of an
    untrained network would lie several apart, and the first gradients hundreds of times above the later ones.
    """
    for classifier in classifiers(model):
        if not isinstance(classifier, nn.Linear):
            continue
        bound = (3 * classifier.in_features) ** -0.5  # The standard deviation of that uniform distribution.
        with torch.no_grad():
            classifier.weight.mul_(min(1.0, bound / classifier.weight.std().item()))


def renew_classifier(model: nn.Module, classes: int, *, seed: int) -> None:
    """Gives a timm model an untrained classifier for so many classes, drawn by the seed."""
    torch.manual_seed(seed)
    cast(Any, model).reset_classifier(classes)
    calm_classifier(model)


def classifiers(model: nn.Module) -> Sequence[nn.Module]:
    """The last layers of a timm model; those that are distilled with a token of their own have two."""
    found = cast(Any, model).get_classifier()
    return found if isinstance(found, tuple) else (found,)


def groups_by_rate(model: nn.Module, *, scale: float) -> list[dict[str, Any]]:
    """Parameters in groups, as an optimiser takes them: all before the classifier at ``scale`` of its learning rate, which timm's schedules
    see to; norms and biases do not decay.
    """
    last = {id(parameter) for classifier in classifiers(model) for parameter in classifier.parameters()}
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for parameter in model.parameters():
        groups.setdefault((id(parameter) in last, parameter.ndim > 1), []).append(parameter)
    return [
        {"params": parameters, "lr_scale": 1.0 if of_classifier else scale} | ({} if decays else {"weight_decay": 0.0})
        for (of_classifier, decays), parameters in groups.items()
    ]


def train_classifier_alone(model: nn.Module, alone: bool) -> None:
    """From now on gradients reach the classifier alone, and what lies before it computes as in evaluation, norms by their running
    statistics; or all is trained.
    """
    model.train(not alone).requires_grad_(not alone)
    for classifier in classifiers(model):
        classifier.requires_grad_(True)


@cache
def count(architecture: Architecture) -> Cost:
    """Multiply-adds and parameters counted on the built network, by torch; :mod:`dna_engine.space.cost` predicts the same.

    The network is built without memory (on torch's meta device), so this takes milliseconds at any size.
    """
    with torch.device("meta"):
        model = build(architecture)
    return count_model(model, architecture.input_size, in_chans=architecture.in_chans)


def count_model(model: nn.Module, input_size: int, *, in_chans: int = 3) -> Cost:
    """The same of any classifier, on a copy without memory."""
    copied = copy.deepcopy(model).to("meta").eval()
    image = torch.empty(1, in_chans, input_size, input_size, device="meta")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        copied(image)
    return Cost(flops=counter.get_total_flops() // 2, params=sum(p.numel() for p in copied.parameters()))


def load(folder: Path) -> EfficientNet:
    """The trained network of a folder with ``architecture.json`` and ``weights.safetensors``, by timm alone, in eval mode.

    These are the lines that a reader of the model card runs; nothing of the search takes part.
    """
    arguments = json.loads((folder / "architecture.json").read_text())["timm"]
    blocks = decode_arch_def(arguments.pop("arch_def"))  # type: ignore[no-untyped-call]
    model = EfficientNet(blocks, **{"act_layer": "silu", **arguments})
    model.load_state_dict(load_file(folder / "weights.safetensors"))
    return model.eval()
