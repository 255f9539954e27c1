"""Jobs brought to their end without a worker: the rows and files that one would leave, with random ratings."""

from __future__ import annotations

import io
import json
from typing import Any
from uuid import UUID

import httpx
import numpy as np
from starlette.testclient import TestClient

from dna_engine.by_class import Confusion
from dna_engine.images.info import DatasetInfo
from dna_engine.images.pictures.pixels import preprocessing
from dna_engine.plans import Kind, Phase, Step, plan_of
from dna_engine.plans.files import LATENCY, PICTURES, RATINGS
from dna_engine.plans.steps import of_search
from dna_engine.select import LatencyTable, Network, Problem, Ratings, best
from dna_engine.space import Space
from dna_engine.space.cost import block_sizes, in_widths, layer_at
from dna_engine.spec import ResolvedJob, ResolvedSpec, parse_job
from dna_engine.standard import Standard
from store import datasets, flow, jobs
from store.artifacts import StoredFile
from store.blobs import BlobStore
from store.session import Sessions, transaction
from store.states import StepState
from store.tables import Worker
from tests.api.networks import onnx_of_colours
from tests.store.builders import exported, new_worker, queued, take, two_groups, values_of

#: A search that tries few networks before it chooses one: each is a step.
FEW_TRIED = {"dataset": "digits", "select": {"finalists": 2}}

#: What the engine says it ran for each step.
ENGINE_SECONDS = 10.0

#: Long enough for several chunks of a download, and for ranges inside one.
WEIGHTS = bytes(range(256)) * 6000


#: What a trained network can be downloaded as, with the ends of the names of such files.
ENDS = {
    "json": ".json",
    "safetensors": ".safetensors",
    "onnx": ".onnx",
    "onnx-int8": ".int8.onnx",
    "triton": ".triton.zip",
    "bundle": ".zip",
}
#: Why the engine says that it made no ONNX file.
NO_ONNX = "ConversionError: there is no such operator"


def finish(
    sessions: Sessions, blobs: BlobStore, job_id: UUID, *, until: Phase = Phase.EXPORT, onnx: bool = True
) -> None:
    """Runs every phase up to and including ``until``; the networks have no ONNX files without ``onnx``."""
    with transaction(sessions) as session:
        worker = new_worker(session)
        phases = plan_of(parse_job(jobs.lock(session, job_id).resolved)).phases
    last = until if until in phases else phases[-1]
    for phase in phases[: phases.index(last) + 1]:
        finish_phase(sessions, blobs, job_id, phase, worker, onnx=onnx)


def finish_phase(
    sessions: Sessions, blobs: BlobStore, job_id: UUID, phase: Phase, worker: Worker, *, onnx: bool = True
) -> None:
    """Runs the steps of one phase, which the job must be in."""
    with transaction(sessions) as session:
        job = jobs.lock(session, job_id)
        assert job.phase == phase
        resolved = parse_job(job.resolved)
        for step in queued(session, job):
            claim = take(session, step, worker)
            values = selection(of_search(resolved)) if claim.step.kind is Kind.SELECT else values_of(claim.step.kind)
            if claim.step.kind is Kind.EXPORT and not onnx:
                values = exported(warning=NO_ONNX)
            names = [*claim.step.outputs(resolved), *_beyond_promise(claim.step, onnx=onnx)]
            files = [StoredFile(name, blobs.write(io.BytesIO(content(name, resolved)))) for name in names]
            flow.succeed(session, claim, values, files, engine_seconds=ENGINE_SECONDS, group=two_groups)
            assert step.state == StepState.SUCCEEDED


def winner(client: TestClient | httpx.Client, sessions: Sessions, blobs: BlobStore, **fields: Any) -> str:
    """Id of the winner of a new search, which has come to its selection and tried few networks before."""
    search = client.post("/searches", json=FEW_TRIED | fields).json()["id"]
    finish(sessions, blobs, UUID(search), until=Phase.SELECT)
    found: str = client.get(f"/searches/{search}").json()["best"]["architecture_id"]
    return found


def birds(sessions: Sessions) -> None:
    """A dataset that is ready, of two classes of a few images each."""
    info = DatasetInfo(
        name="birds",
        kind="upload",
        location="f" * 64,
        num_classes=2,
        num_train=8,
        num_test=2,
        image_size=10,
        class_names=["owl", "wren"],
        warnings=["There are few test images: 1 of owl, 1 of wren."],
    )
    with transaction(sessions) as session:
        datasets.create(session, info, fingerprint=info.location)


def new_training(client: TestClient | httpx.Client, network: str, **fields: Any) -> dict[str, Any]:
    """A training of that network alone, queued."""
    response = client.post("/trainings", json={"architecture": network, "dataset": "digits", **fields})
    assert response.status_code == 201, response.text
    training: dict[str, Any] = response.json()
    return training


def new_tuning(client: TestClient | httpx.Client, network: str, **fields: Any) -> dict[str, Any]:
    """A tuning of that network, queued."""
    response = client.post("/tunings", json={"architecture": network, "dataset": "digits", **fields})
    assert response.status_code == 201, response.text
    tuning: dict[str, Any] = response.json()
    return tuning


def _beyond_promise(step: Step, *, onnx: bool) -> list[str]:
    """What a step leaves where it can."""
    if step.kind is Kind.PICTURES:
        return [*PICTURES.values()]
    if step.kind is Kind.TRAIN:
        return [f"{step.network}/confusion.json", f"{step.network}/confusion.svg"]
    of_onnx = ("model.onnx", "model.int8.onnx", "model.triton.zip")
    return [f"{step.network}/{name}" for name in of_onnx] if step.kind is Kind.EXPORT and onnx else []


def content(name: str, resolved: ResolvedJob) -> bytes:
    """What lies in a file of the run folder, as far as the API looks at it."""
    if name == RATINGS:
        return json.dumps(ratings(of_search(resolved)).to_json()).encode()
    if name == LATENCY:
        return json.dumps(latency(of_search(resolved).parsed_space, resolved.input_size).to_json()).encode()
    if name.endswith("/confusion.json"):
        return Confusion(classes=["0", "1"], matrix=[[3, 1], [0, 4]]).model_dump_json().encode()
    if name.endswith(".onnx"):
        return onnx_of_colours(resolved.dataset.num_classes)
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
        layer_at(space, number, cell, index, op, in_width=width, in_size=sizes[number - 1]): 1000 + 100 * op.kernel
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
    tried = {"log_loss": 1.5, "accuracy": 0.5, "error": 0.0}
    finalist = {
        "name": "finalist-1",
        "loss": winner.loss,
        **winner.costs,
        "blocks": winner.to_json()["blocks"],
        **tried,
    }
    pictures = preprocessing(resolved.input_size, resolved.dataset.class_names, resolved.look)
    chosen = {"winner": _found(winner, pictures), "control": _found(control, pictures)}
    references = {name: _standard(name, resolved, winner) for name in resolved.retrain.references}
    return {**chosen, "networks": "2", "frontier": 2, "finalists": [finalist], "references": references}


def _standard(name: str, resolved: ResolvedSpec, winner: Network) -> dict[str, Any]:
    """Of twice the winner's cost."""
    described = Standard(
        model=name, width=0.5, num_classes=resolved.dataset.num_classes, input_size=resolved.input_size
    )
    return {**{cost: 2 * value for cost, value in winner.costs.items()}, "architecture": described.to_json()}


def _found(network: Network, pictures: dict[str, Any]) -> dict[str, Any]:
    architecture = network.architecture.to_json() | {"preprocessing": pictures}
    return {"architecture": architecture, "loss": network.loss, **network.costs}
