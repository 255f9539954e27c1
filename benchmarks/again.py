"""A network of a search trained once more, by other fields of its recipe. What was trained stands in the run folder's journal."""

from __future__ import annotations

import json
import time
from typing import Any

from dna_engine import pipeline
from dna_engine.pipeline import Journal
from dna_engine.plans import Step
from dna_engine.runtime.context import Context
from dna_engine.spec import ResolvedJob, ResolvedSpec


def once(journal: Journal, spec: ResolvedJob, step: Step, context: Context) -> dict[str, Any]:
    """What the step finds, now or when it was run before."""
    if not journal.has(step, spec):
        began = time.monotonic()
        result = pipeline.run_step(spec, step, context)
        journal.add(step, result, time.monotonic() - began)
        print(f"{context.run.name}: {step.key} {json.dumps(result.values)[:120]}", flush=True)
    return journal.values(step)


def trained_by(spec: ResolvedSpec, **fields: object) -> ResolvedSpec:
    """The search, its networks trained with these fields of ``retrain`` in place of its own."""
    return spec.model_copy(update={"retrain": spec.retrain.model_copy(update=fields)})
