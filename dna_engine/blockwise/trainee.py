"""A cell in training: its paths as they are drawn, its loss, its optimiser."""

from __future__ import annotations

import math
import random
from typing import Any

import torch
from torch import Tensor

from dna_engine.blockwise.cell import CellSupernet
from dna_engine.blockwise.spread import Spread
from dna_engine.runtime.context import precision
from dna_engine.space import CellRef, Op, Space
from dna_engine.spec import DistillSpec, ResolvedSpec


def draw_path(space: Space, ref: CellRef, step: int, *, sampling: str, seed: int) -> tuple[Op, ...]:
    """The path that a cell trains at a step: ``uniform`` or ``fair``, see :class:`~dna_engine.spec.DistillSpec`."""
    path = []
    for layer in range(space.cell(ref).depth):
        ops = space.layer_ops(layer)
        if sampling == "uniform":
            path.append(random.Random(f"{seed}/{ref}/{layer}/{step}").choice(ops))
        else:
            window, place = divmod(step, len(ops))
            path.append(random.Random(f"{seed}/{ref}/{layer}/{window}").sample(ops, len(ops))[place])
    return tuple(path)


class Trainee:
    """A cell in training."""

    def __init__(self, spec: ResolvedSpec, ref: CellRef, net: CellSupernet, steps: int) -> None:
        self.ref, self.net, self.steps, self.seed = ref, net, steps, spec.seed
        self.space: Space = spec.parsed_space
        self.recipe: DistillSpec = spec.training
        self.optimizer = torch.optim.Adam(
            net.parameters(), lr=self.recipe.learning_rate, weight_decay=self.recipe.weight_decay, fused=True
        )
        self.loss_sum = torch.zeros((), device=next(net.parameters()).device)
        self.parts = Spread()  # Of the target of a batch that is learned in parts.
        self.parts_loss = torch.zeros_like(self.loss_sum)

    def accumulate(self, step: int, maps: dict[int, Tensor], share: float) -> None:
        """Adds the gradient of a part of a batch, ``share`` of its images."""
        path = draw_path(self.space, self.ref, step, sampling=self.recipe.sampling, seed=self.seed)
        target = maps[self.ref.block].float()
        with precision(target.device):
            output = self.net(maps[self.ref.block - 1], path)
        loss = (output.float() - target).square().mean()
        if self.recipe.loss == "normalized" and share < 1:  # By the variance of the whole batch, once it is known.
            (loss * share).backward()
            self.parts.add(target)
            self.parts_loss += loss.detach() * share
            return
        if self.recipe.loss == "normalized":
            loss = loss / target.var()
        (loss * share).backward()
        self.loss_sum += loss.detach() * share

    def update(self, step: int) -> None:
        """One step of the optimiser along the gradient gathered so far."""
        if self.parts.count:
            self._normalize()
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * step / self.steps))
        self.optimizer.step()
        self.optimizer.zero_grad()

    def _normalize(self) -> None:
        """Gives the gradient and the loss of all parts the scale that those of the whole batch have."""
        for parameter in self.net.parameters():
            if parameter.grad is not None:
                parameter.grad /= self.parts.variance
        self.loss_sum += self.parts_loss / self.parts.variance
        self.forget_parts()

    def forget_parts(self) -> None:
        self.parts = Spread()
        self.parts_loss.zero_()

    def state(self) -> dict[str, Any]:
        return {"net": self.net.state_dict(), "optimizer": self.optimizer.state_dict(), "loss_sum": self.loss_sum}

    def restore(self, state: dict[str, Any]) -> None:
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.loss_sum.copy_(state["loss_sum"])
