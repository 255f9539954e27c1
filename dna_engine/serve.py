"""One engine process for many steps, so that torch is loaded once. A supervisor writes orders, this writes events.

An order is one line of standard input (:class:`dna_engine.steps.Order`). Its result event ends the step; what was written
about the step comes before it. A step that fails ends the process, so the next one starts clean.
"""

from __future__ import annotations

import gc
import os
import queue
import sys
import threading
from pathlib import Path
from typing import NoReturn, TextIO

import torch
from pydantic import ValidationError

from dna_engine import pipeline
from dna_engine.context import Context, choose_device, prepare, stop_on_signals
from dna_engine.errors import EngineError, Interrupted, InvalidSpec
from dna_engine.events import Failure, Reporter
from dna_engine.spec import ResolvedSpec
from dna_engine.steps import Order


def serve(device_name: str | None, reporter: Reporter, source: TextIO) -> NoReturn:
    """Runs the orders of ``source`` one after another. Never returns.

    The process ends with the exit code of the error that a step raised, and at once when ``source`` ends: the supervisor
    holds the other end and never closes it before it is done, so the end means that it died.
    """
    orders: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(source, orders), name="orders", daemon=True).start()
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


def _listen(source: TextIO, orders: queue.SimpleQueue[str]) -> None:
    for line in source:
        orders.put(line)
    os._exit(Interrupted.exit_code)


def _read(line: str) -> tuple[ResolvedSpec, Order]:
    try:
        order = Order.model_validate_json(line)
        return ResolvedSpec.model_validate_json((Path(order.run) / "spec.json").read_text()), order
    except (ValidationError, OSError) as error:
        raise InvalidSpec(f"The order cannot be carried out: {error}") from error


def _tidy(device: torch.device) -> None:
    """Gives the device's memory back between steps."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
