"""A resolved spec is read by the kind of job that it names."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from dna_engine.errors import InvalidSpec
from dna_engine.spec import ResolvedJob, ResolvedSpec, ResolvedTraining, parse_job
from tests.dna_engine.runs import tiny_spec, tiny_training


@pytest.mark.parametrize("job", [tiny_spec(), tiny_training()], ids=["search", "training"])
def test_each_kind_of_job_comes_back_as_itself(job: ResolvedJob) -> None:
    found = parse_job(job.model_dump(mode="json"))
    assert type(found) is type(job)
    assert found == job


def test_what_was_written_when_there_were_searches_alone_is_a_search() -> None:
    kept = tiny_spec().model_dump(mode="json", exclude={"job"})
    assert parse_job(kept) == tiny_spec()


def test_a_job_is_not_read_as_one_of_another_kind() -> None:
    search, training = tiny_spec().model_dump(mode="json"), tiny_training().model_dump(mode="json")
    for spec in (search | {"job": "training"}, training | {"job": "search"}, {}):
        with pytest.raises(ValidationError):
            parse_job(spec)
    with pytest.raises(InvalidSpec, match="no kind of job 'dream'; there are search and training"):
        parse_job(search | {"job": "dream"})
    with pytest.raises(ValidationError):
        ResolvedSpec.model_validate(training)
    with pytest.raises(ValidationError):
        ResolvedTraining.model_validate(search)
