"""Whether an error that nobody foresaw comes from the machine and may pass, or from what was asked and would come again."""

from __future__ import annotations

import re
from concurrent.futures import BrokenExecutor

import torch
import torch.distributed

#: Raised for what the system, a device or another process does.
_OF_THE_MACHINE = (OSError, EOFError, MemoryError, BrokenExecutor, torch.AcceleratorError, torch.distributed.DistError)

#: As torch words the same in a bare RuntimeError: of CUDA and its libraries, the allocator, the processes that read images.
_SAID = re.compile(
    r"\b(CUDA|cuDNN|CUBLAS|cuFFT|NCCL|NVML|HIP|Gloo)\w*[ _](error|status)|CUDNN_STATUS|CUBLAS_STATUS|can't allocate memory|DataLoader worker|"
    r"timed? ?out|Connection (reset|closed|refused)|Too many open files|shared memory",
    re.IGNORECASE,
)


def may_pass(error: Exception) -> bool:
    """Whether the same step may go better on another machine, or later."""
    return isinstance(error, _OF_THE_MACHINE) or (isinstance(error, RuntimeError) and bool(_SAID.search(str(error))))
