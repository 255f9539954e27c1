"""What steps have found: whole after JSON, and read whichever version wrote it."""

from __future__ import annotations

import json

import pytest

from dna_engine.accuracy import Answers, judge
from dna_engine.events import Result, parse_event
from dna_engine.images.check.report import Report
from dna_engine.images.info import DIGITS
from dna_engine.plans import Kind
from dna_engine.plans.results import (
    FOUND,
    CellsDistilled,
    CellsRated,
    Checked,
    Chosen,
    Costs,
    Exported,
    Finalist,
    FinalistTried,
    Found,
    LatencyMeasured,
    NetworksTimed,
    PicturesDrawn,
    Selected,
    TeacherFound,
    Timed,
    TimedNetwork,
    Trained,
    TrialTried,
    comparison,
)
from tests.dna_engine.runs import TINY_NETWORK

COSTS = Costs(flops=1_000, params=10)
CHOSEN = Chosen(loss=0.25, flops=1_000, params=10, architecture=TINY_NETWORK.to_json())


def trained(right: int = 45, *, known: bool = True) -> Trained:
    test = judge(Answers([50, 50], [right, right], [50, 50]))
    return Trained(
        test_accuracy=test.accuracy,
        test_loss=0.5,
        test=test if known else None,
        seconds=12.5,
        images_per_second=1_000.0,
        predicted=COSTS,
        counted=COSTS,
        recipe={"epochs": 3, "ema_decay": None},
        dataset="digits",
        seed=1,
    )


FINALIST = Finalist(
    name="finalist-2",
    loss=0.5,
    flops=2,
    params=1,
    blocks=[{"cell": 1, "ops": ["mb3_3x3"]}],
    log_loss=1.5,
    accuracy=0.5,
    error=1e-6,
)

EXAMPLES: dict[Kind, Found] = {
    Kind.CHECK: Checked(info=DIGITS, fingerprint="f", report=Report(splits={"train": 2}, classes=[])),
    Kind.TEACHER: TeacherFound(accuracy=0.9, test=trained().test, flops=2, params=1),
    Kind.DISTILL: CellsDistilled(),
    Kind.LATENCY: LatencyMeasured(layers=7, device="cpu", torch="2.11"),
    Kind.TIME: NetworksTimed(
        device="NVIDIA H100 80GB HBM3",
        cpu="AMD EPYC",
        threads=2,
        torch_version="2.11",
        onnxruntime_version="1.32",
        limit_ms=5.0,
        networks=[
            TimedNetwork(torch=Timed(median_ms=3.0, p95_ms=4.0, runs=100), blocks=[{"cell": 1, "ops": ["plain"]}])
        ],
    ),
    Kind.RATE: CellsRated(best={"b1c1": 0.5, "b2c1": 0.125}),
    Kind.TRIAL: TrialTried(state="pruned", value=0.5, epochs=2),
    Kind.FINALIST: FinalistTried(finalist=FINALIST),
    Kind.SELECT: Selected(winner=CHOSEN, control=CHOSEN, networks=str(2**70), frontier=3, finalists=[FINALIST]),
    Kind.TRAIN: trained(),
    Kind.EXPORT: Exported(
        images=360,
        spread=2.5,
        largest_difference={"onnx": 1e-6, "safetensors": 0.0},
        relative_difference={"onnx": 4e-7, "safetensors": 0.0},
        same_answers={"onnx": 1.0, "safetensors": 1.0},
        accuracy={"torch": 0.9, "onnx": 0.9, "safetensors": 0.9},
        predicted=COSTS,
        counted=COSTS,
        test_accuracy=0.9,
    ),
    Kind.PICTURES: PicturesDrawn(drawn=["loss", "frontier"]),
}


def test_every_kind_of_step_has_a_form_of_its_own() -> None:
    assert set(FOUND) == set(EXAMPLES) == set(Kind)
    assert len(set(FOUND.values())) == len(Kind)


@pytest.mark.parametrize("kind", Kind)
def test_a_result_is_what_was_found_after_its_way_as_an_event(kind: Kind) -> None:
    found = EXAMPLES[kind]
    event = parse_event(found.result(("a", "b")).model_dump_json())
    assert isinstance(event, Result)
    assert event.artifacts == ["a", "b"]
    assert FOUND[kind].model_validate(event.values) == found


@pytest.mark.parametrize("kind", Kind)
def test_what_a_later_version_adds_is_not_read(kind: Kind) -> None:
    values = EXAMPLES[kind].model_dump(mode="json") | {"added": {"later": 1}}
    assert FOUND[kind].model_validate(values) == EXAMPLES[kind]


def test_what_there_is_not_is_not_told() -> None:
    alone = Selected(winner=CHOSEN, networks="1", frontier=1)
    values = alone.result([]).values
    assert "control" not in values
    assert "finalists" not in values
    assert "latency_ns" not in values["winner"]
    assert list(alone.chosen) == ["winner"]
    timed = CHOSEN.model_copy(update={"latency_ns": 5})
    assert Selected(winner=timed, networks="1", frontier=1).result([]).values["winner"]["latency_ns"] == 5


def test_the_chosen_are_named_by_their_folders() -> None:
    control = CHOSEN.model_copy(update={"loss": 0.5})
    assert Selected(winner=CHOSEN, control=control, networks="2", frontier=1).chosen == {
        "winner": CHOSEN,
        "control": control,
    }


def test_a_training_that_an_early_version_recorded_is_read() -> None:
    values = trained().model_dump(mode="json")
    del values["test"]
    early = Trained.model_validate_json(json.dumps(values))
    assert early.test is None
    assert early.test_accuracy == trained().test_accuracy


def test_the_winner_is_compared_with_its_control_where_both_are_known() -> None:
    compared = comparison({"winner": trained(45), "control": trained(25)})
    assert compared is not None
    assert compared.difference == pytest.approx(0.4)
    assert compared.says.startswith("The winner beats its control by 40.0 points")
    assert comparison({"winner": trained()}) is None
    assert comparison({"winner": trained(), "control": trained(known=False)}) is None
    assert comparison({"network": trained()}) is None
