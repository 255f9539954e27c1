"""The processes that train one network together, each on a device of its own. One that trains it alone is a team too.

Every process does the same, at the same steps, on its share of every batch; what differs by process goes through here. So the images of a
step, the recipe and the checkpoints are those of one process, whatever the size of the team.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

T = TypeVar("T")
S = TypeVar("S", Tensor, list[Any])

#: The longest that the others wait for one of them: while the first judges the network, they do. A process that is lost is seen at once.
PATIENCE = timedelta(hours=2)


@dataclass(frozen=True)
class Team:
    """One process alone: whatever is asked of the team, it is all of it.

    Attributes:
        rank: number of this process, from 0.
        size: how many there are.
    """

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process speaks, judges and writes for the team."""
        return self.rank == 0

    def share(self, batch: S) -> S:
        """What this process takes of a batch (B, ...): every ``size``-th, from the ``rank``-th on."""
        return batch

    def weighed(self, loss: Tensor, batch: int) -> Tensor:  # noqa: ARG002  One alone has the whole.
        """The mean over this process's share of a batch of so many images, such that the mean over the team is that over the batch."""
        return loss

    def mean(self, value: Tensor) -> Tensor:
        """Of a number that every process has."""
        return value

    def wrapped(self, model: nn.Module, *, frozen: bool) -> nn.Module:  # noqa: ARG002
        """A network that computes as ``model`` and has its weights, with the gradients of the whole batch. All begin as the first does.

        Args:
            frozen: whether some weights are not trained at times.
        """
        return model

    def of_first(self, work: Callable[[], T]) -> T:
        """What the first process finds, told to all; the others wait meanwhile."""
        return work()

    def agreed(self, stop: Callable[[], bool]) -> Callable[[], bool]:
        """Whether any process is told to stop: all hear the same when all ask, and so stop at the same step."""
        return stop


ALONE = Team()


@dataclass(frozen=True)
class Together(Team):
    """One of several processes, which must all make the same calls in the same order.

    On GPUs the norms see the whole batch (SyncBatchNorm). There is none for CPUs: there each process normalises its share by itself, and
    the running statistics are those of the first.
    """

    @classmethod
    def join(cls, device: torch.device) -> Together:
        """The team that ``torchrun`` has started; waits until all are there. Numbers on the CPU go by gloo, on GPUs by NCCL."""
        backends = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
        distributed.init_process_group(backends, timeout=PATIENCE, device_id=device if device.type == "cuda" else None)
        return cls(rank=distributed.get_rank(), size=distributed.get_world_size())

    def share(self, batch: S) -> S:
        return batch[self.rank :: self.size]

    def weighed(self, loss: Tensor, batch: int) -> Tensor:
        return loss * (len(range(self.rank, batch, self.size)) * self.size / batch)

    def mean(self, value: Tensor) -> Tensor:
        total = value.clone()
        distributed.all_reduce(total)
        return total / self.size

    def wrapped(self, model: nn.Module, *, frozen: bool) -> nn.Module:
        if next(model.parameters()).is_cuda:
            from timm.layers.norm_act import convert_sync_batchnorm  # timm is slow to import

            model = convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]
        return DistributedDataParallel(model, find_unused_parameters=frozen, gradient_as_bucket_view=True)

    def of_first(self, work: Callable[[], T]) -> T:
        told = [work() if self.leads else None]
        distributed.broadcast_object_list(told, device=torch.device("cpu"))
        found: Any = told[0]
        return found  # type: ignore[no-any-return]

    def agreed(self, stop: Callable[[], bool]) -> Callable[[], bool]:
        return lambda: self._any(stop())

    def _any(self, said: bool) -> bool:
        """On the CPU, where it waits for no device: a tenth of a millisecond, beside a step's many."""
        flag = torch.tensor(float(said))
        distributed.all_reduce(flag, op=distributed.ReduceOp.MAX)
        return flag.item() > 0


def local_rank() -> int:
    """Number of this process on its machine, as ``torchrun`` says it."""
    return int(os.environ["LOCAL_RANK"])
