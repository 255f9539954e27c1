"""Pictures of a finished run folder: losses over time, feature maps side by side, predicted loss against cost.

Each function draws one picture and writes it as SVG or PNG, by the name of the file. ``python -m dna_engine plot`` draws
one, the last step of a search draws all. They are the counterparts of figures 4, 5 and 2 of the paper.
"""

from __future__ import annotations

import json
import random
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter
from torch import Tensor

from dna_engine.blockwise.rate import load_cells
from dna_engine.blockwise.teacher import load_teacher
from dna_engine.disk import is_full
from dna_engine.errors import InvalidSpec
from dna_engine.events import Log, Metric, Progress, Result, parse_event
from dna_engine.plans import Step
from dna_engine.plans.files import METRICS, PICTURES, RATINGS, SELECTION, SPEC
from dna_engine.plans.results import PicturesDrawn
from dna_engine.runtime.context import Context
from dna_engine.select import Network, Problem, load_ratings
from dna_engine.space import OPS, CellRef, Op
from dna_engine.spec import ResolvedSpec
from dna_engine.training.splits import load_splits

#: Random networks shown behind the frontier.
CLOUD = 3000
#: Channels of a feature map that are shown: those in which the teacher's map varies most.
CHANNELS = 4

#: What everything has the colour of, the same in every picture.
ROLES = {"teacher": "#009988", "winner": "#cc3311", "control": "#222222", "frontier": "#0077bb", "budget": "#ee7733"}
CLOUD_COLOUR = "#cccccc"
#: Blocks are shades of a hue that is no role's, and the cells of a block are lines of different strokes.
SHADES = "Purples"
STROKES = ("-", "--", ":", "-.")

#: What each cost is called on an axis.
COSTS = {"flops": "multiply-adds", "params": "parameters", "latency_ns": "latency, ns"}

Series = Mapping[str, Sequence[tuple[float, float]]]


def draw(picture: str, run: Path, target: Path) -> None:
    """One of :data:`~dna_engine.plans.files.PICTURES`.

    Raises:
        InvalidSpec: the run has not come that far, or ``target`` is neither SVG nor PNG.
    """
    {"loss": plot_loss, "features": plot_features, "frontier": plot_frontier}[picture](run, target)


def run_step(spec: ResolvedSpec, step: Step, context: Context) -> Result:  # noqa: ARG001  The signature of all steps.
    """Draws every picture of a search that is otherwise finished. What keeps one from being drawn is logged, not raised, but for a full
    disk, which passes: the step is tried again.
    """
    drawn = {}
    for done, (picture, file) in enumerate(PICTURES.items()):
        context.reporter.emit(Progress(done=done, total=len(PICTURES), unit="pictures", parts=[picture]))
        try:
            draw(picture, context.run, context.run / file)
        except Exception as error:
            if is_full(error):
                raise
            reason = f"The picture {picture} could not be drawn: {type(error).__name__}: {error}"
            context.reporter.emit(Log(level="warning", message=reason))
        else:
            drawn[picture] = file
    context.reporter.emit(Progress(done=len(PICTURES), total=len(PICTURES), unit="pictures"))
    return PicturesDrawn(drawn=list(drawn)).result(list(drawn.values()))


# --- losses and accuracies over time


def plot_loss(run: Path, target: Path) -> None:
    """Training loss of every cell, and the test accuracy of the networks in training, over time.

    Raises:
        InvalidSpec: the run folder has no metrics.
    """
    draw_progress(read_series(run / METRICS), target)


def read_series(metrics: Path) -> dict[str, list[tuple[float, float]]]:
    """The metrics of a file of events by the name of their series. A step that was repeated shows its last values.

    Raises:
        InvalidSpec: there is no such file.
    """
    if not metrics.exists():
        raise InvalidSpec(f"{metrics} does not exist; a run by `python -m dna_engine run` leaves it.", param="run")
    found: dict[str, dict[float, float]] = {}
    for line in metrics.read_text().splitlines():
        event = parse_event(line)
        if isinstance(event, Metric):
            found.setdefault(event.series, {})[event.x] = event.y
    return {name: sorted(points.items()) for name, points in found.items()}


def draw_progress(series: Series, target: Path) -> None:
    """What :func:`plot_loss` shows, from series of points (x, y) as the engine names them."""
    figure = Figure(figsize=(10, 3.8), layout="constrained")
    losses, accuracies = figure.subplots(1, 2)
    _draw_losses(losses, {name.split("/")[1]: line for name, line in series.items() if name.startswith("distill/")})
    _draw_accuracies(
        accuracies, {part: series[f"train/{part}/accuracy"] for part in ROLES if f"train/{part}/accuracy" in series}
    )
    for panel in (losses, accuracies):
        if panel.lines:
            panel.legend(frameon=False, fontsize=8, ncols=2)
    save(figure, target)


def _draw_losses(panel: Axes, cells: Series) -> None:
    shades = mpl.colormaps[SHADES]
    blocks = max((CellRef.parse(cell).block for cell in cells), default=1)
    for cell, points in sorted(
        cells.items(), key=lambda item: (CellRef.parse(item[0]).block, CellRef.parse(item[0]).cell)
    ):
        ref = CellRef.parse(cell)
        colour, stroke = shades(1 - 0.6 * (ref.block - 1) / blocks), STROKES[(ref.cell - 1) % len(STROKES)]
        panel.plot(*zip(*points, strict=True), stroke, color=colour, lw=1.3, label=cell)
    panel.set(
        title="Distillation of every cell",
        xlabel="step",
        ylabel="distance to the teacher (training loss)",
        yscale="log",
    )
    panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panel.xaxis.set_major_formatter(SHORT)
    panel.yaxis.set_major_formatter("{x:g}")
    panel.yaxis.set_minor_formatter("{x:g}")


def _draw_accuracies(panel: Axes, networks: Series) -> None:
    """The last value of each line is what the network is reported with: a legend that says it hides no other line's."""
    for part, points in networks.items():
        label = f"{part}: {points[-1][1]:.1%}"
        panel.plot(*zip(*points, strict=True), marker=".", lw=1.4, color=ROLES[part], label=label)
    panel.set(title="Training of whole networks", xlabel="epoch", ylabel="test accuracy")
    panel.margins(y=0.1)
    panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panel.yaxis.set_major_formatter(PercentFormatter(1.0))


# --- predicted loss against cost


def plot_frontier(run: Path, target: Path, cost: str = "flops") -> None:
    """Networks of the space by cost and predicted loss: a random sample, the exact frontier, the winner, the control.

    Raises:
        InvalidSpec: the run has not come to its selection.
    """
    spec, selection = read_spec(run), _read(run, SELECTION)
    problem = Problem(load_ratings(run / RATINGS), spec.block_weights)
    figure = Figure(figsize=(6.5, 4.4), layout="constrained")
    panel = figure.subplots()
    cloud = [(network.costs[cost], network.loss) for network in sample(problem, CLOUD, spec.seed)]
    panel.plot(
        *zip(*cloud, strict=True), ".", color=CLOUD_COLOUR, ms=2, label=f"{CLOUD:,} random networks", rasterized=True
    )
    front = [(point[cost], point["loss"]) for point in selection["frontier"]]
    panel.step(*zip(*front, strict=True), where="post", color=ROLES["frontier"], lw=1.4, label="frontier")
    if limit := spec.budget.limits.get(cost):
        panel.axvline(limit, color=ROLES["budget"], lw=1.2, ls="--", label=f"budget: {short(limit)}")
    for name, marker, above in (("winner", "*", False), ("control", "X", True)):
        if name in selection:
            _mark(panel, name, (selection[name][cost], selection[name]["loss"]), marker, above=above)
    _name(panel, spec.dataset.name)
    panel.set(
        xlabel=f"{COSTS[cost]} of the network",
        ylabel="predicted loss (sum of block ratings)",
    )
    panel.xaxis.set_major_formatter(SHORT)
    panel.margins(y=0.1)
    panel.legend(frameon=False, fontsize=8)
    save(figure, target)


def _name(panel: Axes, dataset: str) -> None:
    """A title that is no wider than the picture, however long the dataset's name."""
    named = textwrap.wrap(f"Networks for {dataset}", width=64)
    panel.set_title("\n".join([*named, "the smaller the loss, the nearer to the teacher"]), fontsize=10)


def _mark(panel: Axes, name: str, place: tuple[float, float], marker: str, *, above: bool) -> None:
    """A network with its cost and loss beside it: towards the middle, and where its like leave room."""
    colour = ROLES[name]
    panel.plot(*place, marker, color=colour, mec="white", mew=0.6, ms=12 if marker == "*" else 8, label=name)
    left, right = panel.get_xlim()
    late = place[0] > (left + right) / 2
    panel.annotate(
        f"{name}: {short(place[0])}, loss {place[1]:.4g}",
        place,
        (-9 if late else 9, 5 if above else -5),
        textcoords="offset points",
        ha="right" if late else "left",
        va="bottom" if above else "top",
        fontsize=8,
        color=colour,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.8},
    )


def sample(problem: Problem, count: int, seed: int) -> Iterator[Network]:
    """Networks of the space, drawn uniformly."""
    rng = random.Random(f"picture/{seed}")
    paths = problem.ratings.space.paths_per_block
    for _ in range(count):
        yield problem.network([rng.randrange(number) for number in paths])


# --- feature maps


def plot_features(run: Path, target: Path, device: torch.device | None = None) -> None:
    """For one held-out image: the teacher's map after every block beside what the winner's path makes of it.

    Raises:
        InvalidSpec: the run has not come to its selection.
    """
    spec = read_spec(run)
    maps = block_maps(spec, run, _winner_paths(run), device or torch.device("cpu"))
    figure = Figure(figsize=(1.3 * (2 * CHANNELS + 1), 1.45 * len(maps) + 0.4), layout="constrained")
    panels = figure.subplots(len(maps), 2 * CHANNELS, squeeze=False)
    for block, (row, (teacher, student)) in enumerate(zip(panels, maps, strict=True), start=1):
        channels = _telling(teacher)
        low, high = teacher.min().item(), teacher.max().item()
        for place, channel in enumerate(channels):
            _show(row[place], teacher[channel], low, high)
            _show(row[CHANNELS + place], student[channel], low, high)
            row[place].set_title(f"teacher, {channel}", fontsize=7, color=ROLES["teacher"])
            row[CHANNELS + place].set_title(f"winner, {channel}", fontsize=7, color=ROLES["winner"])
        for panel in (*row[len(channels) : CHANNELS], *row[CHANNELS + len(channels) :]):
            panel.set_axis_off()
        row[0].set_ylabel(f"block {block}", fontsize=9)
    figure.suptitle(
        f"An image of {spec.dataset.name} that was held out: channels of the teacher, and what the winner's path makes of them",
        fontsize=10,
    )
    save(figure, target)


def _telling(map_: Tensor) -> list[int]:
    """The channels (of C, H, W) that vary most over the image, or are strongest where the map is a single pixel."""
    spread = map_.var((1, 2)) if map_[0].numel() > 1 else map_.abs().flatten()
    return [int(channel) for channel in spread.topk(min(CHANNELS, len(map_))).indices]


def block_maps(
    spec: ResolvedSpec, run: Path, paths: Mapping[CellRef, Sequence[Op]], device: torch.device
) -> list[tuple[Tensor, Tensor]]:
    """Per block the teacher's and the cell's map (C, H, W) of the first rating image, after a batch that sets the norms."""
    teacher = load_teacher(spec, run, device)
    cells = load_cells(spec, list(paths), run, teacher, device)
    images, _ = next(load_splits(spec, device).rate.ordered(spec.rating.batch_size))
    boundaries = range(len(paths) + 1)
    features = teacher.features(images, boundaries)
    found = []
    with torch.inference_mode():
        for ref, net in cells.items():
            output = net(features[ref.block - 1], paths[ref])
            found.append((features[ref.block][0].float().cpu(), output[0].float().cpu()))
    return found


def _winner_paths(run: Path) -> dict[CellRef, list[Op]]:
    architecture = _read(run, SELECTION)["winner"]["architecture"]
    return {
        CellRef(number, block["cell"]): [OPS[op] if isinstance(op, str) else Op(**op) for op in block["ops"]]
        for number, block in enumerate(architecture["blocks"], start=1)
    }


def _show(panel: Axes, pixels: Tensor, low: float, high: float) -> None:
    """A channel's map, on the scale of the block's teacher."""
    panel.imshow(pixels.numpy(), cmap="viridis", vmin=low, vmax=high, interpolation="nearest")
    panel.set(xticks=[], yticks=[])


# --- files and numbers


def short(value: float) -> str:
    """Three digits and a unit: 1.23M, 350k, 12."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= 0.9995 * size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"


#: The same along an axis.
SHORT = FuncFormatter(lambda value, _: short(value))


def read_spec(run: Path) -> ResolvedSpec:
    """The spec of a run folder.

    Raises:
        InvalidSpec: the folder is not a run.
    """
    return ResolvedSpec.model_validate(_read(run, SPEC))


def _read(run: Path, name: str) -> Any:
    path = run / name
    if not path.exists():
        raise InvalidSpec(f"{path} does not exist; the run has not come that far.", param="run")
    return json.loads(path.read_text())


def save(figure: Figure, target: Path) -> None:
    """Writes the picture; the same data gives the same bytes.

    Raises:
        InvalidSpec: the name of the file ends in neither .svg nor .png.
    """
    if target.suffix not in (".svg", ".png"):
        raise InvalidSpec(f"{target.name} must end in .svg or .png.", param="out")
    target.parent.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context({"svg.hashsalt": "dna", "svg.fonttype": "path"}):
        figure.savefig(target, dpi=150, metadata={"Date": None} if target.suffix == ".svg" else None)
