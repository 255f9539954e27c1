"""Whatever a search trains, as its ``architecture.json`` describes it: a network of ours, or a standard one of timm's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from dna_engine.plans.results import Costs
from dna_engine.space.architecture import Architecture
from dna_engine.space.cost import architecture_cost, work_per_operation
from dna_engine.standard import Standard, is_standard
from dna_engine.training.network import build, count
from dna_engine.training.standard import build_standard, count_standard

Network = Architecture | Standard


def read(described: Mapping[str, Any]) -> Network:
    """The network.

    Raises:
        InvalidSpec: it is no architecture.
    """
    return Standard.from_json(described) if is_standard(described) else Architecture.from_json(described)


def build_any(network: Network, *, dropout: float, drop_path: float) -> nn.Module:
    """The network, freshly initialised: see :func:`~dna_engine.training.network.build`."""
    if isinstance(network, Standard):
        return build_standard(network, dropout=dropout, drop_path=drop_path)
    return build(network, dropout=dropout, drop_path=drop_path)


def costs(network: Network) -> tuple[Costs, Costs]:
    """By formula, and as counted on the network built; of a standard one there is no formula."""
    if isinstance(network, Standard):
        counted = Costs(**vars(count_standard(network)))
        return counted, counted
    return Costs(**vars(architecture_cost(network))), Costs(**vars(count(network)))


def work(network: Network, batch_size: int) -> float:
    """Multiply-adds of one operation on a batch, on average."""
    if isinstance(network, Architecture):
        return work_per_operation(network, batch_size)
    with torch.device("meta"):
        operations = [layer for layer in build_standard(network).modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    return count_standard(network).flops * batch_size / len(operations)
