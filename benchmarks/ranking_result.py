"""The tables and the picture of a finished ranking study."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dna_engine.architecture import Architecture
from dna_engine.cost import architecture_cost
from dna_engine.ranking import Interval, agreement, ceiling, difference

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """What was found on the networks that are trained with every seed.

    Attributes:
        groups: places of the networks over all costs, and of those in the band.
        ratings: by name, lower is better, of shape (networks,).
        truths: by measure, lower is better, of shape (seeds, networks).
        seconds: that each part took.
    """

    groups: dict[str, list[int]]
    ratings: dict[str, Floats]
    truths: dict[str, Floats]
    flops: Floats
    teacher_accuracy: float
    seconds: dict[str, float]


def read(folder: Path, networks: Sequence[Architecture]) -> Outcome:
    """The result files of a study. Larger networks are taken to be better, so costs are rated by their negative."""
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
        ratings={
            "DNA": np.array(dna["ratings"])[done],
            "SPOS": np.array(spos["ratings"])[done],
            "flops": -flops,
            "params": -np.array([cost.params for cost in costs], dtype=np.float64),
        },
        truths={
            "log-loss": np.array([[run["test_loss"] for run in row] for row in runs]),
            "accuracy": np.array([[1 - run["test_accuracy"] for run in row] for row in runs]),
        },
        flops=flops,
        teacher_accuracy=dna["teacher_accuracy"],
        seconds={
            "DNA with its teacher": dna["seconds"],
            "SPOS": spos["seconds"],
            "a network": float(np.mean([run["seconds"] for row in runs for run in row])),
        },
    )


def table(outcome: Outcome) -> str:
    """Tau of each rating, the ceiling and the differences, as a table in Markdown."""
    columns = [(group, measure) for measure in outcome.truths for group in outcome.groups]
    rows: dict[str, Callable[[str, str], Interval]] = {}
    for name in outcome.ratings:
        rows[name] = lambda group, measure, name=name: agreement(  # type: ignore[misc]
            _part(outcome.ratings[name], outcome, group), _mean(outcome, group, measure)
        )
    rows["seed to seed (ceiling)"] = lambda group, measure: ceiling(
        [_part(run, outcome, group) for run in outcome.truths[measure]]
    )
    for other in ("SPOS", "flops"):
        rows[f"DNA minus {other}"] = lambda group, measure, other=other: difference(  # type: ignore[misc]
            _part(outcome.ratings["DNA"], outcome, group),
            _part(outcome.ratings[other], outcome, group),
            _mean(outcome, group, measure),
        )
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
            name = "error" if measure == "accuracy" else measure
            lines.append(f"| {name}, {group} | " + " | ".join(f"{value:.4f}" for value in values) + " |")
    return "\n".join(lines)


def _part(values: Floats, outcome: Outcome, group: str) -> Floats:
    return values[..., outcome.groups[group]]


def _mean(outcome: Outcome, group: str, measure: str) -> Floats:
    return np.asarray(_part(outcome.truths[measure], outcome, group).mean(0))


def draw(outcome: Outcome, path: Path) -> None:
    """Ratings against the trained log-loss, one panel each; whiskers span the seeds."""
    losses = outcome.truths["log-loss"]
    mean, low, high = losses.mean(0), losses.min(0), losses.max(0)
    figure = Figure(figsize=(12, 3.6), layout="constrained")
    panels = figure.subplots(1, 4, sharey=True)
    sides = {
        "DNA rating (sum of blocks)": outcome.ratings["DNA"],
        "SPOS rating (held-out log-loss)": outcome.ratings["SPOS"],
        "flops (millions)": outcome.flops / 1e6,
        "params (thousands)": -outcome.ratings["params"] / 1e3,
    }
    for panel, (label, values) in zip(panels, sides.items(), strict=True):
        for (group, part), colour in zip(outcome.groups.items(), ("#4477aa", "#cc6677"), strict=True):
            whiskers = np.array([mean[part] - low[part], high[part] - mean[part]])
            panel.errorbar(values[part], mean[part], whiskers, fmt="o", ms=4, lw=0.8, color=colour, label=group)
        panel.set_xlabel(label)
    panels[0].set_ylabel("log-loss of the trained network")
    panels[0].legend(frameon=False)
    with mpl.rc_context({"svg.hashsalt": "ranking"}):
        figure.savefig(path.with_suffix(".svg"), metadata={"Date": None})
    figure.savefig(path.with_suffix(".png"), dpi=150)


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
            spread(outcome),
        ]
    )
    (folder / "result.md").write_text(text + "\n")
    draw(outcome, folder / "ranking")
    print(text)
