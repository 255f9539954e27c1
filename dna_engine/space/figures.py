"""What a space holds and what a network costs, as JSON that people and programs read. Torch-free."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from dna_engine.space import Space
from dna_engine.space.architecture import Architecture
from dna_engine.space.cost import Cost, architecture_cost, cost_range, head_cost, layer_cost, out_size, stem_cost


def space_figures(space: Space, *, input_size: int, num_classes: int) -> dict[str, Any]:
    """``networks`` (a decimal string), ``paths_per_block``, ``paths``, and ``flops`` and ``params`` as [min, max]."""
    spans = cost_range(space, input_size=input_size, num_classes=num_classes)
    return {
        "name": space.name,
        "networks": str(space.networks),
        "paths_per_block": space.paths_per_block,
        "paths": sum(space.paths_per_block),
        **{name: list(span) for name, span in spans.items()},
    }


def network_figures(network: Architecture) -> dict[str, Any]:
    """``params``, ``flops`` and ``layers``, from the stem to the head, whose costs add up to the whole's."""
    stem = stem_cost(network, in_chans=network.in_chans, input_size=network.input_size)
    built = "conv 3x3" if network.first_stage is None else f"conv 3x3, {network.first_stage.name}"
    rows = [_row("stem", built, network.in_chans, network.first_width, 2, network.input_size, stem)]
    size = out_size(network.input_size, 2)
    for number, layer in enumerate(network.layers(), start=1):
        cost = layer_cost(layer)
        rows.append(
            _row(str(number), layer.op.name, layer.in_width, layer.out_width, layer.stride, layer.in_size, cost)
        )
        size = out_size(layer.in_size, layer.stride)
    width = network.blocks[-1].width
    head = head_cost(width, network.head_width, network.num_classes, size)
    rows.append(_row("head", "conv 1x1, pool, linear", width, network.num_classes, 1, size, head))
    return {**asdict(architecture_cost(network)), "input_size": network.input_size, "layers": rows}


def _row(layer: str, op: str, in_width: int, out_width: int, stride: int, in_size: int, cost: Cost) -> dict[str, Any]:
    return {
        "layer": layer,
        "op": op,
        "in_width": in_width,
        "out_width": out_width,
        "stride": stride,
        "in_size": in_size,
        **asdict(cost),
    }
