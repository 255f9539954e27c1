"""Back before datasets were checked: those stay that mean the same there, with what was known of them."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

from dna_engine.images.info import DIGITS
from store import datasets
from store.migrate import downgrade, upgrade
from store.session import make_engine

#: Fields of a description before.
BEFORE = {"name", "kind", "location", "num_classes", "num_train", "num_test", "image_size", "class_names"}
NEW = {"aspect_ratios": (1.0, 1.0, 1.0), "one_way": True, "fingerprint": "f"}


def test_datasets_are_described_as_before(empty_database_url: str) -> None:
    upgrade(empty_database_url)
    engine = make_engine(empty_database_url)
    plain = DIGITS.model_copy(update={"kind": "folder", **NEW})
    others = [{"kind": "shards"}, {"layout": "classes"}, {"num_val": 4}, {"white": 4095}]
    with Session(engine) as session:
        for name, changed in [("plain", {}), ("plain", {"num_train": 9}), *(("other", other) for other in others)]:
            datasets.create(session, plain.model_copy(update={"name": name, **changed}), fingerprint="f")
        session.commit()
    downgrade(empty_database_url, "0007")
    with engine.connect() as connection:
        [(name, info)] = connection.execute(text("SELECT name, info FROM datasets")).all()
    assert (name, set(info), info["num_train"]) == ("plain", BEFORE, 9)
    upgrade(empty_database_url)
    with Session(engine) as session:
        assert datasets.ready(session, "plain@1").num_train == 9
    engine.dispose()
