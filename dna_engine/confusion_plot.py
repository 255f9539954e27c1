"""The picture of a confusion matrix."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from dna_engine.by_class import Confusion
from dna_engine.plots import save

#: Classes up to which each cell has its number of images, and up to which each row and column has its name.
COUNTED, NAMED = 20, 60
#: Characters of a name that are shown.
SHORT = 18


def plot_confusion(confusion: Confusion, title: str, target: Path) -> None:
    """Test images by class (rows) and answer (columns): the darker, the larger the share of its class. A rare class shows as a common one.

    Raises:
        InvalidSpec: the name of the file ends in neither .svg nor .png.
    """
    counts = np.array(confusion.matrix)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = min(11.0, 3.2 + 0.3 * len(counts))
    figure = Figure(figsize=(side + 1, side), layout="constrained")
    panel = figure.subplots()
    shown = panel.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(shown, ax=panel, shrink=0.7, format=PercentFormatter(1.0), label="share of the images of the class")
    panel.set(xlabel="answer", ylabel="class")
    panel.set_title("\n".join(textwrap.wrap(title, width=int(9 * side))), fontsize=10)
    if len(counts) <= NAMED:
        _name(panel, [name if len(name) <= SHORT else f"{name[: SHORT - 3]}..." for name in confusion.classes])
    if len(counts) <= COUNTED:
        for (row, column), images in np.ndenumerate(counts):
            colour = "white" if shares[row, column] > 0.5 else "black"
            panel.text(column, row, f"{images:,}", ha="center", va="center", fontsize=7, color=colour)
    save(figure, target)


def _name(panel: Axes, names: list[str]) -> None:
    """The names are text: a dollar begins no formula."""
    escaped = [name.replace("$", r"\$") for name in names]
    panel.set_xticks(range(len(names)), escaped, rotation=90, fontsize=7)
    panel.set_yticks(range(len(names)), escaped, fontsize=7)
