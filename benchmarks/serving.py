"""What serving a network costs beside onnxruntime alone: images a second and the time of requests, in one run.

Both sides take turns, second by second, so that whatever else the machine does meets both; the time that client and server compute
is counted beside it, which is theirs alone. Baseline: ``session.run`` in a loop, with as
many threads and nothing around it. The clients are tritonclient's, in this process, on the same cores as the server.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import onnxruntime
import psutil
import torch
import tritonclient.grpc
import tritonclient.http

from benchmarks import report
from dna_engine.export.onnx_file import write_onnx
from dna_engine.space.architecture import Architecture, published
from dna_engine.training.network import build

CPU = torch.device("cpu")
NAME = "network"
#: The baseline.
BARE = "onnxruntime alone"

Answer = Callable[[], object]


class Side:
    """One way to have batches answered, by so many clients at once.

    Args:
        client: makes what asks once and waits for the answer; each thread has its own.
        server: the process that answers; None: this one.
    """

    def __init__(
        self, name: str, clients: int, batch: int, client: Callable[[], Answer], server: psutil.Process | None = None
    ) -> None:
        self.name, self.batch = name, batch
        self._processes = [psutil.Process(), *([server] if server else [])]
        self.cpu_seconds: list[float] = []
        self._threads = [ThreadPoolExecutor(1) for _ in range(clients)]
        # Some clients may be used by no thread but the one that made them.
        self._ask = [thread.submit(client).result() for thread in self._threads]
        self.images_per_second: list[float] = []
        self.seconds: list[float] = []

    def turn(self, seconds: float) -> None:
        """Asks for so long, and keeps how many images were answered and how long each request took."""
        began, cpu = time.perf_counter(), self._cpu()
        taken: list[float] = []
        asked = [
            thread.submit(_ask_until, ask, began + seconds, taken)
            for thread, ask in zip(self._threads, self._ask, strict=True)
        ]
        for one in asked:
            one.result()
        self.images_per_second.append(self.batch * len(taken) / (time.perf_counter() - began))
        self.cpu_seconds.append((self._cpu() - cpu) / (self.batch * len(taken)))
        self.seconds += taken

    def forget(self) -> None:
        """What was kept, while all was warming up."""
        self.images_per_second, self.seconds, self.cpu_seconds = [], [], []

    def _cpu(self) -> float:
        """Seconds that client and server have computed, whatever else the machine does."""
        return sum(cpu_seconds(process) for process in self._processes)

    def row(self, baseline: Side) -> list[str]:
        ratios = np.array(self.images_per_second) / np.array(baseline.images_per_second)
        median, worst = (1000 * np.percentile(self.seconds, percent) for percent in (50, 99))
        cpu, least = (1000 * np.median(side.cpu_seconds) for side in (self, baseline))
        rates = np.median(self.images_per_second), np.median(ratios)
        figures = [report.significant(figure) for figure in (*rates, median, worst, cpu, least / cpu)]
        return [self.name, str(self.batch), str(len(self._ask)), *figures]


def cpu_seconds(process: psutil.Process) -> float:
    """What a process has computed, to the nanosecond where there is a clock for it: Linux otherwise counts in steps of 10 ms."""
    if sys.platform == "linux":
        # The clock that clock_getcpuclockid(3) returns of a process (CPUCLOCK_SCHED is 2).
        return time.clock_gettime(~process.pid << 3 | 2)
    return sum(process.cpu_times()[:2])


def _ask_until(ask: Answer, end: float, taken: list[float]) -> None:
    """Asks at least once, however late the thread comes to it."""
    while not taken or time.perf_counter() < end:
        began = time.perf_counter()
        ask()
        taken.append(time.perf_counter() - began)


def main(argv: list[str] | None = None) -> None:
    arguments = parse(argv)
    report.print_header("serving", CPU)
    with tempfile.TemporaryDirectory() as folder:
        onnx = Path(folder) / f"{NAME}.onnx"
        network = network_of(arguments)
        write_onnx(build(network).eval(), torch.zeros(2, 3, arguments.input_size, arguments.input_size), onnx)
        with served(onnx, arguments) as server:
            sides = list(sides_of(onnx, server, arguments))
            for side in sides:
                side.turn(arguments.seconds)
                side.forget()
            for _, side in itertools.product(range(arguments.turns), sides):
                side.turn(arguments.seconds)
            scrape(server.url)
    print(
        f"{arguments.network} at {arguments.input_size} pixels, {arguments.threads} threads, {arguments.turns} turns of {arguments.seconds:g} s\n"
    )
    head = [
        "way",
        "images a request",
        "clients",
        "images/s",
        "of bare",
        "median, ms",
        "p99, ms",
        "CPU, ms an image",
        "of bare",
    ]
    by_batch = {side.batch: side for side in sides if side.name == BARE}
    report.print_table(head, [side.row(by_batch[side.batch]) for side in sides])


def network_of(arguments: argparse.Namespace) -> Architecture:
    if not arguments.network.endswith(".json"):
        return published(arguments.network, input_size=arguments.input_size)
    described = json.loads(Path(arguments.network).read_text())
    return replace(Architecture.from_json(described), input_size=arguments.input_size)


def sides_of(onnx: Path, server: Server, arguments: argparse.Namespace) -> Iterator[Side]:
    """Bare onnxruntime first, then each protocol with one client and with several."""
    rest = server.url.removeprefix("http://")
    for batch, crowd in ((arguments.batch_size, 4), (1, 8)):
        shape = (batch, 3, arguments.input_size, arguments.input_size)
        images = np.random.default_rng(0).normal(size=shape).astype(np.float32)
        for name, spinning in ((BARE, "0"), (f"{BARE}, its threads spinning", "1")):
            yield Side(name, 1, batch, bare(onnx, images, arguments.threads, spinning))
        for clients in (1, crowd):
            yield Side("gRPC", clients, batch, asking(tritonclient.grpc, server.grpc, images), server.process)
            yield Side("REST, binary tensors", clients, batch, asking(tritonclient.http, rest, images), server.process)


def bare(onnx: Path, images: np.ndarray, threads: int, spinning: str) -> Callable[[], Answer]:
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", spinning)
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
    return lambda: lambda: session.run(["logits"], {"images": images})


def asking(module: Any, address: str, images: np.ndarray) -> Callable[[], Answer]:
    """A client of tritonclient that sends the images and wants their logits."""

    def client() -> Answer:
        connection = module.InferenceServerClient(address)
        wanted = module.InferRequestedOutput("logits")

        def ask() -> object:
            given = module.InferInput("images", list(images.shape), "FP32")
            given.set_data_from_numpy(images)
            return connection.infer(NAME, [given], outputs=[wanted]).as_numpy("logits")

        return ask

    return client


@dataclass(frozen=True)
class Server:
    """Where it listens, and its process."""

    url: str
    grpc: str
    process: psutil.Process


@contextmanager
def served(onnx: Path, arguments: argparse.Namespace) -> Iterator[Server]:
    """The server with that network."""
    command = [
        sys.executable,
        "-m",
        "serving",
        f"{NAME}={onnx}",
        "--port",
        "0",
        "--grpc-port",
        "0",
        "--threads",
        str(arguments.threads),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            said = json.loads(process.stdout.readline())
            yield Server(said["url"], said["grpc"], psutil.Process(process.pid))
        finally:
            process.terminate()


def scrape(url: str) -> None:
    """Prints how large the server's batches were."""
    lines = httpx.get(f"{url}/metrics").text.splitlines()
    print("\n".join(line for line in lines if line.startswith("dna_serve_batch_images_bucket")), "\n")


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cpu"], default="cpu")
    parser.add_argument("--network", default="dna-b", help="a published one, dna-a to dna-d, or an architecture.json")
    parser.add_argument("--input-size", type=int, default=224)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument(
        "--threads", type=int, default=len(os.sched_getaffinity(0)), help="of onnxruntime, on both sides"
    )
    parser.add_argument("--turns", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each turn of each side")
    return parser.parse_args(argv)


if __name__ == "__main__":
    main()
