"""One engine process for many steps, so that torch is loaded once. A supervisor writes orders, this writes events.

An order is one line of standard input (:class:`dna_engine.plans.Order`). Its result event ends the step; what was written
about the step comes before it. A step that fails ends the process, so the next one starts clean.
"""

from __future__ import annotations

import gc
import os
import queue
import select
import sys
import threading
from pathlib import Path
from typing import NoReturn, TextIO

import torch
from pydantic import ValidationError

from dna_engine import pipeline
from dna_engine.errors import EngineError, Interrupted, InvalidSpec
from dna_engine.events import Failure, Reporter
from dna_engine.jsonfile import read_object
from dna_engine.plans import Order, files
from dna_engine.runtime.context import Context, choose_device, prepare, stop_on_signals
from dna_engine.spec import ResolvedJob, parse_job


def serve(device_name: str | None, reporter: Reporter, source: TextIO, *, patience: float | None = None) -> NoReturn:
    """Runs the orders of ``source`` one after another. Never returns.

    The process ends with the exit code of the error that a step raised, and at once when ``source`` ends: the supervisor
    holds the other end and never closes it before it is done, so the end means that it died.

    Args:
        patience: seconds. A supervisor that says nothing for so long, not even an empty line, was stopped: its step will be given
            to another, who may work in the same folder, so the process ends then too. None: it may be silent for ever.
    """
    orders: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(source.fileno(), orders, patience), name="orders", daemon=True).start()
    stop = stop_on_signals()
    try:
        device = choose_device(device_name)
        prepare(device)
        while True:
            spec, order = _read(orders.get())
            reporter.emit(pipeline.run_step(spec, order.step, Context(Path(order.run), device, reporter, stop)))
            _tidy(device)
    except EngineError as error:
        reporter.emit(Failure(error=error.to_dict()))
        print(f"error: {error.message}", file=sys.stderr)
        leave(error.exit_code)


def leave(exit_code: int) -> NoReturn:
    """Ends the process. Taking torch apart would take seconds, and nothing is left to do."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exit_code)


def _listen(source: int, orders: queue.SimpleQueue[str], patience: float | None) -> None:
    heard = b""
    while select.select([source], [], [], patience)[0] and (said := os.read(source, 1 << 16)):
        *lines, heard = (heard + said).split(b"\n")
        for line in filter(None, lines):
            orders.put(line.decode(errors="replace"))
    os._exit(Interrupted.exit_code)


def _read(line: str) -> tuple[ResolvedJob, Order]:
    try:
        order = Order.model_validate_json(line)
        return parse_job(read_object(Path(order.run) / files.SPEC, InvalidSpec)), order
    except ValidationError as error:
        raise InvalidSpec(f"The order cannot be carried out: {error}") from error


def _tidy(device: torch.device) -> None:
    """Gives the device's memory back between steps. What is left then are modules, which nothing has to look through again."""
    gc.collect()
    gc.freeze()
    if device.type == "cuda":
        torch.cuda.empty_cache()
