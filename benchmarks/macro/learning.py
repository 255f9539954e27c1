"""How both supernets learn: a network a step, the same for both, from one length of training to the next."""

from __future__ import annotations

import itertools
import math
import random
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.macro.space import LAYERS, OPS, SIDE
from benchmarks.macro.supernets import DistilledBlocks, SharedNetwork
from dna_engine.blockwise.teacher import Teacher
from dna_engine.runtime import checkpoint
from dna_engine.training.batches import Images

#: Share of a length in which the learning rate rises.
WARMUP = 0.05
#: Images by which exits are set before the first step.
FIRST_LOOK = 256


def fair_network(seed: int, step: int) -> str:
    """The network of a step: in as many steps as there are ops, every op of every layer comes once."""
    window, place = divmod(step, len(OPS))
    return "".join(
        random.Random(f"{seed}/{window}/{layer}").sample(OPS, len(OPS))[place] for layer in range(len(LAYERS))
    )


class Student(ABC):
    """A supernet in training."""

    net: nn.Module
    optimizer: torch.optim.Optimizer
    learning_rate: float

    @abstractmethod
    def loss(self, images: Tensor, labels: Tensor, network: str) -> Tensor:
        """Of one network on a batch."""

    def learn(self, images: Images, *, begin: int, end: int, batch_size: int, seed: int) -> None:
        """Steps ``begin`` to ``end``; the learning rate rises, then falls to 0 along a cosine."""
        epochs = math.ceil(end / images.steps(batch_size))
        batches = images.batches(batch_size, epochs=epochs, seed=seed, start=begin)
        for step, (x, labels) in zip(range(begin, end), batches, strict=False):
            share = (step - begin) / (end - begin)
            rate = min(1.0, (share + 1 / (end - begin)) / WARMUP) * (1 + math.cos(math.pi * share)) / 2
            for group in self.optimizer.param_groups:
                group["lr"] = self.learning_rate * rate
            self.optimizer.zero_grad()
            x = x.contiguous(memory_format=torch.channels_last)
            self.loss(x, labels, fair_network(seed, step)).backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()

    def state(self) -> dict[str, Any]:
        return {"net": self.net.state_dict(), "optimizer": self.optimizer.state_dict()}

    def restore(self, state: dict[str, Any]) -> None:
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["optimizer"])


class Follower(Student):
    """Blocks that follow a teacher, by the engine's optimiser and rate; one pass of the teacher a batch serves all."""

    learning_rate = 0.005

    def __init__(self, teacher: Teacher, images: Images, seed: int) -> None:
        self.teacher = teacher
        self.boundaries = range(teacher.trunk.depth + 1)
        self.net: DistilledBlocks = DistilledBlocks([shape[0] for shape in teacher.shapes(SIDE)][1:])
        self.net.to(images.labels.device).to(memory_format=torch.channels_last)
        self.net.start_from_means(self.maps(next(images.epoch(0, min(FIRST_LOOK, len(images)), seed=seed))[0]))
        self.optimizer = torch.optim.Adam(self.net.parameters(), weight_decay=1e-4, fused=True)

    def maps(self, images: Tensor) -> list[Tensor]:
        """The images, and the teacher's maps of them."""
        return list(
            self.teacher.features(images.contiguous(memory_format=torch.channels_last), self.boundaries).values()
        )

    def loss(self, images: Tensor, labels: Tensor, network: str) -> Tensor:  # noqa: ARG002
        return self.net.loss(self.maps(images), network)


class Classifier(Student):
    """Shared weights, by the optimiser and rate of the engine's trainings."""

    learning_rate = 0.003

    def __init__(self, num_classes: int, device: torch.device) -> None:
        self.net: SharedNetwork = SharedNetwork(num_classes)
        self.net.to(device).to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.AdamW(self.net.parameters(), weight_decay=0.05, fused=True)

    def loss(self, images: Tensor, labels: Tensor, network: str) -> Tensor:
        return self.net.loss(images, labels, network)


def lengths(
    student: Student, steps: Sequence[int], images: Images, *, batch_size: int, seed: int, folder: Path
) -> Iterator[int]:
    """Trains from one number of steps to the next, and stops at each; ``folder`` keeps the student as it was there.

    One run gives all lengths: with each the learning rate falls to 0 and then rises again (Loshchilov and Hutter, ICLR 2017).
    """
    for begin, end in itertools.pairwise([0, *steps]):
        file = folder / f"{end}.safetensors"
        if (kept := checkpoint.load(file)) is not None:
            student.restore(kept)
        else:
            student.learn(images, begin=begin, end=end, batch_size=batch_size, seed=seed)
            checkpoint.save(file, student.state())
        yield end
