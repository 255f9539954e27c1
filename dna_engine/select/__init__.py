"""Exact selection: the best networks of a rated space under any mix of limits, and whole frontiers. Torch-free.

``Problem(load_ratings(FILE))`` is prepared once and answers every budget: ``best(problem, {"flops": 350_000_000})``,
``frontier(problem, "flops")``.
"""

from dna_engine.select.allowance import Allowance
from dna_engine.select.budget import check
from dna_engine.select.front import Frontier, frontier
from dna_engine.select.latency import LatencyTable
from dna_engine.select.problem import Network, Problem
from dna_engine.select.ratings import Ratings, load_ratings
from dna_engine.select.selection import Selection, best

__all__ = [
    "Allowance",
    "Frontier",
    "LatencyTable",
    "Network",
    "Problem",
    "Ratings",
    "Selection",
    "best",
    "check",
    "frontier",
    "load_ratings",
]
