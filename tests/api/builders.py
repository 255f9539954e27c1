"""A search brought to its end without a worker: the rows and files that one would leave, with random ratings."""

from __future__ import annotations

import io
import json
from typing import Any
from uuid import UUID

import numpy as np

from dna_engine.plans import Kind, Phase, Step
from dna_engine.plans.files import LATENCY, PICTURES
from dna_engine.select import LatencyTable, Network, Problem, Ratings, best
from dna_engine.space import Space
from dna_engine.space.cost import block_sizes, in_widths, layer_at
from dna_engine.spec import ResolvedSpec
from store import flow, searches
from store.artifacts import StoredFile
from store.blobs import BlobStore
from store.session import Sessions, transaction
from store.states import StepState
from store.tables import Worker
from tests.store.builders import exported, new_worker, queued, take, two_groups, values_of

#: What the engine says it ran for each step.
ENGINE_SECONDS = 10.0

#: Long enough for several chunks of a download, and for ranges inside one.
WEIGHTS = bytes(range(256)) * 6000


#: Why the engine says that it made no ONNX file.
NO_ONNX = "ConversionError: there is no such operator"


def finish(
    sessions: Sessions, blobs: BlobStore, search_id: UUID, *, until: Phase = Phase.EXPORT, onnx: bool = True
) -> None:
    """Runs every phase up to and including ``until``; the networks have no ONNX files without ``onnx``."""
    with transaction(sessions) as session:
        worker = new_worker(session)
    for phase in list(Phase)[: list(Phase).index(until) + 1]:
        finish_phase(sessions, blobs, search_id, phase, worker, onnx=onnx)


def finish_phase(
    sessions: Sessions, blobs: BlobStore, search_id: UUID, phase: Phase, worker: Worker, *, onnx: bool = True
) -> None:
    """Runs the steps of one phase, which the search must be in."""
    with transaction(sessions) as session:
        search = searches.get(session, search_id)
        assert search.phase == phase
        resolved = ResolvedSpec.model_validate(search.resolved)
        for step in queued(session, search):
            claim = take(session, step, worker)
            values = selection(resolved) if claim.step.kind is Kind.SELECT else values_of(claim.step.kind)
            if claim.step.kind is Kind.EXPORT and not onnx:
                values = exported(warning=NO_ONNX)
            names = [*claim.step.outputs(resolved), *_beyond_promise(claim.step, onnx=onnx)]
            files = [StoredFile(name, blobs.write(io.BytesIO(content(name, resolved)))) for name in names]
            flow.succeed(session, claim, values, files, engine_seconds=ENGINE_SECONDS, group=two_groups)
            assert step.state == StepState.SUCCEEDED


def _beyond_promise(step: Step, *, onnx: bool) -> list[str]:
    """What a step leaves where it can."""
    if step.kind is Kind.PICTURES:
        return [*PICTURES.values()]
    return [f"{step.network}/model.onnx"] if step.kind is Kind.EXPORT and onnx else []


def content(name: str, resolved: ResolvedSpec) -> bytes:
    """What lies in a file of the run folder, as far as the API looks at it."""
    if name == "ratings.json":
        return json.dumps(ratings(resolved).to_json()).encode()
    if name == LATENCY:
        return json.dumps(latency(resolved.parsed_space, resolved.input_size).to_json()).encode()
    return WEIGHTS if name.endswith(".safetensors") else f"content of {name}".encode()


def ratings(resolved: ResolvedSpec) -> Ratings:
    """Random ratings, the same for the same spec."""
    space, random = resolved.parsed_space, np.random.default_rng(resolved.seed)
    return Ratings(
        space=space,
        input_size=resolved.input_size,
        num_classes=resolved.dataset.num_classes,
        losses={ref: random.random(space.path_count(space.cell(ref))) for ref in space.cells},
    )


def latency(space: Space, input_size: int) -> LatencyTable:
    """A device on which a layer takes a microsecond, and the longer the larger its kernel."""
    sizes = block_sizes(space, input_size)
    layers = {
        layer_at(cell, index, op, in_width=width, stride=block.stride, in_size=sizes[number - 1]): 1000
        + 100 * op.kernel
        for number, block in enumerate(space.blocks, start=1)
        for cell in block.cells
        for width in in_widths(space, number)
        for index in range(cell.depth)
        for op in space.layer_ops(index)
    }
    return LatencyTable(stem=5000, layers=layers, heads={cell.width: 2000 for cell in space.blocks[-1].cells})


def selection(resolved: ResolvedSpec) -> dict[str, Any]:
    """What the select step reports; the second best stands for the control."""
    table = latency(resolved.parsed_space, resolved.input_size) if resolved.budget.latency_ms else None
    problem = Problem(ratings(resolved), resolved.block_weights, table)
    winner, control = best(problem, resolved.budget.limits, 2).networks
    return {"winner": _found(winner), "control": _found(control), "networks": "2", "frontier": 2}


def _found(network: Network) -> dict[str, Any]:
    architecture = network.architecture.to_json() | {"preprocessing": {"size": network.architecture.input_size}}
    return {"architecture": architecture, "loss": network.loss, **network.costs}
