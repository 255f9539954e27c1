"""The engine's command line. ``space``, ``describe`` and ``select`` load no torch and answer at once."""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from dna_engine import console
from dna_engine.errors import DataError, EngineError, InvalidSpec
from dna_engine.events import Failure, Reporter
from dna_engine.given import of_run
from dna_engine.images.info import Arrangement
from dna_engine.jsonfile import read_object
from dna_engine.plans import Step
from dna_engine.plans.files import LATENCY, PICTURES, SPEC
from dna_engine.space import parse_space
from dna_engine.space.architecture import Architecture, published
from dna_engine.space.figures import network_figures, space_figures
from dna_engine.spec import Budget, ResolvedSpec, SearchSpec, parse_job, resolve

M = TypeVar("M", bound=BaseModel)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns what the process exits with."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], None] = options.command
    try:
        command(options)
    except EngineError as error:
        _report(error, options)
        return error.exit_code
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m dna_engine", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = _command(commands, "run", _run, "a whole search in one folder; goes on where it was interrupted")
    run.add_argument("spec", type=Path, help="the search as JSON; only dataset is required")
    run.add_argument("--out", type=Path, required=True, help="the run folder")
    run.add_argument(
        "--layout",
        choices=get_args(Arrangement),
        default="auto",
        help="classes: the folders at the dataset's top are its classes",
    )
    run.add_argument("--device", help="cpu or cuda:0; default: a GPU where there is one")

    step = _command(commands, "step", _step, "one step of a search; prints one event as JSON on each line")
    step.add_argument("step", type=Path, help="the step as JSON")
    step.add_argument("--run", type=Path, required=True, help="the run folder, with spec.json and the step's inputs")
    step.add_argument("--device", help="cpu or cuda:0; default: a GPU where there is one")
    step.add_argument("--watch-stdin", action="store_true", help="exit at once when standard input ends")

    serve = _command(commands, "serve", _serve, "steps as orders on standard input tell, until it ends")
    serve.add_argument("--device", help="cpu or cuda:0; default: a GPU where there is one")
    serve.add_argument(
        "--patience", type=float, help="exit when nothing, not even an empty line, was heard for so many seconds"
    )

    check = _command(
        commands, "check", _check, "looks at every picture of a folder or an archive, and says what there is"
    )
    check.add_argument("images", type=Path, help="a folder of class folders, or a zip or tar of them")
    check.add_argument("--layout", help="classes: the folders at the top are the classes, whatever they are called")
    check.add_argument("--encoding", help="of names in an archive that do not say theirs, such as cp932 or gb18030")

    space = _command(commands, "space", _space, "counts a space and the range of its costs")
    space.add_argument("space", help="a preset, or a JSON file that describes a space")
    space.add_argument("--classes", type=int, default=1000, help="classes of the classifier")

    describe = _command(commands, "describe", _describe, "what a network costs, layer by layer")
    describe.add_argument("network", help="dna-a to dna-d, or an architecture.json")

    for taking_input in (space, describe):
        taking_input.add_argument(
            "--input", type=int, help="side of the input in pixels; default 224, or the file's own"
        )

    select = _command(commands, "select", _select, "the best networks within a budget, from a ratings file")
    select.add_argument("ratings", type=Path)
    select.add_argument("--flops", type=_whole, help="most multiply-adds, e.g. 350e6")
    select.add_argument("--params", type=_whole, help="most parameters")
    select.add_argument("--latency-ms", type=float, help="most milliseconds by the latency table")
    select.add_argument("--latency-table", type=Path, help="a latency.json; default: the one beside the ratings")
    select.add_argument("--top-k", type=int, default=1, help="how many networks")
    select.add_argument("--min-distance", type=int, default=1, help="layers in which any two of them differ at least")

    plot = _command(commands, "plot", _plot, "a picture of a run folder, as SVG or PNG")
    plot.add_argument("picture", choices=tuple(PICTURES))
    plot.add_argument("run", type=Path, help="the run folder of a finished search")
    plot.add_argument("--out", type=Path, help="a .svg or .png file; default: pictures/PICTURE.svg in the run folder")

    teachers = _command(commands, "teachers", _teachers, "the models that can supervise, with their blocks")
    teachers.add_argument("--write", action="store_true", help="describe them anew, into catalogue.json")
    teachers.add_argument("--markdown", action="store_true", help="as the table of docs/teachers.md")
    return parser


def _command(
    commands: Any, name: str, command: Callable[[argparse.Namespace], None], description: str
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=description, description=description)
    parser.set_defaults(command=command, json=False)
    if name not in ("step", "serve"):  # Their standard output is JSON already.
        parser.add_argument("--json", action="store_true", help="JSON on standard output, errors too")
    return parser


# --- commands that need torch


def _run(options: argparse.Namespace) -> None:
    with _loading_torch():
        from dna_engine import pipeline
        from dna_engine.runtime import context

    spec = _resolved(read_object(options.spec, InvalidSpec), options.layout)
    stop = context.stop_on_signals()
    device = context.choose_device(options.device)
    context.prepare(device)
    reporter = Reporter(sys.stderr) if options.json else console.ConsoleReporter()
    summary = pipeline.run(spec, context.Context(options.out, device, reporter, stop))
    _print(summary, console.summary_lines(summary), options)


def _step(options: argparse.Namespace) -> None:
    with _loading_torch():
        from dna_engine import pipeline
        from dna_engine.runtime import context

    if options.watch_stdin:
        context.exit_with_stdin()
    stop = context.stop_on_signals()
    reporter = Reporter()
    try:
        spec = _valid(parse_job, read_object(options.run / SPEC, InvalidSpec))
        step = _valid(Step.model_validate, read_object(options.step, InvalidSpec))
        device = context.choose_device(options.device)
        context.prepare(device)
        reporter.emit(pipeline.run_step(spec, step, context.Context(options.run, device, reporter, stop)))
    except EngineError as error:
        reporter.emit(Failure(error=error.to_dict()))
        raise


def _serve(options: argparse.Namespace) -> None:
    with _loading_torch():
        from dna_engine.serve import serve

    serve(options.device, Reporter(), sys.stdin, patience=options.patience)


def _check(options: argparse.Namespace) -> None:
    from dna_engine.checking import check_here  # Pillow and numpy
    from dna_engine.images.layout.reading import Reading

    said = {name: value for name in ("layout", "encoding") if (value := getattr(options, name))}
    reporter = Reporter(sys.stderr) if options.json else console.ConsoleReporter()
    report = check_here(options.images, reporter, _valid(Reading.model_validate, said))
    _print(report.model_dump(mode="json"), console.report_lines(report), options)
    if report.errors:
        raise DataError(f"{options.images} cannot be used as a dataset as it is: {report.errors[0].sentence}")


def _plot(options: argparse.Namespace) -> None:
    from dna_engine import plots  # torch and matplotlib

    target = options.out or options.run / PICTURES[options.picture]
    plots.draw(options.picture, options.run, target)
    _print({"file": str(target)}, [str(target)], options)


@contextmanager
def _loading_torch() -> Iterator[None]:
    """Inside the block it is imported. Its threads shall not spin for long where they wait for each other, which is to be said before.

    Where other processes want the same cores, spinning threads wait for threads that cannot run: small networks were
    seen to train fifty times slower. So short a spin costs nothing on idle cores.

    Of half a million objects none is garbage: Python does not look through them for any, now or later.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    gc.disable()
    yield
    gc.freeze()
    gc.enable()


def _teachers(options: argparse.Namespace) -> None:
    from dna_engine import catalogue

    if options.write:
        from dna_engine.blockwise.write_catalogue import write_catalogue, write_weights  # torch

        path = Path(catalogue.__file__).with_name("catalogue.json")
        print(f"{write_catalogue(path)} teachers written to {path}", file=sys.stderr)
        write_weights(path.with_name("weights.json.xz"))
        return
    if options.markdown:
        print("\n".join(console.teacher_rows(catalogue.catalogue().values())))
        return
    rows = [asdict(teacher) for teacher in catalogue.catalogue().values()]
    lines = console.table(
        ("teacher", "family", "params", "blocks (channels at reduction)"),
        (
            (t["name"], t["family"], t["params"], " ".join(f"{b['channels']}@{b['reduction']}" for b in t["blocks"]))
            for t in rows
        ),
    )
    _print(rows, lines, options)


# --- commands that answer at once


def _space(options: argparse.Namespace) -> None:
    path = Path(options.space)
    space = parse_space(read_object(path, InvalidSpec) if path.is_file() else options.space)
    figures = space_figures(space, input_size=options.input or 224, num_classes=options.classes)
    _print(figures, console.space_lines(figures), options)


def _describe(options: argparse.Namespace) -> None:
    path = Path(options.network)
    network = Architecture.from_json(read_object(path, InvalidSpec)) if path.is_file() else published(options.network)
    figures = network_figures(replace(network, input_size=options.input or network.input_size))
    _print(figures, console.network_lines(figures), options)


def _select(options: argparse.Namespace) -> None:
    from dna_engine.select import LatencyTable, Problem, best, load_ratings  # numpy

    limits = Budget(flops=options.flops, params=options.params, latency_ms=options.latency_ms).limits
    table = None
    if options.latency_ms is not None:
        table_file = options.latency_table or options.ratings.with_name(LATENCY)
        table = LatencyTable.from_json(read_object(table_file, InvalidSpec))
    problem = Problem(load_ratings(options.ratings), latency=table)
    selection = best(problem, limits, top_k=options.top_k, min_distance=options.min_distance).to_json()
    _print(selection, console.selection_lines(selection), options)


# --- reading and printing


def _resolved(value: dict[str, Any], layout: Arrangement) -> ResolvedSpec:
    """A spec as a user writes it, made whole; one that is whole already is taken as it is."""
    from dna_engine.images.survey import survey

    if isinstance(value.get("dataset"), dict):
        return _valid(ResolvedSpec.model_validate, value)
    spec = _valid(SearchSpec.model_validate, value)
    given = None if spec.teacher.source is None else of_run(Path(spec.teacher.source))
    return resolve(spec, survey(spec.dataset, layout), given)


def _valid(parse: Callable[[dict[str, Any]], M], value: dict[str, Any]) -> M:
    try:
        return parse(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidSpec(f"{place}: {first['msg']}", param=place) from error


def _whole(text: str) -> int:
    """350e6 is a whole number here."""
    return int(float(text))


def _print(value: Any, lines: Iterable[str], options: argparse.Namespace) -> None:
    print(json.dumps(value, indent=1) if options.json else "\n".join(lines))


def _report(error: EngineError, options: argparse.Namespace) -> None:
    if options.json:
        print(json.dumps({"error": error.to_dict()}))
    else:
        print(f"error: {error.message}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
