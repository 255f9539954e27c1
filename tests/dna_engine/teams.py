"""Work done by two processes together, which are forked from this one: they have no need to load torch."""

from __future__ import annotations

import multiprocessing
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from dna_engine.runtime.team import Team, Together

SIZE = 2


#: The first backward pass of a process decides whether forks of it may have any: not where its devices have threads, and an export to ONNX
#: registers one that is none. So it comes before every test.
torch.ones(1, requires_grad=True).sum().backward()


def together(folder: Path, work: Callable[[Team], Any]) -> list[Any]:
    """What ``work`` gave in each of them, or the error that it raised."""
    folder.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    forked = multiprocessing.get_context("fork")
    processes = [forked.Process(target=_one, args=(work, rank, port, folder)) for rank in range(SIZE)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return [torch.load(folder / f"{rank}.pt", weights_only=False) for rank in range(SIZE)]


def _one(work: Callable[[Team], Any], rank: int, port: int, folder: Path) -> None:
    torch.set_num_threads(1)
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": str(SIZE), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    try:
        found = work(Together.join(torch.device("cpu")))
    except Exception as error:  # Whatever it was, it is the test's.
        found = error
    torch.save(found, folder / f"{rank}.pt")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
