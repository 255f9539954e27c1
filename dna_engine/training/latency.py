"""Measures a latency table: every layer that a network of the space may have, alone, at batch 1, on a device.

The table adds up to a network's latency without what the layers gain or lose next to each other; that is the price of
an exact selection. It is measured where the networks shall run, or on a device like it.
"""

from __future__ import annotations

import json
import statistics

import torch
from timm.models._efficientnet_blocks import SqueezeExcite
from timm.models._efficientnet_builder import EfficientNetBuilder, decode_arch_def
from torch import Tensor, nn

from dna_engine.events import Progress, Result
from dna_engine.plans import Step, files
from dna_engine.plans.results import LatencyMeasured
from dna_engine.runtime.context import Context
from dna_engine.runtime.timing import device_name, nanoseconds
from dna_engine.select import LatencyTable, Problem, Ratings, check
from dna_engine.space import Space
from dna_engine.space.architecture import Architecture, Choice
from dna_engine.space.block_strings import block_string
from dna_engine.space.cost import block_sizes, in_widths, layer_at
from dna_engine.space.layer import Layer
from dna_engine.space.space import Activation
from dna_engine.spec import ResolvedSpec
from dna_engine.training.network import build

#: Runs of a layer before it is timed, and runs of which the median counts.
WARM_UP, RUNS = 3, 15


def run_step(spec: ResolvedSpec, step: Step, context: Context) -> Result:
    """Measures the space of a search into ``latency.json``."""
    table = measure(
        spec.parsed_space, input_size=spec.input_size, num_classes=spec.dataset.num_classes, context=context
    )
    found = LatencyMeasured(layers=len(table.layers), device=device_name(context.device), torch=torch.__version__)
    about = found.model_dump(mode="json", include={"device", "torch"})
    (context.run / files.LATENCY).write_text(json.dumps(table.to_json() | about) + "\n")
    refuse_unreachable(spec, table)
    return found.result(step.outputs(spec))


def refuse_unreachable(spec: ResolvedSpec, table: LatencyTable) -> None:
    """Looks whether any network meets the budget, before anything is trained for it.

    Raises:
        InfeasibleBudget: none does; says what the fastest takes.
    """
    unrated = Ratings.none(spec.parsed_space, input_size=spec.input_size, num_classes=spec.dataset.num_classes)
    check(Problem(unrated, latency=table), spec.budget.limits)


def measure(space: Space, *, input_size: int, num_classes: int, in_chans: int = 3, context: Context) -> LatencyTable:
    """The latency table of a space on the context's device; ``latency_ns`` of a network is the sum of its rows."""
    device = context.device
    distinct = layers(space, input_size)
    measured = {}
    for done, layer in enumerate(distinct):
        maps = torch.randn(1, layer.in_width, layer.in_size, layer.in_size, device=device)
        measured[layer] = time_module(build_layer(layer, space.activation).to(device), maps)
        context.reporter.emit(Progress(done=done + 1, total=len(distinct), unit="layers", parts=["latency"]))
    image = torch.randn(1, in_chans, input_size, input_size, device=device)
    last = block_sizes(space, input_size)[-1]
    heads, stem = {}, 0
    for width in sorted({cell.width for cell in space.blocks[-1].cells}):
        network = build(_ends(space, width, num_classes=num_classes, in_chans=in_chans)).to(device)
        maps = torch.randn(1, width, last, last, device=device)
        heads[width] = time_module(
            nn.Sequential(network.conv_head, network.bn2, network.global_pool, network.classifier), maps
        )
        first = list(network.blocks)[:-1]  # The last is the block that stands for all.
        stem = time_module(nn.Sequential(network.conv_stem, network.bn1, *first), image)
    return LatencyTable(stem=stem, layers=measured, heads=heads)


def layers(space: Space, input_size: int) -> list[Layer]:
    """Every distinct layer that builds something, behind every width that may come before it."""
    found: dict[Layer, None] = {}
    for number, (block, size) in enumerate(zip(space.blocks, block_sizes(space, input_size), strict=False), start=1):
        for cell in block.cells:
            for width in in_widths(space, number):
                for index in range(min(cell.depth, 2)):  # Behind the first layer, all are alike.
                    for op in space.layer_ops(index):
                        layer = layer_at(space, number, cell, index, op, in_width=width, in_size=size)
                        if not op.skip:
                            found[layer] = None
    return list(found)


def build_layer(layer: Layer, activation: Activation) -> nn.Module:
    """One layer as it is built inside a network."""
    block = block_string(layer)
    builder = EfficientNetBuilder(act_layer=activation, norm_layer=nn.BatchNorm2d, se_layer=SqueezeExcite)
    return nn.Sequential(*builder(layer.in_width, decode_arch_def([[block]])))  # type: ignore[no-untyped-call]


def time_module(module: nn.Module, maps: Tensor) -> int:
    """Median nanoseconds of a forward pass in full precision."""
    return int(statistics.median(times_of(module, maps, warm_up=WARM_UP, runs=RUNS)))


def times_of(module: nn.Module, maps: Tensor, *, warm_up: int, runs: int) -> list[int]:
    """Nanoseconds of so many forward passes."""
    module.eval()

    def forward() -> None:
        module(maps.clone())  # Activations work in place.
        if maps.is_cuda:
            torch.cuda.synchronize()

    with torch.inference_mode():
        return nanoseconds({"": forward}, warm_up=warm_up, runs=runs)[""]


def _ends(space: Space, width: int, *, num_classes: int, in_chans: int) -> Architecture:
    """The smallest network with the space's stem and head."""
    op = space.layer_ops(0)[0]
    return Architecture(
        blocks=(Choice(cell=1, stride=1, width=width, ops=(op,)),),
        stem_width=space.stem_width,
        first_width=space.first_width,
        head_width=space.head_width,
        num_classes=num_classes,
        in_chans=in_chans,
        first_stage=space.first_stage,
        activation=space.activation,
    )
