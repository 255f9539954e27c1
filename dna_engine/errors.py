"""Every error a user of the engine can meet.

EngineError                 something the caller can act on; carries a stable ``code`` and the ``param`` at fault
├── InvalidSpec             a field of the spec is wrong
│   ├── UnknownName         a name that does not exist; says which do
│   ├── InvalidSpace        a search space that cannot be built
│   └── TooHard             a selection that takes longer than it may
├── InfeasibleBudget        no network of the space fits; says what would
├── InvalidRatings          a ratings file that does not fit its space
├── TeacherError            a teacher that cannot supervise the space
├── DataError               a dataset that cannot be read
├── DatasetChanged          its images are not those that the job began with
├── NonFiniteLoss           training diverged
├── OutOfMemory             the device is too small even for the smallest micro-batch
├── DamagedCheckpoint       a checkpoint that is not what was written
├── DiskFull                a file could not be written; says which disk and how much is free
├── ExportMismatch          the weights file does not answer as the trained network does
├── StepFailed              what nobody foresaw, and would happen again: an assertion of a model, shapes that do not fit
├── ProcessLost             one of the processes that did a step together ended before the others
├── Retold                  what another process of the engine raised
└── Interrupted             told to stop; a checkpoint was written first
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


class EngineError(Exception):
    """Base of all errors the engine raises on purpose.

    Attributes:
        code: stable machine-readable name, snake_case.
        param: dotted path of the spec field at fault, or None.
        exit_code: what the command line exits with.
    """

    code = "engine_error"
    exit_code = 1

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param

    def to_dict(self) -> dict[str, Any]:
        """The error as JSON: ``code``, ``message``, ``param``."""
        return {"code": self.code, "message": self.message, "param": self.param}


class InvalidSpec(EngineError):
    code = "invalid_spec"
    exit_code = 2


#: Characters of a name that nobody knows: what comes behind would only be in the way, and slow to compare.
_NAME_SHOWN = 200


class UnknownName(InvalidSpec):
    """A name that is not in its catalogue; the message lists the nearest and what exists."""

    code = "unknown_name"

    def __init__(self, kind: str, name: str, known: Iterable[str], *, param: str | None = None) -> None:
        self.known = sorted(known)
        name = name if len(name) <= _NAME_SHOWN else f"{name[:_NAME_SHOWN]}..."
        near = difflib.get_close_matches(name, self.known, n=3)
        hint = f" Did you mean {' or '.join(repr(n) for n in near)}?" if near else ""
        shown = ", ".join(self.known[:12]) + (f" and {len(self.known) - 12} more" if len(self.known) > 12 else "")
        super().__init__(f"There is no {kind} named {name!r}.{hint} Known: {shown or 'none'}.", param=param)


class InvalidSpace(InvalidSpec):
    code = "invalid_space"


class TooHard(InvalidSpec):
    """Whatever was asked, it takes longer than was allowed; nothing is known of the answer."""

    code = "too_hard"


class InfeasibleBudget(EngineError):
    """No network of the space fits the budget.

    Attributes:
        binding: the limits that bind, e.g. ``["flops"]``.
        feasible: per cost, the smallest and largest value of any network in the space.
        nearest: budgets close to the one asked for that do have a network, each ``{cost: value}``.

    Here latency is counted in nanoseconds, as costs are; to the outside it is ``latency_ms``, as a budget is written.
    """

    code = "infeasible_budget"
    exit_code = 3

    def __init__(
        self,
        message: str,
        *,
        binding: list[str],
        feasible: Mapping[str, tuple[int, int]],
        nearest: list[dict[str, int]],
    ) -> None:
        super().__init__(message, param=f"budget.{as_written(binding[0], 0)[0]}" if binding else "budget")
        self.binding = binding
        self.feasible = {name: list(span) for name, span in feasible.items()}
        self.nearest = nearest

    def to_dict(self) -> dict[str, Any]:
        return super().to_dict() | {
            "binding": [as_written(name, 0)[0] for name in self.binding],
            "feasible": {
                as_written(name, 0)[0]: [as_written(name, value)[1] for value in span]
                for name, span in self.feasible.items()
            },
            "nearest": [dict(as_written(*limit) for limit in budget.items()) for budget in self.nearest],
        }


def as_written(cost: str, value: int) -> tuple[str, int | float]:
    """A limit on a cost as a budget has it: latency in milliseconds."""
    return ("latency_ms", value / 1e6) if cost == "latency_ns" else (cost, value)


class InvalidRatings(EngineError):
    code = "invalid_ratings"
    exit_code = 2


class TeacherError(EngineError):
    code = "teacher_error"
    exit_code = 2


class DataError(EngineError):
    code = "data_error"
    exit_code = 2


class DatasetChanged(EngineError):
    code = "dataset_changed"
    exit_code = 2


class NonFiniteLoss(EngineError):
    code = "non_finite_loss"


class OutOfMemory(EngineError):
    code = "out_of_memory"


class DamagedCheckpoint(EngineError):
    code = "damaged_checkpoint"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"The checkpoint {path.name} cannot be read ({reason}). Delete it to start this step from its beginning."
        )
        self.name = path.name
        self.reason = reason


class DiskFull(EngineError):
    code = "disk_full"


class ExportMismatch(EngineError):
    code = "export_mismatch"


class StepFailed(EngineError):
    """A step raised what no error above stands for. Steps are determined by their spec and seed, so it would do so again."""

    code = "step_failed"

    def __init__(self, step: str, error: Exception) -> None:
        said = str(error).strip().partition("\n")[0][:500]
        super().__init__(
            f"{step} failed with {type(error).__name__}{f': {said}' if said else ''}. It would fail so again, so it is not tried again. Another "
            "teacher, space, input_size or batch_size may go around it; it may be a fault of this version, to be reported with its last lines."
        )


class ProcessLost(EngineError):
    code = "process_lost"


class Interrupted(EngineError):
    code = "interrupted"
    exit_code = 130


class Retold(EngineError):
    """An error that another process of the engine told of, by its JSON."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        super().__init__(told["message"], param=told.get("param"))
        self.code = told["code"]
        self.exit_code = Interrupted.exit_code if self.code == Interrupted.code else EngineError.exit_code
        self._told = dict(told)

    def to_dict(self) -> dict[str, Any]:
        return self._told
