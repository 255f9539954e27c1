"""Built-in datasets and unique names."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from dna_engine.errors import UnknownName
from dna_engine.images.info import DIGITS
from store import datasets
from store.errors import NameTaken, NotFound
from store.tables import Dataset


def test_builtin_datasets_are_there_however_often_they_are_ensured(session: Session) -> None:
    datasets.ensure_builtin(session)
    session.execute(update(Dataset).values(fingerprint="old"))
    datasets.ensure_builtin(session)
    (digits,) = datasets.listing(session).items
    assert digits.fingerprint == datasets.fingerprint(DIGITS)
    assert datasets.get(session, digits.id) is digits
    assert datasets.ready(session, "digits") == DIGITS


def test_dataset_names_are_unique_and_unknown_ones_are_answered_with_those_that_exist(session: Session) -> None:
    datasets.ensure_builtin(session)
    info = DIGITS.model_copy(update={"name": "mine", "kind": "folder", "location": "/data/mine"})
    assert datasets.create(session, info, fingerprint="f").name == "mine"
    with pytest.raises(NameTaken, match="'mine'"):
        datasets.create(session, info, fingerprint="f")
    with pytest.raises(UnknownName, match=r"Did you mean 'digits'.*Known: digits, mine"):
        datasets.ready(session, "digit")
    with pytest.raises(NotFound):
        datasets.get(session, uuid4())
