"""Exact selection against the paper's traversal, made correct, a MILP, and itself one by one, on made-up ratings.

Losses fall with flops and carry log-normal noise: the less noise, the more networks compete and the longer the frontier.
Both sides read the same cost tables. The traversal runs with a time cap: where it says more than so many seconds, it was
stopped there.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from functools import partial

from benchmarks import report
from benchmarks.selection_baselines import Outcome, Traversal, one_by_one, solve_milp, without_dominated
from benchmarks.selection_instances import made_up_problem, made_up_ratings, middle
from dna_engine.runtime.context import choose_device
from dna_engine.select import Problem, best, frontier, load_ratings
from dna_engine.space import SPACES

NOISES = (0.2, 0.05, 0.01)
TRAVERSED = (0.2, 0.05)
"""Noises at which the traversals run; with less they only come to their cap."""
FLOPS = 350_000_000
REPEATS = 7
LEADING = 256
LIMITS = (["flops"], ["flops", "params"], ["flops", "params", "latency_ns"])


def seconds_of(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Median over a few calls, after one to warm up."""
    work()
    return statistics.median(_once(work, clock) for _ in range(REPEATS))


def _once(work: Callable[[], object], clock: Callable[[], float]) -> float:
    began = clock()
    work()
    return clock() - began


def against_traversal(noise: float, cap: float) -> list[list[str]]:
    """``dna-mbconv-single``: optimum at 350M flops and whole frontier, beside both traversals where they run."""
    problem = Problem(made_up_ratings(SPACES["dna-mbconv-single"], 0, noise=noise))
    found = best(problem, {"flops": FLOPS}).networks[0]
    ours = seconds_of(lambda: best(problem, {"flops": FLOPS}))
    points = len(frontier(problem))
    whole = seconds_of(lambda: frontier(problem))
    rows = [
        [f"{noise:.0%}", "optimum", f"{ours:.4f} s", "", f"{found.loss:.9f}"],
        [f"{noise:.0%}", f"whole frontier, {points:,} points", f"{whole:.4f} s", "", ""],
    ]
    if noise not in TRAVERSED:
        return rows
    for name, loss_bounds in (("traversal, cost pruning", False), ("traversal, loss bounds too", True)):
        theirs = Traversal(problem.trellis, 0, FLOPS, loss_bounds=loss_bounds, seconds=cap).run()
        if theirs.complete and abs(theirs.loss - found.loss) > 1e-12:
            raise AssertionError(f"{name} found {theirs.loss!r}, not {found.loss!r}")
        rows.append([f"{noise:.0%}", name, _time(theirs), _ratio(theirs, ours), f"{theirs.loss:.9f}"])
    return rows


def against_milp(noise: float, names: list[str], instances: int, cap: float) -> list[str]:
    """``dna-mbconv``: medians and maxima over instances, each checked against HiGHS."""
    ours, theirs, proven = [], [], 0
    for seed in range(instances):
        problem = made_up_problem(SPACES["dna-mbconv"], seed, noise=noise)
        limits = {name: middle(problem, name) for name in names}
        found = best(problem, limits).networks[0]
        ours.append(seconds_of(lambda problem=problem, limits=limits: best(problem, limits)))  # type: ignore[misc]
        rows = {problem.row(name): limit for name, limit in limits.items()}
        thinned = without_dominated(problem.trellis, list(rows))
        outcome = solve_milp(thinned, rows, seconds=cap)
        theirs.append(outcome.seconds)
        # HiGHS holds its limits to one part in a million, so it may find a loss that is a little too good.
        if outcome.complete and outcome.loss > found.loss * (1 + 1e-6):
            raise AssertionError(f"HiGHS found {outcome.loss!r}, not {found.loss!r}, seed {seed}, {limits}")
        proven += outcome.complete and abs(outcome.loss / found.loss - 1) < 1e-6
    middle_ours, middle_theirs = statistics.median(ours), statistics.median(theirs)
    return [
        f"{noise:.0%}",
        ", ".join(names),
        f"{middle_ours:.4f} s",
        f"{max(ours):.4f} s",
        f"{middle_theirs:.3f} s",
        f"{max(theirs):.3f} s",
        f"{middle_theirs / middle_ours:.0f}x",
        f"{proven} of {instances}",
    ]


def leading(noise: float, names: list[str], instances: int, cap: float) -> list[str]:
    """``dna-mbconv``: the 256 best networks together, over instances; beside them one by one, on the first.

    Both are counted in seconds of the processor: a busy machine changes them little.
    """
    problems = [made_up_problem(SPACES["dna-mbconv"], seed, noise=noise) for seed in range(instances)]
    together = [
        seconds_of(partial(best, problem, {name: middle(problem, name) for name in names}, LEADING), time.process_time)
        for problem in problems
    ]
    problem = problems[0]
    limits = {name: middle(problem, name) for name in names}
    reference = one_by_one(problem, limits, LEADING, seconds=cap)
    count = len(reference.networks)
    if list(best(problem, limits, LEADING).networks[:count]) != reference.networks:
        raise AssertionError(f"one by one found others, noise {noise}, {limits}")
    return [
        f"{noise:.0%}",
        ", ".join(names),
        f"{statistics.median(together):.3f} s",
        f"{max(together):.3f} s",
        f"{reference.seconds:.1f} s" if count == LEADING else f"more than {cap:.0f} s: {count} networks",
        f"{'' if count == LEADING else 'more than '}{reference.seconds / together[0]:,.0f}x",
    ]


def whole_request(noise: float) -> list[list[str]]:
    """What a service does with a finished search of ``dna-mbconv``: read, prepare, answer."""
    text = json.dumps(made_up_ratings(SPACES["dna-mbconv"], 0, noise=noise).to_json())
    ratings = load_ratings(json.loads(text))
    problem = Problem(ratings)
    limits = {"flops": FLOPS, "params": 4_500_000}
    parts = {
        "read the ratings file": lambda: load_ratings(json.loads(text)),
        "prepare": lambda: Problem(ratings),
        "best, flops and params": lambda: best(problem, limits),
        "five best that differ in three layers": lambda: best(problem, limits, top_k=5, min_distance=3),
        "whole frontier": lambda: frontier(problem),
    }
    return [[f"{noise:.0%}", name, f"{1e3 * seconds_of(work):.1f} ms"] for name, work in parts.items()]


def _time(outcome: Outcome) -> str:
    return f"{outcome.seconds:.1f} s" if outcome.complete else f"more than {outcome.seconds:.0f} s"


def _ratio(outcome: Outcome, ours: float) -> str:
    return f"{'' if outcome.complete else 'more than '}{outcome.seconds / ours:,.0f}x"


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", help="selection runs on the CPU; other devices are refused", choices=["cpu"])
    parser.add_argument("--cap", type=float, default=30.0, help="seconds that each baseline may take")
    parser.add_argument("--instances", type=int, default=5, help="per row of the comparison with the MILP")
    arguments = parser.parse_args(argv)
    report.print_header("selection", choose_device("cpu"))
    print("dna-mbconv-single, 6^19 networks, at most 350M flops:\n")
    rows = [row for noise in NOISES for row in against_traversal(noise, arguments.cap)]
    report.print_table(["noise", "what", "time", "ratio", "loss"], rows)
    print("dna-mbconv, 1.96e17 networks, limits at 40% of the range; the MILP is spared all dominated paths:\n")
    columns = ["noise", "limits", "median", "longest", "HiGHS, median", "longest", "ratio", "HiGHS proves the same"]
    report.print_table(
        columns,
        [against_milp(noise, names, arguments.instances, arguments.cap) for noise in NOISES for names in LIMITS],
    )
    print(f"dna-mbconv, the {LEADING} best networks, limits at 40% of the range; one by one on the first instance:\n")
    columns = ["noise", "limits", "together, median", "longest", "one by one", "ratio"]
    report.print_table(
        columns,
        [leading(noise, names, arguments.instances, arguments.cap) for noise in NOISES for names in LIMITS],
    )
    print("dna-mbconv, a request on finished ratings, part by part:\n")
    report.print_table(["noise", "what", "time"], [row for noise in NOISES for row in whole_request(noise)])


if __name__ == "__main__":
    main()
