"""What serving a network costs beside onnxruntime alone: images a second and the time of requests, in one run.

Both sides take turns, second by second, so that whatever else the machine does meets both. Baseline: ``session.run`` in a loop, with as
many threads and nothing around it. The clients are tritonclient's, in this process, on the same cores as the server.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import onnxruntime
import torch
import tritonclient.grpc
import tritonclient.http

from benchmarks import report
from dna_engine.export.export import write_onnx
from dna_engine.space.architecture import published
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
    """

    def __init__(self, name: str, clients: int, batch: int, client: Callable[[], Answer]) -> None:
        self.name, self.batch = name, batch
        self._ask = [client() for _ in range(clients)]
        self._threads = ThreadPoolExecutor(clients)
        self.images_per_second: list[float] = []
        self.seconds: list[float] = []

    def turn(self, seconds: float) -> None:
        """Asks for so long, and keeps how many images were answered and how long each request took."""
        began = time.perf_counter()
        taken: list[float] = []
        asked = [self._threads.submit(_ask_until, ask, began + seconds, taken) for ask in self._ask]
        for one in asked:
            one.result()
        self.images_per_second.append(self.batch * len(taken) / (time.perf_counter() - began))
        self.seconds += taken

    def row(self, baseline: Side) -> list[str]:
        ratios = np.array(self.images_per_second) / np.array(baseline.images_per_second)
        median, worst = (1000 * np.percentile(self.seconds, percent) for percent in (50, 99))
        speed = np.median(self.images_per_second)
        return [
            self.name,
            str(self.batch),
            str(len(self._ask)),
            f"{speed:.1f}",
            f"{median:.1f}",
            f"{worst:.1f}",
            f"{np.median(ratios):.2f}",
        ]


def _ask_until(ask: Answer, end: float, taken: list[float]) -> None:
    while (began := time.perf_counter()) < end:
        ask()
        taken.append(time.perf_counter() - began)


def main(argv: list[str] | None = None) -> None:
    arguments = parse(argv)
    report.print_header("serving", CPU)
    with tempfile.TemporaryDirectory() as folder:
        onnx = Path(folder) / f"{NAME}.onnx"
        network = published(arguments.network, input_size=arguments.input_size)
        write_onnx(build(network).eval(), torch.zeros(2, 3, arguments.input_size, arguments.input_size), onnx)
        with served(onnx, arguments) as (url, grpc):
            sides = list(sides_of(onnx, url, grpc, arguments))
            for turn in range(arguments.turns + 1):
                for side in sides:
                    side.turn(arguments.seconds)
                if turn == 0:  # Of warming up.
                    for side in sides:
                        side.images_per_second.clear()
                        side.seconds.clear()
            scrape(url)
    print(
        f"{arguments.network} at {arguments.input_size} pixels, {arguments.threads} threads, {arguments.turns} turns of {arguments.seconds:g} s\n"
    )
    head = ["way", "images a request", "clients", "images/s", "median, ms", "p99, ms", "of bare"]
    by_batch = {side.batch: side for side in sides if side.name == BARE}
    report.print_table(head, [side.row(by_batch[side.batch]) for side in sides])


def sides_of(onnx: Path, url: str, grpc: str, arguments: argparse.Namespace) -> Iterator[Side]:
    """Bare onnxruntime first, then each protocol with one client and with several."""
    for batch, crowd in ((arguments.batch_size, 4), (1, 8)):
        shape = (batch, 3, arguments.input_size, arguments.input_size)
        images = np.random.default_rng(0).normal(size=shape).astype(np.float32)
        for name, spinning in ((BARE, "0"), (f"{BARE}, its threads spinning", "1")):
            yield Side(name, 1, batch, bare(onnx, images, arguments.threads, spinning))
        for clients in (1, crowd):
            yield Side("gRPC", clients, batch, asking(tritonclient.grpc, grpc, images))
            yield Side(
                "REST, binary tensors", clients, batch, asking(tritonclient.http, url.removeprefix("http://"), images)
            )


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


@contextmanager
def served(onnx: Path, arguments: argparse.Namespace) -> Iterator[tuple[str, str]]:
    """The server with that network: addresses of REST and gRPC."""
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
            yield said["url"], said["grpc"]
        finally:
            process.terminate()


def scrape(url: str) -> None:
    """Prints how large the server's batches were."""
    lines = httpx.get(f"{url}/metrics").text.splitlines()
    print("\n".join(line for line in lines if line.startswith("dna_serve_batch_images_bucket")), "\n")


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cpu"], default="cpu")
    parser.add_argument("--network", default="dna-b", help="a published one: dna-a to dna-d")
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
