"""Which cells go together: groups for workers of different speeds, such that the slowest finishes first.

A worker pays for the teacher down to the deepest block of its cells, once per image, and for each of its cells. So cells of
deep blocks belong together and shallow ones fill up the others; the exact best is searched for, from a greedy start.
Costs are giga-multiply-adds per image, as :mod:`dna_engine.effort` has them; how fast workers are :mod:`store.speeds` says.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate, product

from sqlalchemy.orm import Session

from dna_engine.effort import cell_pass, teacher_pass
from dna_engine.plans import Kind
from dna_engine.plans.steps import device_queue
from dna_engine.space import CellRef
from dna_engine.spec import ResolvedSpec
from store import speeds, workers

#: Nodes of the exact search, over all numbers of workers, before it settles for the best found: some tenths of a second.
MAX_NODES = 20_000

#: Ends that differ by less than this share are the same: floating-point sums depend on their order.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Costs:
    """Per image: ``teacher[b]`` down to the end of block b + 1, ``cells`` each cell's own."""

    teacher: Sequence[float]
    cells: Mapping[CellRef, float]

    def load(self, group: Sequence[CellRef]) -> float:
        """What a worker pays for a group of cells."""
        depth = max((cell.block for cell in group), default=0)
        return (self.teacher[depth - 1] if depth else 0.0) + sum(self.cells[cell] for cell in group)

    def end(self, groups: Sequence[Sequence[CellRef]], speeds: Sequence[float]) -> float:
        """When the last of these workers is done, each with its group."""
        return max(self.load(group) / speed for group, speed in zip(groups, speeds, strict=True))


def group_cells(session: Session, kind: Kind, spec: ResolvedSpec, *, live_within: timedelta) -> list[list[CellRef]]:
    """Groups for the workers that are idle now and take device work, the largest first; one group when there is one, or none yet.

    Each group runs the teacher once more: split over workers that have other things to do, a busy fleet would do the same work several times
    (``benchmarks/scaling.py``). Those that are idle later take cells over, see ``worker.handover``.
    """
    idle = workers.idle(session, device_queue(1), within=live_within)
    costs = step_costs(kind, spec)
    groups = assign(costs, speeds.rates(session, kind, idle) or [1.0])
    return sorted((group for group in groups if group), key=costs.load, reverse=True)


def step_costs(kind: Kind, spec: ResolvedSpec, cells: Sequence[CellRef] | None = None) -> Costs:
    """Costs of distilling or rating each cell, or each of these."""
    space = spec.parsed_space
    teacher = [teacher_pass(spec, block) for block in range(1, len(space.blocks) + 1)]
    return Costs(teacher, {cell: cell_pass(kind, spec, cell) for cell in cells or space.cells})


def assign(costs: Costs, speeds: Sequence[float]) -> list[list[CellRef]]:
    """A group for each worker, some of them empty, that hold every cell once; the last ends as early as was found.

    Of equally good ones the fewest groups are taken, as each more runs the teacher once more, for the fastest workers.
    """
    fastest = sorted(range(len(speeds)), key=lambda place: -speeds[place])[: len(costs.cells)]
    groups: list[list[CellRef]] = [[] for _ in speeds]
    best: list[list[CellRef]] = []
    bound = math.inf
    longest = max(costs.load([cell]) for cell in costs.cells) / max(speeds)
    for count in range(1, len(fastest) + 1):
        if bound <= longest * (1 + _ROUNDING):
            break
        nodes = MAX_NODES // len(fastest)
        found = _Search(costs, [speeds[place] for place in fastest[:count]], bound, nodes).run()
        if found is not None:
            best, bound = found
    for place, group in zip(fastest, best, strict=False):
        groups[place] = sorted(group)
    return groups


class _Search:
    """Depth-first over cells, cut where no end before the best one so far can be reached; and from that on whatever single cells improve.

    Cells are handed out from the deepest block up, so a worker's first cell fixes what it pays for the teacher.
    """

    def __init__(self, costs: Costs, speeds: Sequence[float], bound: float, nodes: int) -> None:
        self._costs, self._speeds, self._bound = costs, speeds, bound
        self._cells = sorted(costs.cells, key=lambda cell: (-cell.block, -costs.cells[cell], cell.cell))
        own = [costs.cells[cell] for cell in reversed(self._cells)]
        self._left = [*reversed(list(accumulate(own))), 0.0]  # From each cell on, all cells.
        self._groups: list[list[CellRef]] = [[] for _ in speeds]
        self._loads = [0.0 for _ in speeds]
        self._speed = sum(speeds)
        self._best: list[list[CellRef]] | None = None
        self._nodes = nodes

    def run(self) -> tuple[list[list[CellRef]], float] | None:
        """The groups and the end of the last, where one was found that is before the bound."""
        self._improve(self._greedy())
        self._place(0, 0.0)
        if self._best is not None:
            self._improve(self._best)
        return None if self._best is None else (self._best, self._bound)

    def _greedy(self) -> list[list[CellRef]]:
        """Each cell to the worker that is done with it first."""
        groups: list[list[CellRef]] = [[] for _ in self._speeds]
        for cell in self._cells:
            ends = [self._costs.load([*group, cell]) / speed for group, speed in zip(groups, self._speeds, strict=True)]
            groups[ends.index(min(ends))].append(cell)
        return groups

    def _improve(self, groups: Sequence[Sequence[CellRef]]) -> None:
        """Moves one cell of the group that ends last, or exchanges it for another, as long as that ends sooner."""
        better: Sequence[Sequence[CellRef]] | None = groups
        while better is not None:
            groups = better
            end = self._costs.end(groups, self._speeds) * (1 - _ROUNDING)
            better = next(
                (other for other in self._neighbours(groups) if self._costs.end(other, self._speeds) < end), None
            )
        self._keep(groups)

    def _neighbours(self, groups: Sequence[Sequence[CellRef]]) -> Iterator[list[list[CellRef]]]:
        ends = [self._costs.load(group) / speed for group, speed in zip(groups, self._speeds, strict=True)]
        last = ends.index(max(ends))
        for cell, place in product(groups[last], range(len(groups))):
            if place != last:
                for back in (None, *groups[place]):
                    other = [[each for each in group if each not in (cell, back)] for group in groups]
                    other[place].append(cell)
                    other[last] += [] if back is None else [back]
                    yield other

    def _keep(self, groups: Sequence[Sequence[CellRef]]) -> None:
        end = self._costs.end(groups, self._speeds)
        if end < self._bound * (1 - _ROUNDING):
            self._best, self._bound = [list(group) for group in groups], end

    def _place(self, index: int, loaded: float) -> None:
        """Every way to hand out the cells from that one on, where those before make up so much load."""
        self._nodes -= 1
        if index == len(self._cells):
            self._keep(self._groups)
            return
        if (loaded + self._left[index]) / self._speed >= self._bound:
            return
        cell = self._cells[index]
        for _, end, load, place in self._choices(cell):
            if self._nodes <= 0:
                return
            if end >= self._bound:
                continue
            before = self._loads[place]
            self._loads[place] = load
            self._groups[place].append(cell)
            self._place(index + 1, loaded + load - before)
            self._groups[place].pop()
            self._loads[place] = before

    def _choices(self, cell: CellRef) -> list[tuple[bool, float, float, int]]:
        """When each worker would be done with its cells and this one, and its load then, of equal workers one: those that run the teacher
        anyway first, soonest first."""
        own, first = self._costs.cells[cell], self._costs.teacher[cell.block - 1]
        distinct = {
            (speed, load): place for place, (speed, load) in enumerate(zip(self._speeds, self._loads, strict=True))
        }
        choices = []
        for (speed, load), place in distinct.items():
            idle = not self._groups[place]
            then = load + own + (first if idle else 0.0)
            choices.append((idle, then / speed, then, place))
        return sorted(choices)
