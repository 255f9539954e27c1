"""Standard networks as timm builds them, as wide as it takes to cost what another network does."""

from __future__ import annotations

from bisect import bisect_left
from functools import cache
from importlib import import_module
from typing import Any

import timm
import torch
from torch import nn

from dna_engine.catalogue import catalogue
from dna_engine.space.cost import Cost
from dna_engine.standard import SCALED, WITHOUT_BRANCHES, Standard
from dna_engine.training.network import count_model

#: Multipliers of the channels that are tried: every hundredth from 0.05 to 4.
WIDTHS = range(5, 401)


def build_standard(standard: Standard, *, dropout: float = 0.0, drop_path: float = 0.0) -> nn.Module:
    """The network, freshly initialised, on the default device.

    Args:
        dropout: before the classifier, in training.
        drop_path: of the deepest residual branch, where the model has such.
    """
    rates: dict[str, Any] = {"drop_rate": dropout}
    if catalogue()[standard.model].family not in WITHOUT_BRANCHES:
        rates["drop_path_rate"] = drop_path
    if standard.width is None:
        return timm.create_model(standard.model, num_classes=standard.num_classes, **rates)
    scaling = SCALED[standard.model]
    make = getattr(import_module(f"timm.models.{scaling.module}"), scaling.function)
    depth = {} if scaling.depth is None else {"depth_multiplier": scaling.depth}
    width = scaling.channels * standard.width
    model: nn.Module = make(
        standard.model, channel_multiplier=width, num_classes=standard.num_classes, **depth, **rates
    )
    return model


@cache
def count_standard(standard: Standard) -> Cost:
    """Multiply-adds and parameters, counted on the network built without memory."""
    with torch.device("meta"):
        model = build_standard(standard)
    return count_model(model, standard.input_size)


def nearest(model: str, flops: int, *, num_classes: int, input_size: int) -> Standard:
    """The model with the multiplier of its channels that brings its multiply-adds nearest to ``flops``, or as it is where its channels
    cannot be multiplied.
    """

    def of(hundredths: int) -> Standard:
        return Standard(model=model, width=hundredths / 100, num_classes=num_classes, input_size=input_size)

    if model not in SCALED:
        return Standard(model=model, width=None, num_classes=num_classes, input_size=input_size)
    above = bisect_left(WIDTHS, flops, hi=len(WIDTHS) - 1, key=lambda hundredths: count_standard(of(hundredths)).flops)
    tried = [of(WIDTHS[place]) for place in (max(0, above - 1), above)]
    return min(tried, key=lambda standard: abs(count_standard(standard).flops - flops))
