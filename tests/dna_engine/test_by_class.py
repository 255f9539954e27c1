"""What is told class by class: exact on small numbers, short of many classes, and true of images in classes of 190 and 10."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from dna_engine import retrain
from dna_engine.accuracy import wilson
from dna_engine.by_class import CLASSES, PAIRS, Confused, Confusion
from dna_engine.console import class_lines
from dna_engine.images.survey import survey
from dna_engine.plans import Kind, plan_of
from dna_engine.plans.results import Trained
from tests.dna_engine.runs import context, tiny_training


def test_classes_by_their_recall_and_pairs_by_their_number() -> None:
    found = Confusion.count([0, 0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 0, 0, 1], ["ant", "bee", "cow"])
    assert found.matrix == [[3, 1, 0], [2, 1, 0], [0, 0, 0]]
    told = found.by_class()
    assert [(one.name, one.images, one.right, one.answered, one.recall) for one in told.recalls] == [
        ("bee", 3, 1, 2, pytest.approx(1 / 3)),
        ("ant", 4, 3, 5, 0.75),
        ("cow", 0, 0, 0, None),
    ]
    assert [one.interval for one in told.recalls] == [wilson(1 / 3, 3), wilson(0.75, 4), None]
    assert told.confused == [
        Confused(label="bee", answer="ant", images=2),
        Confused(label="ant", answer="bee", images=1),
    ]


def test_a_thousand_classes_are_told_in_a_few_kilobytes() -> None:
    labels = list(range(1000)) * 2
    names = [f"the class of number {number}" for number in range(1000)]
    told = Confusion.count(labels, [0] * len(labels), names).by_class()
    assert (told.classes, len(told.recalls), len(told.confused)) == (1000, CLASSES, PAIRS)
    assert len(told.model_dump_json()) < 20_000


def test_190_to_10_is_seen(tmp_path: Path) -> None:
    """Pictures that tell nothing: nearly all are right, and one of the classes is not recognised."""
    random = np.random.default_rng(0)
    for split in ("train", "test"):
        for name, images in (("common", 190), ("rare", 10)):
            (folder := tmp_path / "images" / split / name).mkdir(parents=True)
            for number in range(images):
                Image.fromarray(random.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(folder / f"{number}.png")
    spec = tiny_training(dataset=survey(str(tmp_path / "images")), epochs=2, batch_size=50)
    (step,) = (step for step in plan_of(spec).all_steps() if step.kind is Kind.TRAIN)
    where, _ = context(tmp_path)
    result = retrain.run_step(spec, step, where)
    trained = Trained.model_validate(result.values)
    assert trained.test is not None
    assert trained.by_class is not None
    rare, common = trained.by_class.recalls
    assert (rare.name, rare.images, common.name, common.images) == ("rare", 10, "common", 190)
    assert trained.test_accuracy == (rare.right + common.right) / 200 > 0.85
    assert trained.test.balanced_accuracy == pytest.approx((rare.right / 10 + common.right / 190) / 2)
    assert rare.recall is not None
    assert rare.recall < 0.5
    assert trained.by_class.confused[0] == Confused(label="rare", answer="common", images=10 - rare.right)
    assert trained.test.log_loss == trained.test_loss
    assert trained.test.calibration_error is not None
    assert 0 < trained.test.calibration_error < 0.5
    (line,) = class_lines({"network": result.values})
    assert line.endswith(f"least recognised of 2 classes: rare, {rare.right} of 10")
    matrix = Confusion.model_validate_json((tmp_path / "network/confusion.json").read_text())
    assert matrix.by_class() == trained.by_class
    assert json.loads((tmp_path / "network/training.json").read_text())["by_class"] == result.values["by_class"]
    assert ElementTree.parse(tmp_path / "network/confusion.svg").getroot().tag.endswith("svg")
