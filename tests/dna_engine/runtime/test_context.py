"""Devices, and being told to stop."""

from __future__ import annotations

import os
import platform
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from dna_engine.errors import Interrupted, InvalidSpec
from dna_engine.runtime.context import choose_device, stop_on_signals
from tests.dna_engine.runs import context


def test_a_device_is_named_or_chosen() -> None:
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device().type == ("cuda" if torch.cuda.is_available() else "cpu")
    with pytest.raises(InvalidSpec, match="no cuda:99"):
        choose_device("cuda:99")
    with pytest.raises(InvalidSpec, match="not a device"):
        choose_device("abacus")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_asks_for_a_stop(number: signal.Signals) -> None:
    before = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)}
    try:
        stop = stop_on_signals()
        assert not stop()
        os.kill(os.getpid(), number)
        assert stop()
    finally:
        for n, handler in before.items():
            signal.signal(n, handler)


def test_a_second_signal_ends_the_process_at_once() -> None:
    code = (
        "import os, signal; from dna_engine.runtime.context import stop_on_signals; stop = stop_on_signals();"
        "os.kill(os.getpid(), signal.SIGTERM); assert stop(); os.kill(os.getpid(), signal.SIGTERM); print('still here')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (143, "")


def test_operations_take_no_more_threads_than_a_container_has_cores() -> None:
    code = (
        "import torch; from dna_engine.runtime import context; torch.set_num_threads(3); context.available = lambda: 2;"
        "context.prepare(torch.device('cpu')); print(torch.get_num_threads())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "2\n"


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries manage memory their own way")
def test_memory_that_was_left_is_used_again() -> None:
    """Sixteen times the same 64 MiB: without it the kernel hands out each of their pages anew, all sixteen times."""
    code = (
        "import resource, torch; from dna_engine.runtime.context import prepare; prepare(torch.device('cpu'));"
        "usage = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt; torch.ones(1 << 24); before = usage();"
        "all(torch.ones(1 << 24).is_contiguous() for _ in range(16)); print(usage() - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    pages = 64 * 2**20 // resource.getpagesize()
    assert int(done.stdout) < 8 * pages


def test_leaving_says_that_nothing_is_lost(tmp_path: Path) -> None:
    where, _ = context(tmp_path)
    with pytest.raises(Interrupted, match="go on from there"):
        where.interrupt()
