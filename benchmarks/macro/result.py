"""The tables of a study: how far each rating agrees with the truth, and how far below the best it picks."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from benchmarks import report
from benchmarks.agreement import Floats, Rated, ceiling, mean_agreement, mean_difference
from benchmarks.macro.short import ShortTrainings, finalists, sample
from benchmarks.macro.space import networks
from benchmarks.macro.study import Study
from benchmarks.macro.truth import QUANTILES, Places, Truth, regret

Rows = Iterator[list[str]]
#: Differences that are shown, of ratings of the same length.
PAIRS = (("additive", "spos"), ("chained", "spos"), ("chained", "additive"))


@dataclass(frozen=True)
class Result:
    """A study beside the truth.

    Attributes:
        seeds, steps: of the teachers and lengths that are shown.
        sampled, finalists: networks that were to be trained shortly: drawn, and for each budget.
        weights: of the blocks, by which the additive rating is shown too.
    """

    study: Study
    truth: Truth
    seeds: Sequence[int]
    steps: Sequence[int]
    sampled: int
    finalists: int
    weights: Sequence[Sequence[float]] = ()

    @cached_property
    def scored(self) -> dict[tuple[int, int], dict[str, Floats]]:
        """By teacher and length, the scores of the truth's networks."""
        return {
            (seed, steps): self.truth.of(
                self.study.scored(seed, steps)
                | {name: score for w in self.weights for name, score in self.study.weighted(seed, steps, w).items()}
            )
            for seed in self.seeds
            for steps in self.steps
        }

    @cached_property
    def ratings(self) -> dict[str, Floats]:
        """By name, lower is better: more of anything is taken to be better."""
        supernets = {
            self._label(kind, seed, steps): rating
            for (seed, steps), kinds in self.scored.items()
            for kind, rating in kinds.items()
        }
        truth = self.truth
        return supernets | {"flops": -truth.flops, "params": -truth.params, "kernels of 5": -truth.large_kernels}

    def _label(self, kind: str, seed: int, steps: int) -> str:
        teacher = f", teacher {seed}" if len(self.seeds) > 1 and kind != "spos" else ""
        return f"{kind.replace('spos', 'SPOS')}, {steps:,} steps{teacher}"

    # --- agreement

    @cached_property
    def columns(self) -> dict[str, list[Places]]:
        """Groups of networks whose mean tau a column shows."""
        bands = {
            f"band at {at:g}": self.truth.band(budget) for at, budget in zip(QUANTILES, self.truth.budgets, strict=True)
        }
        everything = {"all": [np.arange(len(self.truth.names))]}
        return everything | {name: [band] for name, band in bands.items()} | {"mean of bands": list(bands.values())}

    def _rated(self, rating: Floats, groups: Sequence[Places]) -> list[Rated]:
        return [(rating[places], -self.truth.mean[places]) for places in groups]

    def agreement_rows(self) -> Rows:
        columns = self.columns.values()
        yield ["networks", *(str(len(groups[0])) if len(groups) == 1 else "" for groups in columns)]
        for name, rating in self.ratings.items():
            yield [name, *(str(mean_agreement(self._rated(rating, groups))) for groups in columns)]
        if len(self.truth.accuracy) > 1:
            yield ["training to training", *(self._ceiling(groups) for groups in columns)]
        for name, first, second in self._pairs():
            yield [
                name,
                *(str(mean_difference(self._rated(first, groups), self._rated(second, groups))) for groups in columns),
            ]

    def _ceiling(self, groups: Sequence[Places]) -> str:
        found = [ceiling(list(self.truth.accuracy[:, places])) for places in groups]
        return str(found[0]) if len(found) == 1 else f"{np.mean([one.value for one in found]):+.2f}"

    def _pairs(self) -> Iterator[tuple[str, Floats, Floats]]:
        for (seed, steps), kinds in self.scored.items():
            weighted = [(name, "additive") for name in kinds if ":" in name]
            for first, second in (*PAIRS, *weighted):
                if first in kinds and second in kinds:
                    yield self._label(f"{first} minus {second}", seed, steps), kinds[first], kinds[second]

    # --- regret

    def regret_rows(self) -> Rows:
        truth = self.truth
        fits = [truth.within(budget) for budget in truth.budgets]
        yield ["flops, million", *(f"{budget / 1e6:.1f}" for budget in truth.budgets), ""]
        yield ["accuracy of the best", *(f"{truth.mean[fit].max():.2f}" for fit in fits), ""]
        for name, rating in self.ratings.items():
            if name not in ("params", "kernels of 5"):
                found = [regret(rating[fit], truth.mean[fit]) for fit in fits]
                title = "the most expensive" if name == "flops" else name
                mean = f"{np.mean([one.value for one in found]):.2f}"
                yield [title, *(f"{one.value:.2f} [{one.low:.2f}, {one.high:.2f}]" for one in found), mean]
        chance = [self._of_chance(budget) for budget in truth.budgets]
        yield ["random, of that cost", *(f"{value:.2f}" for value in chance), f"{np.mean(chance):.2f}"]
        yield from self._finalists_rows()

    def _of_chance(self, budget: float) -> float:
        mean = self.truth.mean
        return float(mean[self.truth.within(budget)].max() - mean[self.truth.of_that_cost(budget)].mean())

    def _finalists_rows(self) -> Rows:
        for seed, steps in self.scored:
            for by_chaining in (False, True):
                found = [self._of_finalists(seed, steps, budget, by_chaining) for budget in self.truth.budgets]
                if any(value is not None for value in found):
                    name = self._label("finalists" + ", chained" * by_chaining, seed, steps)
                    yield [name, *("not trained" if value is None else f"{value:.2f}" for value in found), ""]

    def _of_finalists(self, seed: int, steps: int, budget: float, by_chaining: bool) -> float | None:
        """Regret of the finalist with the least log-loss after its short training; None where one is not trained."""
        scored = self.scored[seed, steps]
        if not {"additive", "chained"} <= scored.keys():
            return None
        losses = ShortTrainings(self.study, seed, steps).log_losses()
        names = finalists(self.truth, scored, budget, self.finalists, by_chaining=by_chaining)
        if not names or not set(names) <= losses.keys():
            return None
        picked = self.truth.names.index(min(names, key=losses.__getitem__))
        return float(self.truth.mean[self.truth.within(budget)].max() - self.truth.mean[picked])

    # --- short trainings

    def short_rows(self) -> Rows:
        """On the drawn networks that were trained."""
        for seed, steps in self.scored:
            losses = ShortTrainings(self.study, seed, steps).log_losses()
            drawn = [name for name in sample(self.truth, self.sampled) if name in losses]
            if len(drawn) > 2:
                places = np.array([self.truth.names.index(name) for name in drawn])
                short = np.full(len(self.truth.names), np.nan)
                short[places] = [losses[name] for name in drawn]
                yield from self._short_rows(self._label("short training", seed, steps), short, places)

    def _short_rows(self, name: str, short: Floats, places: Places) -> Rows:
        first = self._rated(short, [places])
        yield [name, str(len(places)), str(mean_agreement(first)), ""]
        for other, rating in self.ratings.items():
            second = self._rated(rating, [places])
            yield [other, "", str(mean_agreement(second)), str(mean_difference(first, second))]

    # --- all of it

    def show(self) -> None:
        """Prints the tables."""
        print(
            f"Costs by formula differ from the truth's in {len(self.truth.disagreeing)} of {len(self.truth.names)} networks."
        )
        print("\nKendall's tau with the mean accuracy:\n")
        report.print_table(["rating", *self.columns], self.agreement_rows())
        print("Regret in points of accuracy, for a budget at each quantile of flops:\n")
        report.print_table(["what picks", *(f"{at:g}" for at in QUANTILES), "mean"], self.regret_rows())
        print("Short trainings of networks drawn from all:\n")
        report.print_table(["rating", "networks", "tau", "short training minus it"], self.short_rows())


def write_scores(study: Study, seed: int, steps: int) -> None:
    """``scores.csv`` of one teacher and length, of all networks of the space."""
    scored = study.scored(seed, steps)
    with (study.folder / "scores.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["network", *scored])
        for name, *values in zip(networks(), *scored.values(), strict=True):
            writer.writerow([name, *(f"{value:.6f}" for value in values)])
