"""The client's types are those of the document: every field of an answer is in both."""

from __future__ import annotations

from typing import Any, is_typeddict

import pytest

from api.app import create_app
from api.settings import ApiSettings
from dna_client import models

#: What the document calls otherwise.
NAMES = {
    "Architecture": "ArchitectureOut",
    "Best": "BestNetwork",
    "BestTrial": "Best",
    "Dataset": "DatasetOut",
    "Delivery": "DeliveryDetail",
    "Frontier": "FrontierOut",
    "PredictedClass": "ClassOut",
    "Prediction": "PredictionOut",
    "Problem": "Failure",
    "Recipe": "RecipeOut",
    "Report": "ReportOut",
    "Sample": "SampleOut",
    "Search": "SearchDetail",
    "Space": "SpaceOut",
    "Step": "JobStep",
    "Teacher": "TeacherOut",
    "TeacherBlock": "TeacherBlockOut",
    "Timing": "TimingOut",
    "Training": "TrainingDetail",
    "Tuning": "TuningDetail",
    "Webhook": "WebhookWithSecret",
    "Worker": "WorkerOut",
}

#: What is none of the document: any page and any job, and events as the client hands them on, waiting among them.
OWN = {"Event", "JobSummary", "Page"}
TYPES = {name: kind for name, kind in vars(models).items() if is_typeddict(kind) and name not in OWN}


@pytest.fixture(scope="module")
def schemas() -> dict[str, Any]:
    found: dict[str, Any] = create_app(ApiSettings()).openapi()["components"]["schemas"]
    return found


@pytest.mark.parametrize("name", TYPES)
def test_has_the_fields_of_the_document(schemas: dict[str, Any], name: str) -> None:
    described = schemas[NAMES.get(name, name)]["properties"]
    assert {*TYPES[name].__required_keys__, *TYPES[name].__optional_keys__} == {*described}
