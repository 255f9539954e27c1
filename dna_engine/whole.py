"""The time step: networks are timed whole, one picture at a time, as they run where the step runs.

A table of layers adds up, which makes a selection exact; what layers gain or lose next to each other it does not see. So a network
that is to keep within a limit is timed whole before anything is trained for it, and the next of the exact ranking takes its place where
it does not.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import onnxruntime
import torch

from dna_engine import choose
from dna_engine.disk import is_full
from dna_engine.errors import InfeasibleBudget
from dna_engine.events import Log, Progress, Result
from dna_engine.export.onnx_file import time_onnx, write_onnx
from dna_engine.plans import Step, files
from dna_engine.plans.results import NetworksTimed, Timed, TimedNetwork
from dna_engine.runtime.context import Context
from dna_engine.runtime.timing import device_name, summarize
from dna_engine.select import Network, Problem, best
from dna_engine.select.budget import nearest_budget
from dna_engine.space.architecture import Architecture
from dna_engine.spec import ResolvedSpec, ResolvedTiming
from dna_engine.training.latency import times_of
from dna_engine.training.network import build

#: Runs of a network before it is timed, and runs of which the median counts.
WARM_UP, RUNS = 10, 100
#: Networks of the ranking that are timed beyond those that are needed, before slower ones are left out by the sum of their layers.
BEYOND = 16
#: Times that this is done.
ROUNDS = 4


def run_step(spec: ResolvedSpec | ResolvedTiming, step: Step, context: Context) -> Result:
    """Times the network of a job that asks for it, or of a search those that may win, into ``timed.json``.

    Raises:
        InfeasibleBudget: none of the search's networks that were timed keeps within its limit.
    """
    if isinstance(spec, ResolvedTiming):
        architecture = Architecture.from_json(spec.architecture)
        networks = [TimedNetwork(torch=time_torch(architecture, context), onnxruntime=time_runtime(architecture))]
        limit = None
    else:
        limit = spec.budget.latency_ms
        networks = _keeping_within(spec, context)
    found = NetworksTimed(
        device=device_name(context.device),
        cpu=device_name(torch.device("cpu")),
        threads=torch.get_num_threads(),
        torch_version=torch.__version__,
        onnxruntime_version=onnxruntime.__version__,
        limit_ms=limit,
        networks=networks,
    )
    (context.run / files.TIMED).write_text(found.model_dump_json(indent=1) + "\n")
    return found.result(step.outputs(spec))


def time_torch(architecture: Architecture, context: Context) -> Timed:
    """One picture by torch on the context's device, in full precision; the weights are random, which takes as long."""
    torch.manual_seed(0)
    model = build(architecture).to(context.device)
    picture = torch.randn(1, architecture.in_chans, architecture.input_size, architecture.input_size)
    return summarize(times_of(model, picture.to(context.device), warm_up=WARM_UP, runs=RUNS))


def time_runtime(architecture: Architecture) -> Timed | None:
    """The same by onnxruntime on the CPU, on as many threads as torch takes; None where ONNX does not express the network."""
    torch.manual_seed(0)
    pictures = torch.randn(2, architecture.in_chans, architecture.input_size, architecture.input_size)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        try:
            write_onnx(build(architecture).eval(), pictures, path)
        except Exception as error:
            if is_full(error):
                raise
            # The exporter's errors have no common kind; a network is none the slower for them.
            return None
        return time_onnx({"": path}, pictures[:1], threads=torch.get_num_threads())[""]


def _keeping_within(spec: ResolvedSpec, context: Context) -> list[TimedNetwork]:
    """Networks in the order of the exact ranking until enough of them keep within the limit; says which do not."""
    problem, limit = choose.problem_of(spec, context.run), spec.budget.limits["latency_ns"] / 1e6
    wanted = max(1, len(spec.finalists))
    timed: list[TimedNetwork] = []
    for network in _candidates(problem, spec, timed):
        one = _time(network, limit, context)
        timed.append(one)
        holding = sum(one.holds for one in timed)
        context.reporter.emit(Progress(done=holding, total=wanted, unit="networks", parts=["time"]))
        if holding == wanted:
            break
    if not any(one.holds for one in timed):
        raise _none_keeps_within(problem, limit, timed)
    if not timed[0].holds:
        place = next(place for place, one in enumerate(timed, start=1) if one.holds)
        context.reporter.emit(Log(level="warning", message=_passed_over(timed, place, limit)))
    return timed


def _candidates(problem: Problem, spec: ResolvedSpec, timed: list[TimedNetwork]) -> Iterator[Network]:
    """The ranking within the budget; where none of so many keeps within it whole, that of networks whose layers sum up to less, in the
    proportion in which the fastest of those was too slow.

    Args:
        timed: those before, in their order; read when the next is asked for.
    """
    limits = dict(spec.budget.limits)
    limit = limits["latency_ns"] / 1e6
    seen: set[str] = set()
    for _ in range(ROUNDS):
        for network in best(problem, limits, max(1, len(spec.finalists)) + BEYOND, spec.select.min_distance).networks:
            if (name := str(network.to_json()["blocks"])) not in seen:
                seen.add(name)
                yield network
        if any(one.holds for one in timed):
            return
        fastest = min(timed, key=lambda one: one.torch.median_ms)
        assert fastest.predicted_ms is not None
        less = limits | {"latency_ns": int(1e6 * fastest.predicted_ms * limit / fastest.torch.median_ms)}
        limits = nearest_budget(problem, less, "latency_ns")  # The least that there is, where that is less still.


def _time(network: Network, limit: float, context: Context) -> TimedNetwork:
    took = time_torch(network.architecture, context)
    holds = took.median_ms <= limit
    return TimedNetwork(
        predicted_ms=network.costs["latency_ns"] / 1e6,
        torch=took,
        onnxruntime=time_runtime(network.architecture) if holds else None,
        holds=holds,
        blocks=network.to_json()["blocks"],
    )


def _passed_over(timed: list[TimedNetwork], place: int, limit: float) -> str:
    first, chosen = timed[0], timed[place - 1]
    return (
        f"The network that is rated best takes {first.torch.median_ms:.3g} ms whole (its layers {first.predicted_ms:.3g}), more than "
        f"{limit:g}: the one in place {place} of the ranking, with {chosen.torch.median_ms:.3g} ms, comes before it."
    )


def _none_keeps_within(problem: Problem, limit: float, timed: list[TimedNetwork]) -> InfeasibleBudget:
    fastest = min(one.torch.median_ms for one in timed)
    return InfeasibleBudget(
        f"No network of the {len(timed)} that were timed whole keeps within latency_ms {limit:g}: the fastest takes {fastest:.3g} ms. Ask "
        f"for {1.05 * fastest:.3g} ms or more, or take a device that computes nothing else meanwhile.",
        binding=["latency_ns"],
        feasible=problem.cost_range,
        nearest=[{"latency_ns": int(1.05e6 * fastest)}],
    )
