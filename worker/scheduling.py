"""Which cells go together: groups for the live workers, such that the slowest finishes first.

A worker pays for the teacher down to the deepest block of its cells, once per image, and for each of its cells. So cells of
deep blocks belong together and shallow ones fill up the others; the exact best is searched for, from a greedy start.
Workers are taken to be equally fast; costs are giga-multiply-adds per image, as :mod:`dna_engine.effort` has them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session

from dna_engine.effort import cell_pass, teacher_pass
from dna_engine.plans import Kind
from dna_engine.space import CellRef
from dna_engine.spec import ResolvedSpec
from store import workers

#: Nodes of the exact search before it settles for the best found; about 0.2 s.
MAX_NODES = 100_000


@dataclass(frozen=True)
class Costs:
    """Per image: ``teacher[b]`` down to the end of block b + 1, ``cells`` each cell's own."""

    teacher: Sequence[float]
    cells: Mapping[CellRef, float]

    def load(self, group: Sequence[CellRef]) -> float:
        """What a worker pays for a group of cells."""
        depth = max((cell.block for cell in group), default=0)
        return (self.teacher[depth - 1] if depth else 0.0) + sum(self.cells[cell] for cell in group)


def group_cells(session: Session, kind: Kind, spec: ResolvedSpec, *, live_within: timedelta) -> list[list[CellRef]]:
    """Groups for the workers that are live now and take device work; one group when there is one, or none yet."""
    live = [worker for worker in workers.live(session, within=live_within) if "gpu" in worker.queues]
    return assign(step_costs(kind, spec), workers=max(1, len(live)))


def step_costs(kind: Kind, spec: ResolvedSpec) -> Costs:
    """Costs of distilling or rating each cell."""
    space = spec.parsed_space
    teacher = [teacher_pass(spec, block) for block in range(1, len(space.blocks) + 1)]
    return Costs(teacher, {cell: cell_pass(kind, spec, cell) for cell in space.cells})


def assign(costs: Costs, *, workers: int) -> list[list[CellRef]]:
    """At most ``workers`` groups that hold every cell once; the largest load is as small as was found.

    Of equally good ones the fewest groups are taken: each more runs the teacher once more.
    """
    options = [_best_groups(costs, count) for count in range(1, min(workers, len(costs.cells)) + 1)]
    best = min(options, key=lambda groups: (max(costs.load(group) for group in groups), len(groups)))
    return sorted(sorted(group) for group in best)


def _best_groups(costs: Costs, workers: int) -> list[list[CellRef]]:
    """Cells are handed out from the deepest block up, so a worker's first cell fixes what it pays for the teacher."""
    cells = sorted(costs.cells, key=lambda cell: (-cell.block, -costs.cells[cell], cell.cell))
    return _Search(costs, cells, workers, _greedy(costs, cells, workers)).run()


def _greedy(costs: Costs, cells: Sequence[CellRef], workers: int) -> list[list[CellRef]]:
    """Each cell to the worker that is then least loaded."""
    groups: list[list[CellRef]] = [[] for _ in range(workers)]
    for cell in cells:
        min(groups, key=lambda group: costs.load([*group, cell])).append(cell)
    return [group for group in groups if group]


class _Search:
    """Depth-first over cells, cut where a load reaches the best largest load so far."""

    def __init__(
        self, costs: Costs, cells: Sequence[CellRef], workers: int, start: Sequence[Sequence[CellRef]]
    ) -> None:
        self._costs = costs
        self._cells = cells
        self._workers = workers
        self._best = [list(group) for group in start]
        self._bound = max(costs.load(group) for group in start)
        self._nodes = 0

    def run(self) -> list[list[CellRef]]:
        self._place(0, [], [])
        return self._best

    def _place(self, index: int, groups: list[list[CellRef]], loads: list[float]) -> None:
        self._nodes += 1
        if index == len(self._cells):
            self._best, self._bound = [list(group) for group in groups], max(loads)
            return
        cell = self._cells[index]
        own = self._costs.cells[cell]
        # Equal loads are interchangeable, and so are workers that have nothing yet.
        for load, place in sorted({load: place for place, load in enumerate(loads)}.items()):
            if load + own < self._bound and self._nodes < MAX_NODES:
                groups[place].append(cell)
                loads[place] += own
                self._place(index + 1, groups, loads)
                groups[place].pop()
                loads[place] = load
        first = self._costs.teacher[cell.block - 1] + own
        if len(groups) < self._workers and first < self._bound and self._nodes < MAX_NODES:
            self._place(index + 1, [*groups, [cell]], [*loads, first])
