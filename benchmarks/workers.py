"""A search on one worker process and on two: distillation and rating, measured, against half of what one takes.

The service is real: PostgreSQL, Redis, the API, and workers that are machines of their own to it, each with a folder, a
core and, where ``unshare`` can give it one, a host name of its own. Two workers do it twice: cells are first split as if both
were as fast, then by what was measured of each. All searches have one spec and seed, so they must find the same network; once it is chosen, a search is cancelled.

How much two cores give is measured too, before the two workers and after: processes that share nothing, each with all cells for some steps,
on one core and on both at once. It is not always twice as much, since cores share caches and memory, on a virtual machine with others too.

No assignment ends before its longest unit, a cell with the teacher that it needs, nor, were nothing done twice, before half
of what one worker takes. Two workers both run the teacher, so they end somewhat later than half.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from datetime import datetime
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import torch

from benchmarks import report
from benchmarks.distillation import prepare_bench
from benchmarks.spaces import space_of
from dna_client import Client
from dna_client.errors import Conflict
from dna_client.models import Event, Search, Step
from dna_client.processes import python
from dna_client.up import Addresses, Service
from dna_engine.images.info import DIGITS
from dna_engine.runtime.context import prepare
from dna_engine.spec import SearchSpec, resolve

PHASES = ("distill", "rate")
COLUMNS = ["phase", "speeds", "one worker, s", "two workers, s", "each, s", "as early", "of half of one"]
#: Of the distillation that tells what two cores give.
STEPS = 10
#: Seconds that a worker may take to start.
PATIENCE = 60.0


def main(argv: list[str] | None = None) -> None:
    arguments = parse(argv)
    report.print_header("workers", torch.device("cpu"))
    if not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2:
        print("Nothing was measured: each worker needs a core of its own, and Linux to be kept on it.")
        return
    first, second = sorted(os.sched_getaffinity(0))[:2]
    spec = search_spec(arguments)
    with (
        tempfile.TemporaryDirectory() as folder,
        on_core(first),
        Service(Path(folder) / "one", port=0) as service,
        Client(service.addresses.url) as client,
    ):
        alone = chosen(client, spec)
        before = gain(arguments, first, second)
        with another_worker(service.addresses, Path(folder), second, queues="gpu"):  # What is measured needs no other.
            await_workers(client, 3)
            together = [chosen(client, spec) for _ in range(2)]
        after = gain(arguments, first, second)
    show(alone, *together)
    print(f"Distillation by two processes that share nothing: {before:.2f} times as much before, {after:.2f} after.")


def show(alone: Search, new: Search, measured: Search) -> None:
    """Prints what two workers save.

    Raises:
        SystemExit: the searches did not find the same network, which is a fault.
    """
    report.print_table(COLUMNS, rows(alone, new, measured))
    if not network(alone) == network(new) == network(measured):
        sys.exit("The network found is ANOTHER: this is a fault.")
    print("The network found is the same.")


def search_spec(arguments: argparse.Namespace) -> dict[str, Any]:
    """Long in the phases that are measured, short in the others before it is cancelled."""
    return {
        "dataset": "digits",
        "space": space_of(arguments.space),
        "input_size": arguments.input_size,
        "teacher": {"model": arguments.teacher, "weights": "train", "epochs": 1},
        "training": {"epochs": arguments.epochs, "batch_size": arguments.batch_size},
        "rating": {"images": arguments.rating_images, "batch_size": arguments.batch_size},
        "select": {"finalists": 0},
        "retrain": {"epochs": 1, "control": False},
    }


def chosen(client: Client, spec: dict[str, Any]) -> Search:
    """The search, once its network is chosen and the workers are free: its training and its files are not measured, so they are not awaited."""
    search_id = client.create_search(spec)["id"]
    if not any(has_chosen(event) for event in client.events(search_id)):
        client.wait(search_id)  # Says why it has failed.
    with suppress(Conflict):  # It has ended already.
        client.cancel_search(search_id)
    for _ in client.events(search_id):
        pass
    return client.get_search(search_id)


def has_chosen(event: Event) -> bool:
    return event["type"] == "step" and (event["data"]["step"], event["data"]["state"]) == ("select", "succeeded")


def rows(alone: Search, new: Search, measured: Search) -> Iterator[list[str]]:
    """For each phase the time from its first start to its last end, on one worker and on two, and of each step of these."""
    for phase in PHASES:
        one = phase_seconds(alone, phase)
        for speeds, together in (("taken for equal", new), ("measured", measured)):
            two = phase_seconds(together, phase)
            steps = [phase_seconds({**together, "steps": [step]}, phase) for step in of_phase(together, phase)]
            each = ", ".join(f"{seconds:.2f}" for seconds in steps)
            yield [phase, speeds, f"{one:.2f}", f"{two:.2f}", each, f"{one / two:.2f}", f"{two / (one / 2):.3f}"]


def of_phase(search: Search, phase: str) -> list[Step]:
    return [step for step in search["steps"] if step["kind"] == phase]


def phase_seconds(search: Search, phase: str) -> float:
    steps = of_phase(search, phase)
    started = [datetime.fromisoformat(step["started_at"] or "") for step in steps]
    ended = [datetime.fromisoformat(step["finished_at"] or "") for step in steps]
    return (max(ended) - min(started)).total_seconds()


def network(search: Search) -> Any:
    """What must not depend on the workers."""
    assert search["best"] is not None
    return search["best"]["loss"], search["best"]["flops"], search["best"]["params"]


def gain(arguments: argparse.Namespace, first: int, second: int) -> float:
    """How much more two processes distil in the same time than one, until the last ends."""
    (alone,) = seconds_on(arguments, [first])
    return 2 * alone / max(seconds_on(arguments, [first, second]))


def seconds_on(arguments: argparse.Namespace, cores: Sequence[int]) -> list[float]:
    """What each of these cores takes for ``STEPS`` steps of all cells, all at once."""
    spawn = multiprocessing.get_context("spawn")
    all_ready = spawn.Barrier(len(cores))
    with ProcessPoolExecutor(len(cores), spawn, initializer=_share, initargs=(all_ready,)) as pool:
        return list(pool.map(distil_on, [arguments] * len(cores), cores))


_all_ready: Barrier
"""Of the processes of one pool, in each of them."""


def _share(all_ready: Barrier) -> None:
    global _all_ready
    _all_ready = all_ready


def distil_on(arguments: argparse.Namespace, core: int) -> float:
    """Seconds of the steps, with one thread, once every process is ready."""
    with on_core(core):
        device = torch.device("cpu")
        prepare(device)
        spec = resolve(SearchSpec.model_validate(search_spec(arguments)), DIGITS)
        bench = prepare_bench(
            spec.space,
            teacher=spec.teacher.model,
            input_size=spec.input_size,
            batch_size=arguments.batch_size,
            steps=STEPS,
            device=device,
        )
        _all_ready.wait()
        return bench.one_pass(bench.spec.parsed_space.cells)


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Processes started inside the block run on this core only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def another_worker(
    addresses: Addresses, folder: Path, core: int | None = None, *, queues: str = "gpu,cpu"
) -> Iterator[None]:
    """A worker with a folder of its own, which shares the servers and the artifacts; on one core, if that is named."""
    environment = {
        **os.environ,
        "DNA_DATABASE_URL": addresses.database_url,
        "DNA_REDIS_URL": addresses.redis_url,
        "DNA_DATA_DIR": str(folder / "two"),
        "DNA_ARTIFACTS_URL": (folder / "one" / "artifacts").resolve().as_uri(),
        "DNA_DEVICE": "cpu",
    }
    on = on_core(core) if core is not None else nullcontext()
    with on, (folder / "two.log").open("wb") as log:
        command = [*as_host("two"), *python("worker"), "--queues", queues]
        worker = subprocess.Popen(command, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        yield
    finally:
        worker.terminate()
        worker.wait(30)


def as_host(name: str) -> list[str]:
    """What a command begins with that is to believe that the machine has this name; nothing where that cannot be had."""
    named = ["unshare", "--uts", "sh", "-c", f'echo {name} > /proc/sys/kernel/hostname && exec "$@"', name]
    can = shutil.which("unshare") and subprocess.run([*named, "true"], capture_output=True, check=False).returncode == 0
    return named if can else []


def await_workers(client: Client, count: int) -> None:
    """Waits for so many nodes: a worker has one for its device and one for the rest."""
    deadline = time.monotonic() + PATIENCE
    while len(client.workers()) < count:
        if time.monotonic() > deadline:
            raise RuntimeError(f"Only {len(client.workers())} of {count} workers started within {PATIENCE:.0f} s.")
        time.sleep(0.2)


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=30, help="of distillation")
    parser.add_argument("--rating-images", type=int, default=700)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument(
        "--space",
        help="a preset, or a .json file; default: that of the digits, beside whose small cells a teacher weighs much",
    )
    parser.add_argument("--teacher", help="default: that of the digits")
    parser.add_argument("--input-size", type=int)
    return parser.parse_args(argv)


if __name__ == "__main__":
    main()
