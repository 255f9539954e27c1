"""The select step: from the ratings to the whole frontier, the winner within the budget and its random control.

Ratings pick, exactly; where the best of them were looked at whole as finalists, what they came to decides among these.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dna_engine.events import Result
from dna_engine.images.pictures.pixels import preprocessing
from dna_engine.plans import Step, files
from dna_engine.plans.results import Chosen, ChosenReference, Finalist, FinalistTried, NetworksTimed, Selected
from dna_engine.runtime.context import Context
from dna_engine.select import LatencyTable, Network, Problem, Ratings, best, frontier, load_ratings
from dna_engine.select.control import draw_control
from dna_engine.spec import ResolvedSpec
from dna_engine.training.network import count
from dna_engine.training.standard import count_standard, nearest


def run_step(spec: ResolvedSpec, step: Step, context: Context) -> Result:
    """Selects by the ratings of all cells, and by what came of the finalists.

    Writes ``ratings.json`` (the ratings file of ``dna_engine.select``), ``selection.json`` (the frontier of flops with the
    network at each point, the winner, the control, the finalists in their order) and ``architecture.json`` of the winner, the control and
    the standard networks beside them, as wide as the winner's cost asks for.

    Raises:
        InfeasibleBudget: no network fits; says what would.
    """
    problem, limits = problem_of(spec, context.run), spec.budget.limits
    finalists = _finalists(spec, context.run)
    # Latency that was measured anew in between changes no verdict on those that were tried.
    winner = problem.named(finalists[0].blocks) if finalists else shortlist(problem, spec, context.run)[0]
    networks = {"winner": winner}
    if spec.retrain.control:
        networks["control"] = draw_control(problem, winner, limits, spec.seed)
    chosen = {name: _describe(network, spec) for name, network in networks.items()}
    _write(context.run / files.RATINGS, problem.ratings.to_json())
    points = _points(problem)
    described = {name: network.model_dump(mode="json") for name, network in chosen.items()}
    tried = [finalist.model_dump(mode="json") for finalist in finalists]
    _write(context.run / files.SELECTION, {"frontier": points, "limits": limits, "finalists": tried, **described})
    references = {name: _reference(name, spec, chosen["winner"].flops) for name in spec.retrain.references}
    for name, network in (chosen | references).items():
        _write(context.run / name / files.ARCHITECTURE, network.architecture)
    found = Selected(
        **chosen,
        networks=str(problem.ratings.space.networks),
        frontier=len(points),
        finalists=finalists,
        references=references,
    )
    return found.result(step.outputs(spec))


def problem_of(spec: ResolvedSpec, run: Path) -> Problem:
    """The ratings, weights and costs that a search selects by."""
    return Problem(gather(spec, run), spec.block_weights, _latency(spec, run))


def shortlist(problem: Problem, spec: ResolvedSpec, run: Path) -> tuple[Network, ...]:
    """The best by their ratings within the budget: as many as there are finalists, one at least; fewer where no more fit. Where latency is
    limited, those that keep within it whole.

    Raises:
        InfeasibleBudget: no network fits; says what would.
    """
    if spec.times_networks:
        timed = NetworksTimed.model_validate_json((run / files.TIMED).read_text())
        return tuple(problem.named(one.blocks) for one in timed.networks if one.holds and one.blocks)
    return best(problem, spec.budget.limits, max(1, len(spec.finalists)), spec.select.min_distance).networks


def _finalists(spec: ResolvedSpec, run: Path) -> list[Finalist]:
    """The least log-loss first; of equal ones the better rated."""
    tried = [FinalistTried.model_validate_json((run / files.finalist(name)).read_text()) for name in spec.finalists]
    return sorted((one.finalist for one in tried if one.finalist), key=lambda finalist: finalist.log_loss)


def gather(spec: ResolvedSpec, run: Path) -> Ratings:
    """The ratings of all cells in a run folder as one."""
    space = spec.parsed_space
    return load_ratings(
        {
            "space": space.to_json(),
            "input_size": spec.input_size,
            "num_classes": spec.dataset.num_classes,
            "ratings": [json.loads((run / files.cell_ratings(cell)).read_text()) for cell in space.cells],
        }
    )


def _points(problem: Problem) -> list[dict[str, Any]]:
    front = frontier(problem, "flops")
    return [front.network(point).to_json() for point in range(len(front))]


def _describe(network: Network, spec: ResolvedSpec) -> Chosen:
    """A chosen network with all that is needed to build it and to prepare images for it.

    That it costs what the formulas say is made sure of before it is trained: afterwards it would be too late.
    """
    counted = count(network.architecture)
    assert (network.costs["flops"], network.costs["params"]) == (counted.flops, counted.params)
    pictures = {"preprocessing": preprocessing(spec.input_size, spec.dataset.class_names, spec.look)}
    return Chosen(loss=network.loss, **network.costs, architecture=network.architecture.to_json() | pictures)


def _reference(name: str, spec: ResolvedSpec, flops: int) -> ChosenReference:
    """The standard network that costs nearest to that."""
    standard = nearest(name, flops, num_classes=spec.dataset.num_classes, input_size=spec.input_size)
    pictures = {"preprocessing": preprocessing(spec.input_size, spec.dataset.class_names, spec.look)}
    return ChosenReference(**vars(count_standard(standard)), architecture=standard.to_json() | pictures)


def _latency(spec: ResolvedSpec, run: Path) -> LatencyTable | None:
    if spec.budget.latency_ms is None:
        return None
    return LatencyTable.from_json(json.loads((run / files.LATENCY).read_text()))


def _write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1) + "\n")
