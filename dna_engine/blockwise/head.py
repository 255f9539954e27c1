"""A network's head from its teacher's, where that is linear in the mean of the teacher's last map.

The exit adaptor of the last block gives that map from the block's own, ``W_leave x + b``. With the teacher's classifier, A and c, behind
it, the map of each class is one 1x1 convolution of the block's map, ``A W_leave x + A b``, and its mean over the positions, and c, is the
teacher's answer. The head of a network as built has a norm and an activation between two such layers. As

    SiLU(u) - SiLU(-u) = u,

and so of GELU, hard swish and ReLU (of ReLU6 up to 6 standard deviations), two channels of opposite signs give the map of a class exactly,
whatever its scale; the norm makes that one. The other channels are as they were drawn, and the classifier does not listen to them at first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from timm.models.efficientnet import EfficientNet
from torch import Tensor, nn

from dna_engine.blockwise.answers import WholeTeacher
from dna_engine.blockwise.cell import CellSupernet
from dna_engine.blockwise.inherit import recalibrate

#: Relative error of the answers up to which they count as linear in the mean of a map.
EXACT = 1e-3


@torch.no_grad()
def linear_head(teacher: WholeTeacher, images: Tensor) -> nn.Linear | None:
    """The teacher's classifier, where its answers are those of the mean of the map behind its last boundary; else None.

    Args:
        images: (B, 3, S, S), on which that is tried.
    """
    classifier = teacher.model.get_classifier()  # type: ignore[operator]
    maps: list[Tensor] = []
    with teacher.model.get_submodule(teacher.last).register_forward_hook(lambda *arguments: maps.append(arguments[-1])):
        answers = teacher(images)
    if not isinstance(classifier, nn.Linear) or maps[0].dim() != 4 or maps[0].shape[1] != classifier.in_features:
        return None
    error = (classifier(maps[0].mean((2, 3))) - answers).norm() / answers.norm()
    return classifier if error < EXACT else None


def fits(network: EfficientNet, classifier: nn.Linear) -> bool:
    """Whether the network's head has two channels for each class."""
    return 2 * classifier.out_features <= cast(nn.Conv2d, network.conv_head).out_channels


@torch.no_grad()
def take_head(network: EfficientNet, last: CellSupernet, classifier: nn.Linear, batches: Sequence[Tensor]) -> None:
    """Gives a network that has inherited its blocks the answers of its teacher's classifier behind the last block's exit adaptor.

    Args:
        network: whose head :func:`fits`. Changed in place, its norms recalibrated.
        batches: of images (B, 3, S, S), on which they are.
    """
    leave, head, norm = (
        cast(nn.Conv2d, last.leave),
        cast(nn.Conv2d, network.conv_head),
        cast(nn.BatchNorm2d, network.bn2),
    )
    own, classes = cast(nn.Linear, network.classifier), classifier.out_features
    rows = classifier.weight @ leave.weight.flatten(1)
    head.weight[: 2 * classes] = torch.cat([rows, -rows])[:, :, None, None]
    recalibrate(network, batches)
    mean, variance = cast(Tensor, norm.running_mean)[:classes], cast(Tensor, norm.running_var)[:classes]
    scale = (variance + norm.eps).sqrt()
    shift = (mean + classifier.weight @ cast(Tensor, leave.bias)) / scale
    norm.weight[: 2 * classes] = 1
    norm.bias[: 2 * classes] = torch.cat([shift, -shift])
    own.weight.zero_()
    own.weight[:, :classes] = scale.diag()
    own.weight[:, classes : 2 * classes] = -scale.diag()
    own.bias.copy_(classifier.bias)
