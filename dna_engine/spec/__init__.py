"""What a job is asked to do. Torch-free: the API validates with it, the engine runs it.

A *spec* is what a user writes; a *resolved* one has nothing left open, and with its seed determines what comes out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dna_engine.errors import InvalidSpec
from dna_engine.spec.check import ArchiveLimits, ResolvedCheck
from dna_engine.spec.parts import AnswersSpec, Priority, RecipeSpec, ResolvedJob, ResolvedNetworks, ResolvedRecipe
from dna_engine.spec.resolve import resolve
from dna_engine.spec.search import (
    Budget,
    DistillSpec,
    RateSpec,
    ResolvedRetrain,
    ResolvedSpec,
    RetrainSpec,
    SearchSpec,
    SelectSpec,
)
from dna_engine.spec.teacher import GivenTeacher, ResolvedTeacher, TeacherSpec
from dna_engine.spec.timing import ResolvedTiming
from dna_engine.spec.training import NETWORK, ResolvedAlone, ResolvedTraining, TrainingSpec, resolve_training
from dna_engine.spec.transfer import FromTraining, GivenWeights, Transferred
from dna_engine.spec.tuning import ResolvedTuning, TuningSpec, found_recipe, resolve_tuning

__all__ = [
    "NETWORK",
    "AnswersSpec",
    "ArchiveLimits",
    "Budget",
    "DistillSpec",
    "FromTraining",
    "GivenTeacher",
    "GivenWeights",
    "Priority",
    "RateSpec",
    "RecipeSpec",
    "ResolvedAlone",
    "ResolvedCheck",
    "ResolvedJob",
    "ResolvedNetworks",
    "ResolvedRecipe",
    "ResolvedRetrain",
    "ResolvedSpec",
    "ResolvedTeacher",
    "ResolvedTiming",
    "ResolvedTraining",
    "ResolvedTuning",
    "RetrainSpec",
    "SearchSpec",
    "SelectSpec",
    "TeacherSpec",
    "TrainingSpec",
    "Transferred",
    "TuningSpec",
    "found_recipe",
    "parse_job",
    "resolve",
    "resolve_training",
    "resolve_tuning",
]


def parse_job(value: Mapping[str, Any]) -> ResolvedJob:
    """A resolved spec from its JSON, by its ``job``; what versions wrote that knew one kind alone is a search.

    Raises:
        InvalidSpec: its ``job`` is of no kind that there is.
        pydantic.ValidationError: it is no spec of that kind.
    """
    kinds: dict[object, type[ResolvedJob]] = {
        "search": ResolvedSpec,
        "training": ResolvedTraining,
        "tuning": ResolvedTuning,
        "check": ResolvedCheck,
        "timing": ResolvedTiming,
    }
    kind = kinds.get(value.get("job", "search"))
    if kind is None:
        raise InvalidSpec(
            f"There is no kind of job {value['job']!r}; there are {' and '.join(map(str, kinds))}.", param="job"
        )
    return kind.model_validate(value)
