"""Built-in datasets, names and their versions."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from dna_engine.errors import UnknownName
from dna_engine.images.info import DIGITS
from store import datasets
from store.errors import NameTaken, NotFound
from store.order import At
from store.tables import Dataset


def test_builtin_datasets_are_there_however_often_they_are_ensured(session: Session) -> None:
    datasets.ensure_builtin(session)
    session.execute(update(Dataset).values(fingerprint="old"))
    datasets.ensure_builtin(session)
    (digits,) = datasets.listing(session, datasets.Which(), At()).items
    assert digits.fingerprint == datasets.fingerprint(DIGITS)
    assert datasets.get(session, digits.id) is digits
    assert datasets.ready(session, "digits") == DIGITS


def test_a_name_has_versions_and_unknown_ones_are_answered_with_those_that_exist(session: Session) -> None:
    datasets.ensure_builtin(session)
    info = DIGITS.model_copy(update={"name": "mine", "kind": "folder", "location": "/data/mine"})
    assert [datasets.create(session, info, fingerprint="f").version for _ in range(2)] == [1, 2]
    assert [datasets.find(session, ref).version for ref in ("mine", "mine@1", "mine@2")] == [2, 1, 2]
    assert datasets.ready(session, "mine@1").version == 1
    with pytest.raises(NameTaken, match="'digits'"):
        datasets.create(session, DIGITS, fingerprint="f")
    with pytest.raises(UnknownName, match=r"Did you mean 'digits'.*Known: digits, mine"):
        datasets.ready(session, "digit")
    for ref in ("mine@3", "mine@0", "mine@", "@1", "mine@1@1"):
        with pytest.raises(NotFound):
            datasets.find(session, ref)
    with pytest.raises(NotFound):
        datasets.get(session, uuid4())
