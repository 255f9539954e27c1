"""The tables and the picture of a finished ranking study."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from benchmarks.agreement import Interval, agreement, ceiling, difference, kendall_tau
from dna_engine.space.architecture import Architecture
from dna_engine.space.cost import architecture_cost

Floats = NDArray[np.float64]

BLUE, RED = "#4477aa", "#cc6677"


@dataclass(frozen=True)
class Outcome:
    """What was found on the networks that are trained with every seed.

    Attributes:
        groups: places of the networks over all costs, and of those in the band.
        steps: numbers of steps of the supernets, ascending.
        rated: ratings by name (DNA, SPOS, chained) and number of steps, lower is better, of shape (networks,).
        costs: ratings by name, lower is better: larger networks are taken to be better, so costs are negative.
        short: log-loss after a short training from inherited weights; of no network where none was asked for.
        truths: by start and measure, lower is better, of shape (seeds, networks).
        seconds: that each part took.
    """

    groups: dict[str, list[int]]
    steps: list[int]
    rated: dict[str, dict[int, Floats]]
    costs: dict[str, Floats]
    short: dict[str, Floats]
    truths: dict[str, dict[str, Floats]]
    flops: Floats
    teacher_accuracy: float
    seconds: dict[str, float]


def read(folder: Path, networks: Sequence[Architecture]) -> Outcome:
    """The result files of a study."""
    dna, spos = (json.loads((folder / name).read_text()) for name in ("dna.json", "spos.json"))
    chained = folder / "chained.json"
    rated = {"DNA": dna, "SPOS": spos} | ({"chained": json.loads(chained.read_text())} if chained.exists() else {})
    seeds = range(1, json.loads((folder / "settings.json").read_text())["seeds"] + 1)
    starts = {"scratch": "truth"} | ({"inherited": "inherited"} if (folder / "inherited").exists() else {})
    done = [
        number for number in range(len(networks)) if all(_done(folder, name, number, seeds) for name in starts.values())
    ]
    runs = {
        start: [
            [json.loads((folder / f"{name}/{number:03d}-{seed}.json").read_text()) for number in done] for seed in seeds
        ]
        for start, name in starts.items()
    }
    costs = [architecture_cost(networks[number]) for number in done]
    flops = np.array([cost.flops for cost in costs], dtype=np.float64)
    return Outcome(
        groups={
            "all costs": [place for place, number in enumerate(done) if number < len(networks) // 2],
            "band of 3%": [place for place, number in enumerate(done) if number >= len(networks) // 2],
        },
        steps=sorted(int(steps) for steps in dna["ratings"]),
        rated={
            name: {int(steps): np.array(ratings)[done] for steps, ratings in one["ratings"].items()}
            for name, one in rated.items()
        },
        costs={"flops": -flops, "params": -np.array([cost.params for cost in costs], dtype=np.float64)},
        short=_short(folder, done),
        truths={
            start: {
                "log-loss": np.array([[run["test_loss"] for run in row] for row in rows]),
                "error": np.array([[1 - run["test_accuracy"] for run in row] for row in rows]),
            }
            for start, rows in runs.items()
        },
        flops=flops,
        teacher_accuracy=dna["teacher_accuracy"],
        seconds={
            **{f"DNA, {int(steps):,} steps": value for steps, value in dna["seconds_by_steps"].items()},
            **{f"SPOS, {int(steps):,} steps": value for steps, value in spos["seconds_by_steps"].items()},
            "a network": float(np.mean([run["seconds"] for row in runs["scratch"] for run in row])),
        },
    )


def _done(folder: Path, name: str, number: int, seeds: Sequence[int]) -> bool:
    return all((folder / f"{name}/{number:03d}-{seed}.json").exists() for seed in seeds)


def _short(folder: Path, done: Sequence[int]) -> dict[str, Floats]:
    """By name, as other ratings are."""
    files = [folder / f"short/{number:03d}.json" for number in done]
    if not files or not all(file.exists() for file in files):
        return {}
    return {"short training": np.array([json.loads(file.read_text())["test_loss"] for file in files])}


def table(outcome: Outcome, start: str) -> str:
    """Tau of each rating with networks that began so, the ceiling and the differences, as a table in Markdown."""
    truths = outcome.truths[start]
    columns = [(group, measure) for measure in truths for group in outcome.groups]
    rows: dict[str, Callable[[str, str], Interval]] = {}

    def mean(group: str, measure: str) -> Floats:
        return np.asarray(_part(truths[measure], outcome, group).mean(0))

    def agrees(rating: Floats) -> Callable[[str, str], Interval]:
        return lambda group, measure: agreement(_part(rating, outcome, group), mean(group, measure))

    def differs(first: Floats, second: Floats) -> Callable[[str, str], Interval]:
        return lambda group, measure: difference(
            _part(first, outcome, group), _part(second, outcome, group), mean(group, measure)
        )

    for name, ratings in outcome.rated.items():
        rows |= {f"{name}, {steps:,} steps": agrees(ratings[steps]) for steps in outcome.steps}
    rows |= {name: agrees(rating) for name, rating in (outcome.short | outcome.costs).items()}
    rows["seed to seed (ceiling)"] = lambda group, measure: ceiling(
        [_part(run, outcome, group) for run in truths[measure]]
    )
    dna, flops = outcome.rated["DNA"], dict.fromkeys(outcome.steps, outcome.costs["flops"])
    for other, ratings in (("SPOS", outcome.rated["SPOS"]), ("flops", flops)):
        rows |= {f"DNA minus {other}, {steps:,} steps": differs(dna[steps], ratings[steps]) for steps in outcome.steps}
    rows |= {
        f"{name} minus DNA, {outcome.steps[-1]:,} steps": differs(rating, dna[outcome.steps[-1]])
        for name, rating in outcome.short.items()
    }
    lines = [f"| Kendall tau, {start} | " + " | ".join(f"{measure}, {group}" for group, measure in columns) + " |"]
    lines.append("|---" * (len(columns) + 1) + "|")
    lines += [
        f"| {name} | " + " | ".join(str(cell(*column)) for column in columns) + " |" for name, cell in rows.items()
    ]
    return "\n".join(lines)


def spread(outcome: Outcome) -> str:
    """How far the trained networks lie apart, and how far two trainings of one network do."""
    lines = [
        "| trained networks | lowest | highest | deviation between networks | deviation between seeds |",
        "|---" * 5 + "|",
    ]
    named = [
        (f"{start}: {measure}", runs) for start, truths in outcome.truths.items() for measure, runs in truths.items()
    ]
    for (measure, runs), group in itertools.product(named, outcome.groups):
        inside = _part(runs, outcome, group)
        mean, noise = inside.mean(0), float(np.sqrt(inside.var(0, ddof=1).mean()))
        values = (float(mean.min()), float(mean.max()), float(mean.std(ddof=1)), noise)
        lines.append(f"| {measure}, {group} | " + " | ".join(f"{value:.4f}" for value in values) + " |")
    return "\n".join(lines)


def stability(outcome: Outcome) -> str:
    """How far ratings of shorter trainings agree with those of the longest: what is left to chance, not to the method."""
    last = outcome.steps[-1]
    columns = [(name, group) for name in ("DNA", "SPOS") for group in outcome.groups]
    lines = [
        f"| tau with the ratings at {last:,} steps | "
        + " | ".join(f"{name}, {group}" for name, group in columns)
        + " |",
        "|---" * (len(columns) + 1) + "|",
    ]
    for steps in outcome.steps[:-1]:
        taus = []
        for name, group in columns:
            ratings = outcome.rated[name]
            taus.append(kendall_tau(_part(ratings[steps], outcome, group), _part(ratings[last], outcome, group)))
        lines.append(f"| {steps:,} steps | " + " | ".join(f"{tau:+.2f}" for tau in taus) + " |")
    return "\n".join(lines)


def _part(values: Floats, outcome: Outcome, group: str) -> Floats:
    return values[..., outcome.groups[group]]


def draw(outcome: Outcome, path: Path) -> None:
    """Ratings of the longest trainings against the trained log-loss; whiskers span the seeds. Last, tau by steps in the band."""
    losses, last = outcome.truths["scratch"]["log-loss"], outcome.steps[-1]
    mean, low, high = losses.mean(0), losses.min(0), losses.max(0)
    figure = Figure(figsize=(14, 3.6), layout="constrained")
    panels = figure.subplots(1, 4)
    sides = {
        f"DNA rating (sum of blocks), {last:,} steps": outcome.rated["DNA"][last],
        f"SPOS rating (held-out log-loss), {last:,} steps": outcome.rated["SPOS"][last],
        "flops (millions)": outcome.flops / 1e6,
    }
    for panel, (label, values) in zip(panels[:3], sides.items(), strict=True):
        for (group, part), colour in zip(outcome.groups.items(), (BLUE, RED), strict=True):
            whiskers = np.array([mean[part] - low[part], high[part] - mean[part]])
            panel.errorbar(values[part], mean[part], whiskers, fmt="o", ms=4, lw=0.8, color=colour, label=group)
        panel.set_xlabel(label)
        panel.set_ylabel("log-loss of the trained network")
    panels[0].legend(frameon=False)
    _draw_by_steps(outcome, panels[3])
    with mpl.rc_context({"svg.hashsalt": "ranking"}):
        figure.savefig(path.with_suffix(".svg"), metadata={"Date": None})
    figure.savefig(path.with_suffix(".png"), dpi=150)


def _draw_by_steps(outcome: Outcome, panel: Axes) -> None:
    band = list(outcome.groups)[-1]
    losses = outcome.truths["scratch"]["log-loss"]
    truth = _part(losses, outcome, band).mean(0)
    for name, colour in (("DNA", BLUE), ("SPOS", RED)):
        ratings = outcome.rated[name]
        taus = [agreement(_part(ratings[steps], outcome, band), truth) for steps in outcome.steps]
        values = np.array([tau.value for tau in taus])
        whiskers = np.array([[tau.value - tau.low for tau in taus], [tau.high - tau.value for tau in taus]])
        panel.errorbar(outcome.steps, values, whiskers, marker="o", ms=4, lw=1.2, capsize=3, color=colour, label=name)
    most = ceiling([_part(run, outcome, band) for run in losses]).value
    panel.axhline(most, color="black", lw=0.8, ls=":", label="seed to seed")
    panel.set(xscale="log", xlabel="steps of the supernets", ylabel=f"Kendall tau, {band}")
    panel.legend(frameon=False)


def write(folder: Path, networks: Sequence[Architecture], *, teacher_name: str) -> None:
    """Prints the result and leaves ``result.md``, ``ranking.svg`` and ``ranking.png`` in the study's folder."""
    outcome = read(folder, networks)
    sizes = ", ".join(f"{len(places)} in {name}" for name, places in outcome.groups.items())
    low, high = outcome.flops.min() / 1e6, outcome.flops.max() / 1e6
    took = ", ".join(f"{name} {value:,.0f}" for name, value in outcome.seconds.items())
    text = "\n\n".join(
        [
            f"{len(outcome.flops)} of {len(networks)} networks are trained with every seed ({sizes}), of {low:.2f} to "
            f"{high:.2f} million flops. Settings: {(folder / 'settings.json').read_text()}",
            f"Teacher {teacher_name}: {outcome.teacher_accuracy:.4f} on the test images. Seconds: {took}.",
            *(table(outcome, start) for start in outcome.truths),
            stability(outcome),
            spread(outcome),
        ]
    )
    (folder / "result.md").write_text(text + "\n")
    draw(outcome, folder / "ranking")
    print(text)
