"""Networks of an early database that trainings of their own have trained: what those have found of them is found when it is upgraded."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from dna_engine.space.architecture import published
from dna_engine.spec import TrainingSpec, resolve_training
from store import architectures, trainings
from store.migrate import downgrade, upgrade
from store.session import make_engine
from store.tables import Architecture
from tests.store.builders import DIGITS, finish_phase, new_architecture, new_training, new_worker


def given_and_trained(session: Session) -> UUID:
    """A network of no search."""
    described = published("dna-b", input_size=32)
    network, _ = architectures.give(session, described.to_json(), name="mine", flops=1000, params=100)
    spec = TrainingSpec.model_validate({"architecture": str(network.id), "dataset": "digits"})
    made = trainings.create(session, spec, resolve_training(spec, described, DIGITS), network, max_attempts=3)
    finish_phase(session, trainings.get(session, made.id).job, new_worker(session))
    return network.id


def test_what_their_trainings_have_found_is_found(empty_database_url: str) -> None:
    upgrade(empty_database_url)
    engine = make_engine(empty_database_url)
    with Session(engine) as session:
        job = new_training(session)
        finish_phase(session, job, new_worker(session))
        kept, given = trainings.get(session, job.id).architecture_id, given_and_trained(session)
        untrained = new_architecture(session).id
        session.commit()
    downgrade(empty_database_url, "0024")
    with Session(engine) as session:
        session.execute(update(Architecture).values(test_accuracy=None, counted_flops=None, counted_params=None))
        session.commit()
    upgrade(empty_database_url)
    with Session(engine) as session:
        found = {network.id: network for network in session.scalars(select(Architecture))}
        said = {
            network_id: (one.test_accuracy, one.test_dataset, one.counted_flops, one.counted_params)
            for network_id, one in found.items()
        }
        assert said[kept] == said[given] == (0.99, "digits", 1000, 100)
        assert said[untrained] == (None,) * 4
    engine.dispose()
