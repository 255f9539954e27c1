"""The tables and the picture of a finished ranking study."""

from __future__ import annotations

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
        dna: ratings by number of steps, lower is better, of shape (networks,).
        spos: likewise.
        costs: ratings by name, lower is better: larger networks are taken to be better, so costs are negative.
        truths: by measure, lower is better, of shape (seeds, networks).
        seconds: that each part took.
    """

    groups: dict[str, list[int]]
    steps: list[int]
    dna: dict[int, Floats]
    spos: dict[int, Floats]
    costs: dict[str, Floats]
    truths: dict[str, Floats]
    flops: Floats
    teacher_accuracy: float
    seconds: dict[str, float]


def read(folder: Path, networks: Sequence[Architecture]) -> Outcome:
    """The result files of a study."""
    dna, spos = (json.loads((folder / name).read_text()) for name in ("dna.json", "spos.json"))
    seeds = range(1, json.loads((folder / "settings.json").read_text())["seeds"] + 1)
    files = [[folder / f"truth/{number:03d}-{seed}.json" for seed in seeds] for number in range(len(networks))]
    done = [number for number, paths in enumerate(files) if all(path.exists() for path in paths)]
    runs = [[json.loads(files[number][seed - 1].read_text()) for number in done] for seed in seeds]
    costs = [architecture_cost(networks[number]) for number in done]
    flops = np.array([cost.flops for cost in costs], dtype=np.float64)
    return Outcome(
        groups={
            "all costs": [place for place, number in enumerate(done) if number < len(networks) // 2],
            "band of 3%": [place for place, number in enumerate(done) if number >= len(networks) // 2],
        },
        steps=sorted(int(steps) for steps in dna["ratings"]),
        dna={int(steps): np.array(ratings)[done] for steps, ratings in dna["ratings"].items()},
        spos={int(steps): np.array(ratings)[done] for steps, ratings in spos["ratings"].items()},
        costs={"flops": -flops, "params": -np.array([cost.params for cost in costs], dtype=np.float64)},
        truths={
            "log-loss": np.array([[run["test_loss"] for run in row] for row in runs]),
            "error": np.array([[1 - run["test_accuracy"] for run in row] for row in runs]),
        },
        flops=flops,
        teacher_accuracy=dna["teacher_accuracy"],
        seconds={
            **{f"DNA, {int(steps):,} steps": value for steps, value in dna["seconds_by_steps"].items()},
            **{f"SPOS, {int(steps):,} steps": value for steps, value in spos["seconds_by_steps"].items()},
            "a network": float(np.mean([run["seconds"] for row in runs for run in row])),
        },
    )


def table(outcome: Outcome) -> str:
    """Tau of each rating, the ceiling and the differences, as a table in Markdown."""
    columns = [(group, measure) for measure in outcome.truths for group in outcome.groups]
    rows: dict[str, Callable[[str, str], Interval]] = {}

    def agrees(rating: Floats) -> Callable[[str, str], Interval]:
        return lambda group, measure: agreement(_part(rating, outcome, group), _mean(outcome, group, measure))

    def differs(first: Floats, second: Floats) -> Callable[[str, str], Interval]:
        return lambda group, measure: difference(
            _part(first, outcome, group), _part(second, outcome, group), _mean(outcome, group, measure)
        )

    for name, ratings in (("DNA", outcome.dna), ("SPOS", outcome.spos)):
        rows |= {f"{name}, {steps:,} steps": agrees(ratings[steps]) for steps in outcome.steps}
    rows |= {name: agrees(rating) for name, rating in outcome.costs.items()}
    rows["seed to seed (ceiling)"] = lambda group, measure: ceiling(
        [_part(run, outcome, group) for run in outcome.truths[measure]]
    )
    for other, ratings in (("SPOS", outcome.spos), ("flops", dict.fromkeys(outcome.steps, outcome.costs["flops"]))):
        rows |= {
            f"DNA minus {other}, {steps:,} steps": differs(outcome.dna[steps], ratings[steps])
            for steps in outcome.steps
        }
    lines = ["| Kendall tau | " + " | ".join(f"{measure}, {group}" for group, measure in columns) + " |"]
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
    for measure, runs in outcome.truths.items():
        for group in outcome.groups:
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
            ratings = outcome.dna if name == "DNA" else outcome.spos
            taus.append(kendall_tau(_part(ratings[steps], outcome, group), _part(ratings[last], outcome, group)))
        lines.append(f"| {steps:,} steps | " + " | ".join(f"{tau:+.2f}" for tau in taus) + " |")
    return "\n".join(lines)


def _part(values: Floats, outcome: Outcome, group: str) -> Floats:
    return values[..., outcome.groups[group]]


def _mean(outcome: Outcome, group: str, measure: str) -> Floats:
    return np.asarray(_part(outcome.truths[measure], outcome, group).mean(0))


def draw(outcome: Outcome, path: Path) -> None:
    """Ratings of the longest trainings against the trained log-loss; whiskers span the seeds. Last, tau by steps in the band."""
    losses, last = outcome.truths["log-loss"], outcome.steps[-1]
    mean, low, high = losses.mean(0), losses.min(0), losses.max(0)
    figure = Figure(figsize=(14, 3.6), layout="constrained")
    panels = figure.subplots(1, 4)
    sides = {
        f"DNA rating (sum of blocks), {last:,} steps": outcome.dna[last],
        f"SPOS rating (held-out log-loss), {last:,} steps": outcome.spos[last],
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
    truth = _mean(outcome, band, "log-loss")
    for name, ratings, colour in (("DNA", outcome.dna, BLUE), ("SPOS", outcome.spos, RED)):
        taus = [agreement(_part(ratings[steps], outcome, band), truth) for steps in outcome.steps]
        values = np.array([tau.value for tau in taus])
        whiskers = np.array([[tau.value - tau.low for tau in taus], [tau.high - tau.value for tau in taus]])
        panel.errorbar(outcome.steps, values, whiskers, marker="o", ms=4, lw=1.2, capsize=3, color=colour, label=name)
    most = ceiling([_part(run, outcome, band) for run in outcome.truths["log-loss"]]).value
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
            table(outcome),
            stability(outcome),
            spread(outcome),
        ]
    )
    (folder / "result.md").write_text(text + "\n")
    draw(outcome, folder / "ranking")
    print(text)
