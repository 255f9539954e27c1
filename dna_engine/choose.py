"""The select step: from the ratings to the whole frontier, the winner within the budget, and its random control."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dna_engine import data
from dna_engine.context import Context
from dna_engine.errors import EngineError
from dna_engine.events import Result
from dna_engine.select import LatencyTable, Network, Problem, Ratings, best, frontier, load_ratings
from dna_engine.spec import ResolvedSpec
from dna_engine.steps import LATENCY, Step

#: A control's flops lie this close to the winner's, as a share of them.
BAND = 0.03
#: Networks drawn in search of a control.
DRAWS = 5_000


def run_step(spec: ResolvedSpec, step: Step, context: Context) -> Result:
    """Selects by the ratings of all cells.

    Writes ``ratings.json`` (the ratings file of ``dna_engine.select``), ``selection.json`` (the frontier of flops with the
    network at each point, the winner, the control) and ``architecture.json`` of the winner and the control.

    Raises:
        InfeasibleBudget: no network fits; says what would.
    """
    ratings = gather(spec, context.run)
    problem = Problem(ratings, spec.block_weights, _latency(spec, context.run))
    limits = spec.budget.limits
    winner = best(problem, limits).networks[0]
    networks = {"winner": winner}
    if spec.retrain.control:
        networks["control"] = draw_control(problem, winner, limits, spec.seed)
    chosen = {name: _describe(network, spec) for name, network in networks.items()}
    _write(context.run / "ratings.json", ratings.to_json())
    points = _points(problem)
    _write(context.run / "selection.json", {"frontier": points, "limits": limits, **chosen})
    for name, network in chosen.items():
        _write(context.run / name / "architecture.json", network["architecture"])
    return Result(
        artifacts=step.outputs(spec), values=chosen | {"networks": str(ratings.space.networks), "frontier": len(points)}
    )


def gather(spec: ResolvedSpec, run: Path) -> Ratings:
    """The ratings of all cells in a run folder as one."""
    space = spec.parsed_space
    return load_ratings(
        {
            "space": space.to_json(),
            "input_size": spec.input_size,
            "num_classes": spec.dataset.num_classes,
            "ratings": [json.loads((run / f"ratings/{cell}.json").read_text()) for cell in space.cells],
        }
    )


def draw_control(problem: Problem, winner: Network, limits: Mapping[str, int], seed: int) -> Network:
    """A random network that costs what the winner costs: what the search has to beat.

    Drawn uniformly from the space until one differs from the winner, has flops within 3% of the winner's and fits the
    limits; its rating plays no part. Where none of :data:`DRAWS` does, the nearest in flops of those that fit, or of all.

    Raises:
        EngineError: the draws gave nothing but the winner.
    """
    drawn = []
    for network in _draws(problem, seed):
        if network.choices == winner.choices:
            continue
        if _distance(network, winner) <= BAND and _fits(network, limits):
            return network
        drawn.append(network)
    if not drawn:
        raise EngineError(
            "The space has no network beside the winner to compare it with. Widen the space, or set retrain.control to "
            "false.",
            param="retrain.control",
        )
    return min(drawn, key=lambda network: (not _fits(network, limits), _distance(network, winner)))


def _draws(problem: Problem, seed: int) -> Iterator[Network]:
    """Networks of the space, each as likely as any other: every path of a block is."""
    rng = random.Random(f"control/{seed}")
    paths = problem.ratings.space.paths_per_block
    for _ in range(DRAWS):
        yield problem.network([rng.randrange(count) for count in paths])


def _distance(network: Network, winner: Network) -> float:
    return abs(network.costs["flops"] / winner.costs["flops"] - 1)


def _fits(network: Network, limits: Mapping[str, int]) -> bool:
    return all(network.costs[name] <= limit for name, limit in limits.items())


def _points(problem: Problem) -> list[dict[str, Any]]:
    front = frontier(problem, "flops")
    return [front.network(point).to_json() for point in range(len(front))]


def _describe(network: Network, spec: ResolvedSpec) -> dict[str, Any]:
    """A chosen network with all that is needed to build it and to prepare images for it."""
    return {
        "loss": network.loss,
        **network.costs,
        "architecture": network.architecture.to_json() | {"preprocessing": preprocessing(spec)},
    }


def preprocessing(spec: ResolvedSpec) -> dict[str, Any]:
    """How a picture becomes an input: shorter side to ``resize``, the middle ``size`` pixels, (x / 255 - mean) / std."""
    around = data.margin(spec.input_size) if spec.input_size > data.SMALL else 0
    return {
        "resize": spec.input_size + 2 * around,
        "size": spec.input_size,
        "interpolation": "bilinear",
        "mean": list(data.MEAN),
        "std": list(data.STD),
        "classes": spec.dataset.class_names,
    }


def _latency(spec: ResolvedSpec, run: Path) -> LatencyTable | None:
    if spec.budget.latency_ms is None:
        return None
    return LatencyTable.from_json(json.loads((run / LATENCY).read_text()))


def _write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1) + "\n")
