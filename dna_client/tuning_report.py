"""What a tuning has found, and its trials, as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType

from dna_client.chosen import values
from dna_client.cli import output
from dna_client.cli.tables import FittingTable
from dna_client.models import Trial, Tuning
from dna_client.report import apart


def result(tuning: Tuning) -> RenderableType:
    """What is tried, how many trials came to what, the best so far."""
    spec, best = tuning["spec"], tuning["best"]
    counts = ", ".join(f"{count} {state}" for state, count in sorted(tuning["counts"].items()))
    each = (
        f"{output.many(spec['epochs'], 'epoch')} by {spec['recipe']}, {spec['input_size']} pixels, seed {spec['seed']}"
    )
    said = f"{output.many(tuning['trials'], 'trial')} of {each}"
    found = best["params"] if best else {}
    rows = [(name, values(tried), _shown(found.get(name))) for name, tried in sorted(spec["search"].items())]
    parts: list[list[RenderableType]] = [
        [f"{said}: {counts}"],
        [output.table(("field", "tried", "best"), rows, right=("best",))],
    ]
    if best:
        judged = f"{output.percent(best['value'])} of {spec['images']:,} held-out images"
        parts.append([f"Best: trial {best['trial']}, right on {judged}."])
    return Group(*apart(parts))


def trials(found: Sequence[Trial], fields: Sequence[str]) -> FittingTable:
    """The trials with what each tried, best first where ``found`` is."""
    columns = ("trial", "state", "held out", "epochs", *fields)
    rows = [
        (
            trial["number"],
            trial["state"],
            output.percent(trial["value"]),
            trial["epochs"] or "",
            *(_shown((trial["params"] or {}).get(name)) for name in fields),
        )
        for trial in found
    ]
    return output.table(columns, rows, right=("trial", "held out", "epochs", *fields), droppable=("epochs",))


def importance(shares: Mapping[str, float]) -> FittingTable:
    """How much each field mattered."""
    rows = [(name, output.percent(share)) for name, share in shares.items()]
    return output.table(("field", "importance"), rows, right=("importance",))


def _shown(value: Any) -> str:
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
