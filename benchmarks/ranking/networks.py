"""Which networks are trained: some of every cost, and as many of one."""

from __future__ import annotations

import math
import random
from typing import Any

from dna_engine.baselines import spos
from dna_engine.errors import InvalidSpec
from dna_engine.space import Space
from dna_engine.space.architecture import Architecture
from dna_engine.space.cost import architecture_cost
from dna_engine.spec import ResolvedSpec

#: Half the relative width of the band of flops, and the share of the random networks that cost less than its middle:
#: small networks differ more, and train faster.
BAND, BAND_AT = 0.015, 0.25
#: Random networks among which the study's are chosen.
POOL = 20_000

#: Like the paper's, a block has a deeper cell and a wider one, by a third. As in NAS-Bench-201, the ops differ in what they
#: can do, not in size alone: an op may be skipped or see single pixels only, which hardly shows in the flops.
SPACE: dict[str, Any] = {
    "name": "ranking study",
    "ops": [
        {"name": "mb2_1x1", "kernel": 1, "expansion": 2, "se_ratio": 0.0},
        {"name": "mb4_1x1", "kernel": 1, "expansion": 4, "se_ratio": 0.0},
        {"name": "mb6_1x1", "kernel": 1, "expansion": 6, "se_ratio": 0.0},
        {"name": "mb4_3x3", "kernel": 3, "expansion": 4, "se_ratio": 0.0},
        "skip",
    ],
    "blocks": [
        {"stride": 2, "cells": [{"depth": 2, "width": 32}, {"depth": 3, "width": 24}]},
        {"stride": 2, "cells": [{"depth": 2, "width": 48}, {"depth": 3, "width": 40}]},
        {"stride": 2, "cells": [{"depth": 2, "width": 96}, {"depth": 3, "width": 80}]},
    ],
    "stem_width": 8,
    "first_width": 8,
    "head_width": 128,
}


def random_network(spec: ResolvedSpec, space: Space, rng: random.Random) -> Architecture:
    choices = spos.draw(space, rng.getrandbits(62))
    return Architecture.from_choices(space, choices, input_size=spec.input_size, num_classes=spec.dataset.num_classes)


def choose(spec: ResolvedSpec, count: int) -> list[Architecture]:
    """``count`` networks at even steps of log flops over a random pool, then ``count`` within the band.

    Raises:
        InvalidSpec: the space has too few networks in the band.
    """
    rng, space = random.Random("networks"), spec.parsed_space
    costs = {
        network: architecture_cost(network).flops for network in (random_network(spec, space, rng) for _ in range(POOL))
    }
    pool = sorted(costs, key=costs.__getitem__)
    flops = [costs[network] for network in pool]
    low, high, middle = flops[len(pool) // 200], flops[-1 - len(pool) // 200], flops[int(len(pool) * BAND_AT)]
    spread: list[int] = []
    for place in range(count):
        target = math.log(low) + (place + 0.5) / count * (math.log(high) - math.log(low))
        free = (index for index in range(len(pool)) if index not in spread)
        spread.append(min(free, key=lambda index: abs(math.log(flops[index]) - target)))
    inside = [i for i in range(len(pool)) if i not in spread and abs(flops[i] / middle - 1) <= BAND]
    if len(inside) < count:
        raise InvalidSpec(f"Only {len(inside)} networks of {POOL} lie in the band; ask for fewer.", param="networks")
    return [pool[index] for index in spread + rng.sample(inside, count)]
