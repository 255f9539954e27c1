"""Ten thousand searches a day on 64 GPUs, simulated: how long each kind of search waits, by the order in which steps are claimed.

A day of searches arrives by chance, of three sizes and of many keys. Each goes through its phases; distillation and rating are split into groups
of cells, each of which pays for the teacher again. GPUs take the next step in the order that is simulated:

``age``    of the job that was made first
``turns``  of the key that has had less of the devices lately, and of its jobs the oldest, as the service has it (``store.line``)
``yield``  the same, and a step that has waited for long makes one that goes behind it stop at a checkpoint and wait in its place; the service
           asks less (``store.preemption``): for whole jobs that are small, and one step of a queue at a time

and distillation is split over all live workers (``live``) or over as many groups as GPUs are idle, one at least (``idle``). What a search takes of
a GPU is an assumption, which stands in :data:`SIZES`; the rest follows.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import math
import random
import statistics
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch

from benchmarks import report

DAY = 86_400.0
#: What a key has had counts half after half an hour: seconds after which it counts one e-th.
FADING = 1800 / math.log(2)
#: A running step is looked at for yielding so often, and by one that has waited for so long.
LOOK, PATIENCE = 30.0, 300.0
#: What a step that yields or is begun takes beside its work: a checkpoint, its files, an engine.
HANDLING = 5.0
#: Of what distilling all cells at once takes, what the teacher does.
TEACHER_SHARE = 0.2


@dataclass(frozen=True)
class Size:
    """A kind of search: its share of all, seconds of a GPU for all its work done once, its cells, and how many keys ask for such."""

    name: str
    share: float
    seconds: float
    cells: int
    keys: int


SIZES = (Size("small", 0.85, 120, 6, 50), Size("medium", 0.14, 1200, 12, 20), Size("large", 0.01, 14_400, 16, 5))

#: Phases in order: of all work of a search, what each is, and whether it is split over cells; training is of winner and control.
PHASES = (("teacher", 0.10, False), ("distill", 0.45, True), ("rate", 0.10, True), ("train", 0.35, False))


@dataclass
class Search:
    """One search; ``began`` is when its first step was claimed."""

    number: int
    size: Size
    key: str
    asked: float
    phase: int = -1
    open: int = 0
    began: float | None = None
    ended: float | None = None


@dataclass
class Step:
    """Work for a GPU: ``left`` seconds of it, waiting since ``queued`` or running since ``started``."""

    search: Search
    left: float
    queued: float
    started: float = 0.0
    gpu: int = -1
    turn: int = 0

    @property
    def order(self) -> tuple[int, int]:
        return self.search.number, self.turn


@dataclass(frozen=True)
class Run:
    """A step as it was begun: it has another turn once it has yielded."""

    step: Step
    turn: int


@dataclass
class Shares:
    """What each key has had lately: ``ln`` of the sum of seconds times ``e^(t / FADING)``, which orders keys without being touched as time goes."""

    standing: dict[str, float] = field(default_factory=dict)

    def of(self, key: str) -> float:
        return self.standing.get(key, -math.inf)

    def take(self, key: str, seconds: float, now: float) -> None:
        if seconds <= 0:
            return
        taken, before = math.log(seconds) + now / FADING, self.of(key)
        high, low = max(taken, before), min(taken, before)
        self.standing[key] = high + math.log1p(math.exp(max(low - high, -700.0)))


class Fleet:
    """GPUs that take steps of searches by one of the orders.

    Attributes:
        worked: seconds that GPUs were taken.
        yields: how often a step gave way.
    """

    def __init__(self, gpus: int, policy: str, split: str) -> None:
        self.policy, self.split, self.gpus = policy, split, gpus
        self.idle = list(range(gpus))
        self.running: dict[int, Step] = {}
        self.waiting: dict[str, list[tuple[tuple[int, int], Step]]] = defaultdict(list)
        self.shares = Shares()
        self.events: list[tuple[float, int, str, object]] = []
        self.worked = 0.0
        self.yields = 0
        self._count = itertools.count()

    def run(self, searches: list[Search]) -> None:
        """Until the last one has ended."""
        for search in searches:
            self._at(search.asked, "asked", search)
        self._at(LOOK, "look", None)
        left = len(searches)
        while left:
            now, _, what, of = heapq.heappop(self.events)
            if what == "asked":
                assert isinstance(of, Search)
                self._go_on(of, now)
            elif what == "done":
                assert isinstance(of, Run)
                left -= self._done(of.step, of.turn, now)
            else:
                self._let_through(now)
                self._at(now + LOOK, "look", None)
            self._hand_out(now)

    def _at(self, when: float, what: str, of: object) -> None:
        heapq.heappush(self.events, (when, next(self._count), what, of))

    def _go_on(self, search: Search, now: float) -> bool:
        """The steps of its next phase; whether it has ended."""
        search.phase += 1
        if search.phase == len(PHASES):
            search.ended = now
            return True
        _, share, by_cell = PHASES[search.phase]
        work = share * search.size.seconds
        groups = self._groups(search.size) if by_cell else 2 if PHASES[search.phase][0] == "train" else 1
        each = TEACHER_SHARE * work + (1 - TEACHER_SHARE) * work / groups if by_cell else work / groups
        search.open = groups
        for _ in range(groups):
            self._queue(Step(search, each, now), now)
        return False

    def _groups(self, size: Size) -> int:
        free = self.gpus if self.split == "live" else max(1, len(self.idle))
        return min(size.cells, free)

    def _queue(self, step: Step, now: float) -> None:
        step.queued, step.turn = now, next(self._count)
        heapq.heappush(self.waiting["" if self.policy == "age" else step.search.key], (step.order, step))

    def _hand_out(self, now: float) -> None:
        while self.idle and (step := self._next()):
            step.gpu, step.started = self.idle.pop(), now
            step.search.began = step.search.began if step.search.began is not None else now
            self.running[step.gpu] = step
            self._at(now + HANDLING + step.left, "done", Run(step, step.turn))

    def _next(self) -> Step | None:
        keys = [key for key, heap in self.waiting.items() if heap]
        if not keys:
            return None
        key = min(keys, key=lambda key: (self.shares.of(key), self.waiting[key][0][0]))
        return heapq.heappop(self.waiting[key])[1]

    def _done(self, step: Step, turn: int, now: float) -> bool:
        """The end of a step; whether its search has ended. One that has yielded meanwhile did not end then."""
        if step.turn != turn:
            return False
        self._leave(step, now)
        step.search.open -= 1
        return step.search.open == 0 and self._go_on(step.search, now)

    def _leave(self, step: Step, now: float) -> None:
        del self.running[step.gpu]
        self.idle.append(step.gpu)
        self.worked += now - step.started
        self.shares.take(step.search.key, now - step.started, now)

    def _let_through(self, now: float) -> None:
        """Who has waited for long takes the place of who has had most, where that has still long to go."""
        if self.policy != "yield" or self.idle:
            return
        for key in sorted((key for key, heap in self.waiting.items() if heap), key=self.shares.of):
            step = self.waiting[key][0][1]
            if now - step.queued < PATIENCE:
                continue
            behind = [one for one in self.running.values() if self._gives_way(one, step, now)]
            if not behind:
                continue
            one = max(behind, key=lambda one: self.shares.of(one.search.key))
            self._leave(one, now)
            one.left -= max(0.0, now - one.started - HANDLING)
            self.yields += 1
            self._queue(one, now)
            self._hand_out(now)

    def _gives_way(self, running: Step, waiting: Step, now: float) -> bool:
        left = running.left - max(0.0, now - running.started - HANDLING)
        has_run = now - running.started > PATIENCE
        return (
            has_run and left > waiting.left and self.shares.of(running.search.key) > self.shares.of(waiting.search.key)
        )


def asked(searches: int, seed: int) -> Iterator[Search]:
    """Those of a day."""
    chance = random.Random(seed)
    times = sorted(chance.uniform(0, DAY) for _ in range(searches))
    sizes = chance.choices(SIZES, weights=[size.share for size in SIZES], k=searches)
    for number, (when, size) in enumerate(zip(times, sizes, strict=True)):
        yield Search(number, size, f"{size.name}-{chance.randrange(size.keys)}", when)


def simulate(gpus: int, searches: int, policy: str, split: str, seed: int) -> list[list[str]]:
    """Rows of the table: of each size how long searches waited for their first step, and for their end."""
    fleet, day = Fleet(gpus, policy, split), list(asked(searches, seed))
    fleet.run(day)
    end = max(search.ended or 0.0 for search in day)
    rows = []
    for size in SIZES:
        of_it = [search for search in day if search.size is size]
        waits = [(search.began or 0.0) - search.asked for search in of_it]
        takes = [(search.ended or 0.0) - search.asked for search in of_it]
        figures = [
            figure for times in (waits, takes) for figure in (statistics.median(times), _high(times), max(times))
        ]
        busy = f"{fleet.worked / (gpus * max(end, DAY)):.0%}" if size is SIZES[0] else ""
        yields = str(fleet.yields) if size is SIZES[0] else ""
        rows.append(
            [policy, split, size.name, str(len(of_it)), *(_minutes(figure) for figure in figures), busy, yields]
        )
    return rows


def _high(times: list[float]) -> float:
    return statistics.quantiles(times, n=100)[-1]


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.1f}"


def main(argv: list[str] | None = None) -> None:
    arguments = parse(argv)
    report.print_header("scaling", torch.device("cpu"))
    mean = sum(size.share * size.seconds for size in SIZES)
    print(f"{arguments.searches:,} searches in a day on {arguments.gpus} GPUs; work done once {mean:.0f} s a search: ")
    print(f"{arguments.searches * mean / (arguments.gpus * DAY):.0%} of what the GPUs have.\n")
    columns = [
        "order",
        "split over",
        "searches",
        "of them",
        "wait median, min",
        "p99",
        "longest",
        "until found median, min",
        "p99",
        "longest",
    ]
    rows = [
        row
        for policy in arguments.orders
        for split in arguments.splits
        for row in simulate(arguments.gpus, arguments.searches, policy, split, arguments.seed)
    ]
    report.print_table([*columns, "GPUs taken", "yields"], rows)


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("--gpus", type=int, default=64)
    parser.add_argument("--searches", type=int, default=10_000, help="in a day")
    parser.add_argument("--orders", nargs="+", choices=["age", "turns", "yield"], default=["age", "turns", "yield"])
    parser.add_argument("--splits", nargs="+", choices=["live", "idle"], default=["live", "idle"])
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(argv)


if __name__ == "__main__":
    main()
